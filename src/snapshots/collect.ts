import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { explainAwsError, readAwsFailure } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import { DEFAULT_LIMITS, decodeProfile, ProfileError } from '../pprof/decode.ts';
import { fetchObject } from '../s3-object.ts';
import { settleAll } from '../settle.ts';
import { type ProfileType, parseSnapshotKey, type SnapshotKey, snapshotPrefix } from './layout.ts';
import { instanceOf, parseWindow, type Snapshot, type Window } from './window.ts';

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
  /** It was written again between listing and reading: list and read once more. */
  overwritten?: true;
}

export interface Collected {
  snapshots: Snapshot[];
  skipped: SkippedObject[];
  /** Other runs of the same function whose windows were published meanwhile. */
  otherRuns: string[];
  /** Sentences a reader must know. */
  warnings: string[];
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
    // Some proxy may answer with a page of its own, in which the SDK finds no objects.
    if (page.Name === undefined && page.KeyCount === undefined)
      throw explainAwsError(
        Object.assign(new Error('it is no listing'), { $metadata: { httpStatusCode: 200 } }),
        `list s3://${source.bucket}/${root}`,
        's3:ListBucket',
      );
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

/** What is wanted: everything written since `before` was listed. */
export interface CollectPlan {
  source: SnapshotSource;
  before: ListedSnapshot[];
  run: string;
  functionName: string;
  /** Tells windows of two versions apart that are measured at once, when the agent was not told of a run. */
  functionVersion?: string;
}

const MAX_ROUNDS_OF_OVERWRITES = 3;

/**
 * Collects what agents said they published. S3 lists what it has stored at once, so one pass is enough; only a slot
 * overwritten between listing and reading is listed and read again. Snapshots of another run, of another function of
 * the stack, and of producers that name neither are fine, but not ours.
 */
export async function collectSnapshots(s3: Pick<S3Client, 'send'>, plan: CollectPlan): Promise<Collected> {
  return readPublished(
    s3,
    plan,
    (window) => window?.run === plan.run && window.function === plan.functionName,
    await listPublished(s3, plan),
  );
}

async function listPublished(s3: Pick<S3Client, 'send'>, plan: CollectPlan): Promise<ListedSnapshot[]> {
  return publishedSince(plan.before, await listSnapshots(s3, plan.source));
}

/** Reads what was listed, each object exactly so (`If-Match`); what was overwritten meanwhile is listed and read again. */
async function readPublished(
  s3: Pick<S3Client, 'send'>,
  plan: CollectPlan,
  isWanted: (window: Window | undefined) => boolean,
  published: ListedSnapshot[],
): Promise<Collected> {
  const read = new Map<string, Snapshot | SkippedObject>();
  const idOf = ({ key, etag }: ListedSnapshot): string => `${key} ${etag}`;
  let current = published;
  for (let round = 1; ; round++) {
    const queue = current.filter((object) => !read.has(idOf(object)));
    const worker = async (): Promise<void> => {
      for (let object = queue.shift(); object; object = queue.shift())
        read.set(idOf(object), await downloadSnapshot(s3, plan.source.bucket, object));
    };
    await settleAll(Array.from({ length: DOWNLOADS_AT_ONCE }, worker));
    const overwritten = [...read.values()].some((result) => 'overwritten' in result);
    if (!overwritten || round === MAX_ROUNDS_OF_OVERWRITES) break;
    for (const [id, result] of read) if ('overwritten' in result) read.delete(id);
    current = await listPublished(s3, plan);
  }
  const results = [...read.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    snapshots: results.flatMap((result) => ('profile' in result && isWanted(result.window) ? result : [])),
    skipped: results.flatMap((result) => ('reason' in result ? result : [])),
    otherRuns: results.flatMap((result) => ('profile' in result ? (otherRunOf(result, plan) ?? []) : [])),
    warnings: [],
  };
}

function otherRunOf({ window }: Snapshot, { run, functionName }: CollectPlan): string | undefined {
  return window && window.function === functionName && window.run !== '' && window.run !== run ? window.run : undefined;
}

/** A snapshot exactly as it was listed, or why it cannot be used. */
export async function downloadSnapshot(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  object: ListedSnapshot,
): Promise<Snapshot | SkippedObject> {
  const bytes = await fetchSnapshotBytes(s3, bucket, object);
  if ('reason' in bytes) return bytes;
  try {
    const window = parseWindow(decodeProfile(bytes).comments);
    return {
      ...object,
      ...(window && { window }),
      get profile() {
        return decodeProfile(bytes);
      },
    };
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
    return await fetchObject(s3, { Bucket: bucket, Key: object.key, IfMatch: object.etag });
  } catch (error) {
    const { status } = readAwsFailure(error);
    if (status === 412 || status === 404)
      return { ...skip('it was overwritten each time it was read'), overwritten: true };
    throw explainBucketError(error, `read s3://${bucket}/${object.key}`, 's3:GetObject', bucket);
  }
}

export interface AwaitPlan extends CollectPlan {
  /** Instances that took part, by their reported inits: when so many have published, nothing more is awaited. */
  instances: number;
  timeoutMs: number;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Collects from producers that do not speak the run protocol (Sparta's loop, any pprof writer): their timers only run
 * while an invocation does, so `pulse` keeps the instances busy until each has published, and a further pulse brings
 * nothing from anyone who had not published that type before (types are written one by one), or the time is over.
 * @param stop of a cancelled job: takes what is there
 */
export async function awaitSnapshots(
  s3: Pick<S3Client, 'send'>,
  plan: AwaitPlan,
  pulse: () => Promise<unknown>,
  clock: Clock,
  stop?: AbortSignal,
): Promise<Collected> {
  const deadlineMs = clock.monotonicMs() + plan.timeoutMs;
  let known = '';
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const published = await listPublished(s3, plan);
    const publishers = new Set(published.map(({ instance }) => instance)).size;
    const state = [...new Set(published.map(({ instance, type }) => `${type} ${instance}`))].sort().join('\n');
    const isSettled = publishers >= plan.instances && state === known;
    if (isSettled || stop?.aborted || clock.monotonicMs() >= deadlineMs) {
      const isWanted = (window: Window | undefined): boolean =>
        !window || (window.function === plan.functionName && (window.run === plan.run || isOfVersion(window, plan)));
      const collected = await readPublished(s3, plan, isWanted, published);
      return { ...collected, warnings: coverageWarnings(collected, plan) };
    }
    known = state;
    await pulse();
    await clock.sleep(Math.max(0, Math.min(pauseMs, deadlineMs - clock.monotonicMs())));
  }
}

/** Of no run, but of the version, as far as one knows. */
function isOfVersion({ run, functionVersion }: Window, plan: CollectPlan): boolean {
  return run === '' && ['', plan.functionVersion ?? functionVersion].includes(functionVersion);
}

/** How much of the run such snapshots tell of. */
function coverageWarnings({ snapshots }: Collected, { instances, timeoutMs }: AwaitPlan): string[] {
  const publishers = new Set(snapshots.map(instanceOf)).size;
  const warnings: string[] = [];
  if (publishers > 0 && publishers < instances)
    warnings.push(
      `Only ${publishers} of ${instances} instances published within ${Math.round(timeoutMs / 1000)} s; the profiles are of these. Raise wait-timeout.`,
    );
  if (snapshots.some(({ window }) => !window))
    warnings.push(
      'The snapshots do not say how many invocations they cover: values per invocation assume that the windows found, at most three of an instance, cover all of them.',
    );
  return warnings;
}
