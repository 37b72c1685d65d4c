import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { explainAwsError, readAwsFailure } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import { DEFAULT_LIMITS, decodeProfile, ProfileError } from '../pprof/decode.ts';
import { type ProfileType, parseSnapshotKey, type SnapshotKey, snapshotPrefix } from './layout.ts';
import { parseWindow, type Snapshot } from './window.ts';

/** Where the snapshots of a stack are published. */
export interface SnapshotSource {
  bucket: string;
  prefix: string;
  stack: string;
  types: ProfileType[];
}

export interface ListedSnapshot extends SnapshotKey {
  etag: string;
  bytes: number;
  lastModifiedMs: number;
}

/** An object that could not be used, and why: counted and named, never silent. */
export interface SkippedObject {
  key: string;
  reason: string;
}

export interface Collected {
  snapshots: Snapshot[];
  skipped: SkippedObject[];
}

const MAX_LISTED = 100_000;
const DOWNLOADS_AT_ONCE = 8;

/** Every snapshot under the prefix, all pages. Objects with other names are not ours and are passed over. */
export async function listSnapshots(s3: Pick<S3Client, 'send'>, source: SnapshotSource): Promise<ListedSnapshot[]> {
  const root = snapshotPrefix(source.prefix, source.stack);
  const listed: ListedSnapshot[] = [];
  let seen = 0;
  let token: string | undefined;
  do {
    const page = await s3
      .send(
        new ListObjectsV2Command({ Bucket: source.bucket, Prefix: root, ...(token && { ContinuationToken: token }) }),
      )
      .catch((error: unknown) => {
        throw explainBucketError(error, `list s3://${source.bucket}/${root}`, 's3:ListBucket', source.bucket);
      });
    for (const object of page.Contents ?? []) {
      const place = parseSnapshotKey(object.Key ?? '', source.prefix, source.stack);
      if (place && source.types.includes(place.type))
        listed.push({
          ...place,
          etag: object.ETag ?? '',
          bytes: object.Size ?? 0,
          lastModifiedMs: object.LastModified?.getTime() ?? 0,
        });
    }
    seen += page.Contents?.length ?? 0;
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token && seen < MAX_LISTED);
  return listed;
}

/** A failed S3 call as a sentence; a missing bucket gets its own. */
export function explainBucketError(error: unknown, what: string, action: string, bucket: string): MeasurementError {
  const { code } = readAwsFailure(error);
  if (code === 'NoSuchBucket')
    return new MeasurementError(
      `Cannot ${what}: there is no bucket ${bucket}.`,
      'Check the input s3-bucket and the account of the role.',
      [{ what: action, state: 'failed', found: 'NoSuchBucket (HTTP 404)' }],
      { cause: error },
    );
  if (code === 'PermanentRedirect' || code === 'AuthorizationHeaderMalformed')
    return new MeasurementError(
      `Cannot ${what}: the bucket ${bucket} is in another region than the function.`,
      'Publish snapshots to a bucket in the region of the function.',
      [{ what: action, state: 'failed', found: code }],
      { cause: error },
    );
  return explainAwsError(error, what, action);
}

/**
 * Those of `after` that were written since `before` was listed: new keys, or other content under a rolling slot's key.
 * Compares what S3 says with what S3 said, so no clock is involved.
 */
export function publishedSince(before: ListedSnapshot[], after: ListedSnapshot[]): ListedSnapshot[] {
  const known = new Map(before.map(({ key, etag, lastModifiedMs }) => [key, `${etag} ${lastModifiedMs}`]));
  return after.filter(({ key, etag, lastModifiedMs }) => known.get(key) !== `${etag} ${lastModifiedMs}`);
}

/**
 * Downloads and decodes snapshots, each exactly as listed (`If-Match`). What cannot be read is skipped with a reason;
 * so is a snapshot of another run or another function of the same stack, silently: it is fine, but not ours.
 * @param run only windows of this run are taken, and windows that name none
 */
export async function downloadSnapshots(
  s3: Pick<S3Client, 'send'>,
  source: SnapshotSource,
  listed: ListedSnapshot[],
  run: string,
  functionName: string,
): Promise<Collected> {
  const snapshots: Snapshot[] = [];
  const skipped: SkippedObject[] = [];
  const queue = [...listed];
  const worker = async (): Promise<void> => {
    for (let object = queue.shift(); object; object = queue.shift()) {
      const result = await downloadSnapshot(s3, source.bucket, object);
      if ('reason' in result) skipped.push(result);
      else if (!result.window || (result.window.run === run && result.window.function === functionName))
        snapshots.push(result);
    }
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, worker));
  const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);
  return { snapshots: snapshots.sort(byKey), skipped: skipped.sort(byKey) };
}

async function downloadSnapshot(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  object: ListedSnapshot,
): Promise<Snapshot | SkippedObject> {
  const bytes = await fetchSnapshotBytes(s3, bucket, object);
  if ('reason' in bytes) return bytes;
  try {
    const profile = decodeProfile(bytes);
    const window = parseWindow(profile.comments);
    return { ...object, profile, ...(window && { window }) };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return { key: object.key, reason: error.message };
  }
}

/** The bytes of a snapshot exactly as it was listed (`If-Match`), or why they are not read. */
export async function fetchSnapshotBytes(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  object: ListedSnapshot,
): Promise<Uint8Array | SkippedObject> {
  const skip = (reason: string): SkippedObject => ({ key: object.key, reason });
  if (object.bytes === 0) return skip('it is empty');
  if (object.bytes > DEFAULT_LIMITS.compressedBytes)
    return skip(`it has ${object.bytes} bytes, and at most ${DEFAULT_LIMITS.compressedBytes} are read`);
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: object.key, IfMatch: object.etag }));
    return await answer.Body!.transformToByteArray();
  } catch (error) {
    const { status } = readAwsFailure(error);
    if (status === 412 || status === 404) return skip('it was overwritten while it was read');
    throw explainBucketError(error, `read s3://${bucket}/${object.key}`, 's3:GetObject', bucket);
  }
}

export interface AwaitPlan {
  source: SnapshotSource;
  before: ListedSnapshot[];
  run: string;
  functionName: string;
  /** Instances that took part, by their reported inits: when so many have published, nothing more is awaited. */
  instances: number;
  timeoutMs: number;
}

const PULSE_EVERY_MS = 5_000;
const MAX_ROUNDS_OF_OVERWRITES = 3;

/**
 * Collects from producers that do not speak the run protocol (Sparta's loop, any pprof writer): their timers only run
 * while an invocation does, so `pulse` keeps the instances busy until each has published, or the time is over.
 */
export async function awaitSnapshots(
  s3: Pick<S3Client, 'send'>,
  plan: AwaitPlan,
  pulse: () => Promise<unknown>,
  clock: Clock,
): Promise<Collected> {
  const deadlineMs = clock.monotonicMs() + plan.timeoutMs;
  for (;;) {
    const published = publishedSince(plan.before, await listSnapshots(s3, plan.source));
    const complete = new Set(published.map(({ instance }) => instance)).size >= plan.instances;
    if (complete || clock.monotonicMs() >= deadlineMs)
      return downloadSnapshots(s3, plan.source, published, plan.run, plan.functionName);
    const started = clock.monotonicMs();
    await pulse();
    await clock.sleep(
      Math.max(0, Math.min(PULSE_EVERY_MS - (clock.monotonicMs() - started), deadlineMs - clock.monotonicMs())),
    );
  }
}

/**
 * Collects what agents said they published. S3 lists what it has stored at once, so one pass is enough; only a slot
 * overwritten between listing and reading is listed and read again.
 */
export async function collectSnapshots(
  s3: Pick<S3Client, 'send'>,
  plan: Omit<AwaitPlan, 'instances' | 'timeoutMs'>,
): Promise<Collected> {
  let collected: Collected = { snapshots: [], skipped: [] };
  for (let round = 0; round < MAX_ROUNDS_OF_OVERWRITES; round++) {
    const published = publishedSince(plan.before, await listSnapshots(s3, plan.source));
    collected = await downloadSnapshots(s3, plan.source, published, plan.run, plan.functionName);
    if (!collected.skipped.some(({ reason }) => reason.includes('overwritten'))) break;
  }
  return collected;
}
