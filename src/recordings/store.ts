import { createHash } from 'node:crypto';
import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { readAwsFailure } from '../aws-error.ts';
import { MeasurementError } from '../errors.ts';
import type { Profile } from '../pprof/columns.ts';
import { decodeProfile, ProfileError } from '../pprof/decode.ts';
import { gzipProfile } from '../pprof/encode.ts';
import { fetchObject } from '../s3-object.ts';
import { explainBucketError } from '../snapshots/collect.ts';
import { type Manifest, manifestSchema, type Recording } from './recording.ts';

/** Where the recordings of one measurement of one function are. */
export interface RecordingPlace {
  bucket: string;
  prefix: string;
  functionName: string;
  /** '' unless one function is measured in several ways. */
  key: string;
  /** A part of a recording, which `mode: compare` of the same workflow run merges with the others. */
  shard?: { workflowRun: string; index: number; of: number };
}

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const CONFLICT_ATTEMPTS = 5;

/** `{prefix}/{function}[.{key}]/{commit}/[shards/{workflow run}/{index}-of-{n}/]`, of parts validated before. */
export function recordingPath(place: RecordingPlace, commit: string): string {
  const { prefix, functionName, key, shard } = place;
  const part = shard ? `shards/${shard.workflowRun}/${shard.index}-of-${shard.of}/` : '';
  return `${prefix}/${functionName}${key ? `.${key}` : ''}/${commit}/${part}`;
}

/**
 * Stores a recording for good: no object is ever overwritten, and the manifest comes last, so a recording that was
 * interrupted is not there at all. Profiles carry the hash of their bytes in the name: what another writer left
 * half-done is never mixed with ours.
 * @returns `exists` when the commit already has a recording, which is kept
 */
export async function storeRecording(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace,
  recording: Recording,
): Promise<'stored' | 'exists'> {
  const path = recordingPath(place, recording.manifest.commit);
  const profiles: Manifest['profiles'] = [];
  for (const [type, profile] of recording.profiles) {
    const body = gzipProfile(profile);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const file = `${type}.${sha256.slice(0, 16)}.pb.gz`;
    await putOnce(s3, place.bucket, path + file, body, 'application/octet-stream');
    profiles.push({ type, file, bytes: body.byteLength, sha256 });
  }
  const manifest: Manifest = { ...recording.manifest, profiles };
  const body = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  return putOnce(s3, place.bucket, `${path}recording.json`, body, 'application/json');
}

async function putOnce(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  key: string,
  body: Uint8Array,
  contentType: string,
): Promise<'stored' | 'exists'> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { ETag } = await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType, IfNoneMatch: '*' }),
      );
      // A 200 of something that is not S3 stores nothing.
      if (!ETag) throw Object.assign(new Error('no ETag'), { $metadata: { httpStatusCode: 200 } });
      return 'stored';
    } catch (error) {
      const { status } = readAwsFailure(error);
      // An attempt whose answer got lost has stored it: then what is there is ours.
      if (status === 412) return (await holds(s3, bucket, key, body)) ? 'stored' : 'exists';
      // ConditionalRequestConflict: another writer of the same key was at it; the next attempt tells who won.
      if (status === 409 && attempt < CONFLICT_ATTEMPTS) continue;
      throw explainBucketError(error, `store the recording in s3://${bucket}/${key}`, 's3:PutObject', bucket);
    }
  }
}

async function holds(s3: Pick<S3Client, 'send'>, bucket: string, key: string, body: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await fetchObject(s3, { Bucket: bucket, Key: key }), body) === 0;
  } catch {
    return false;
  }
}

/**
 * The recording of a commit, or undefined when there is none.
 * @throws MeasurementError when there is one that cannot be read: a broken baseline is not a missing baseline
 */
export async function fetchRecording(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace,
  commit: string,
): Promise<Recording | undefined> {
  const path = recordingPath(place, commit);
  const manifest = await fetchManifest(s3, place, commit);
  if (!manifest) return undefined;
  const profiles: Recording['profiles'] = new Map();
  for (const { type, file, sha256 } of manifest.profiles) {
    const body = await getObject(s3, place.bucket, path + file);
    if (!body) throw broken(place, commit, `${file} is missing`);
    if (createHash('sha256').update(body).digest('hex') !== sha256)
      throw broken(place, commit, `${file} is not the file that was stored`);
    profiles.set(type, decodeStored(body, place, commit, file));
  }
  return { manifest, profiles };
}

function decodeStored(body: Uint8Array, place: RecordingPlace, commit: string, file: string): Profile {
  try {
    return decodeProfile(body);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw broken(place, commit, `${file}: ${error.message}`);
  }
}

/** The manifest of a commit's recording, or undefined when there is none. */
export async function fetchManifest(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace,
  commit: string,
): Promise<Manifest | undefined> {
  const body = await getObject(s3, place.bucket, `${recordingPath(place, commit)}recording.json`);
  if (!body) return undefined;
  if (body.byteLength > MAX_MANIFEST_BYTES) throw broken(place, commit, `recording.json has ${body.byteLength} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw broken(place, commit, 'recording.json is not JSON');
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw broken(place, commit, `recording.json: ${issue.path.join('.')} ${issue.message}`);
  }
  return parsed.data;
}

function broken(place: RecordingPlace, commit: string, why: string): MeasurementError {
  return new MeasurementError(
    `Cannot read the recording of ${commit.slice(0, 7)} in s3://${place.bucket}/${recordingPath(place, commit)}: ${why}.`,
    'Run the job again; if it stays so, delete that folder and run the workflow for that commit again.',
    [{ what: 'Baseline recording', state: 'failed', found: why }],
  );
}

async function getObject(s3: Pick<S3Client, 'send'>, bucket: string, key: string): Promise<Uint8Array | undefined> {
  try {
    return await fetchObject(s3, { Bucket: bucket, Key: key });
  } catch (error) {
    const { code, status } = readAwsFailure(error);
    if (code === 'NoSuchKey') return undefined;
    // Who may list a part of the bucket only may get a 403 for a key that is not there: the listing tells.
    if (status === 403 && (await isMissing(s3, bucket, key))) return undefined;
    throw explainBucketError(error, `read s3://${bucket}/${key}`, 's3:GetObject', bucket);
  }
}

/** Whether a listing says that there is no such object; false when it may not be listed either. */
async function isMissing(s3: Pick<S3Client, 'send'>, bucket: string, key: string): Promise<boolean> {
  try {
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }));
    return KeyCount === 0;
  } catch {
    return false;
  }
}
