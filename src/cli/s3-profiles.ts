import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError } from '../errors.ts';
import type { ProfileSource } from '../pprof/gather.ts';
import { DEFAULT_LIMITS, ProfileError } from '../pprof/limits.ts';
import { explainBucketError } from '../snapshots/collect.ts';
import type { Shell } from './shell.ts';

const MAX_OBJECTS = 100_000;

/** The objects at an `s3://bucket/prefix` URL: the one of that key, or all below it. */
export async function listProfiles(url: string, { env }: Shell): Promise<ProfileSource[]> {
  const { bucket, prefix } = parseUrl(url);
  const s3 = new S3Client({ region: regionOf(env), followRegionRedirects: true });
  const sources: ProfileSource[] = [];
  let token: string | undefined;
  do {
    const page = await s3
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token && { ContinuationToken: token }) }))
      .catch((error: unknown) => {
        throw explainBucketError(error, `list s3://${bucket}/${prefix}`, 's3:ListBucket', bucket);
      });
    for (const { Key, ETag, Size = 0 } of page.Contents ?? [])
      if (Key !== undefined && Size > 0 && isBelow(Key, prefix))
        sources.push({ name: `s3://${bucket}/${Key}`, read: () => fetchObject(s3, bucket, Key, ETag, Size) });
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token && sources.length < MAX_OBJECTS);
  return sources;
}

/** @throws ConfigurationError for anything but `s3://bucket` and `s3://bucket/prefix` */
function parseUrl(url: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(url);
  if (match === null)
    throw new ConfigurationError(`Cannot read ${JSON.stringify(url)}: it must be s3://bucket or s3://bucket/prefix.`);
  return { bucket: match[1]!, prefix: match[2] ?? '' };
}

/** `orders` is the object of that name and what is in the folder, not `orders-old`. */
function isBelow(key: string, prefix: string): boolean {
  return prefix === '' || prefix.endsWith('/') || key === prefix || key.startsWith(`${prefix}/`);
}

async function fetchObject(
  s3: S3Client,
  bucket: string,
  key: string,
  etag: string | undefined,
  bytes: number,
): Promise<Uint8Array> {
  if (bytes > DEFAULT_LIMITS.compressedBytes)
    throw new ProfileError(`It has ${bytes} bytes: more than ${DEFAULT_LIMITS.compressedBytes} are not read.`);
  try {
    const answer = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(etag !== undefined && { IfMatch: etag }) }),
    );
    return await answer.Body!.transformToByteArray();
  } catch (error) {
    const { message } = explainBucketError(error, `read s3://${bucket}/${key}`, 's3:GetObject', bucket);
    throw new ProfileError(message);
  }
}

/** S3 of any region answers a client of this one with where to go. */
export function regionOf(env: Record<string, string | undefined>): string {
  return env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
}
