import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { explainAwsError, readAwsFailure } from '../aws-error.ts';
import { ConfigurationError } from '../errors.ts';

/** One document with an event, or a weighted list of them. */
export interface PayloadDocument {
  /** For messages: a path, a key, or the input itself. */
  name: string;
  text: string;
}

const MAX_FILES = 1_000;
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/**
 * The documents the input `payload` names: JSON as it stands, `file:` and a file or a folder, or `s3://` and an object
 * or, ending with a slash, a prefix. Of folders and prefixes every `.json` counts, in the order of the names.
 * @throws ConfigurationError when there is nothing, too much, or it cannot be read
 */
export async function fetchPayloadDocuments(input: string, s3: Pick<S3Client, 'send'>): Promise<PayloadDocument[]> {
  const spec = input.trim();
  if (spec.startsWith('file:')) return readDocuments(spec.slice('file:'.length).replace(/^\/\/(?=\/)/, ''));
  if (spec.startsWith('s3:')) return fetchDocuments(spec, s3);
  return [{ name: 'the input payload', text: spec }];
}

async function readDocuments(path: string): Promise<PayloadDocument[]> {
  try {
    const found = await stat(path);
    const files = found.isDirectory() ? jsonOf(await readdir(path), path).map((name) => join(path, name)) : [path];
    return await Promise.all(
      files.map(async (file) => {
        refuseLarge(file, (await stat(file)).size);
        return { name: file, text: await readFile(file, 'utf8') };
      }),
    );
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(
      `Cannot read the payload file ${path}: ${(error as NodeJS.ErrnoException).code}. Check the path; in a workflow, check out the repository before this step.`,
    );
  }
}

async function fetchDocuments(spec: string, s3: Pick<S3Client, 'send'>): Promise<PayloadDocument[]> {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/.exec(spec) ?? [];
  if (!bucket || !key)
    throw new ConfigurationError(
      `Cannot use the payload ${spec.slice(0, 100)}: write s3://bucket/key.json, or s3://bucket/folder/ for every .json in it.`,
    );
  const keys = key.endsWith('/') ? jsonOf(await listKeys(bucket, key, s3), spec) : [key];
  return Promise.all(
    keys.map(async (one) => {
      const name = `s3://${bucket}/${one}`;
      try {
        const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: one }));
        refuseLarge(name, answer.ContentLength ?? 0);
        return { name, text: await answer.Body!.transformToString() };
      } catch (error) {
        if (error instanceof ConfigurationError) throw error;
        throw explainObject(error, name, 's3:GetObject');
      }
    }),
  );
}

async function listKeys(bucket: string, prefix: string, s3: Pick<S3Client, 'send'>): Promise<string[]> {
  try {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: MAX_FILES }));
    if (page.IsTruncated) throw tooMany(`s3://${bucket}/${prefix}`, `more than ${MAX_FILES}`);
    return (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw explainObject(error, `s3://${bucket}/${prefix}`, 's3:ListBucket');
  }
}

function explainObject(error: unknown, name: string, action: string): Error {
  const { code } = readAwsFailure(error);
  if (code === 'NoSuchKey' || code === 'NoSuchBucket')
    return new ConfigurationError(`Cannot read the payload ${name}: ${code}. Check bucket and key.`);
  return explainAwsError(error, `read the payload ${name}`, action);
}

function jsonOf(names: string[], folder: string): string[] {
  const documents = names.filter((name) => name.endsWith('.json')).sort();
  if (documents.length === 0)
    throw new ConfigurationError(`Cannot use the payload folder ${folder}: no .json is in it.`);
  if (documents.length > MAX_FILES) throw tooMany(folder, String(documents.length));
  return documents;
}

function tooMany(folder: string, count: string): ConfigurationError {
  return new ConfigurationError(
    `Cannot use the payload folder ${folder}: it holds ${count} files, and at most ${MAX_FILES} are read.`,
  );
}

function refuseLarge(name: string, bytes: number): void {
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new ConfigurationError(
      `Cannot use the payload ${name}: it has ${bytes} bytes, and at most ${MAX_DOCUMENT_BYTES} are read.`,
    );
}
