import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { MeasurementError } from '../errors.ts';
import type { Profile } from '../pprof/columns.ts';
import { mergeProfiles } from '../pprof/merge.ts';
import {
  downloadSnapshot,
  explainBucketError,
  type ListedSnapshot,
  listSnapshots,
  type SkippedObject,
  type SnapshotSource,
} from '../snapshots/collect.ts';
import { PROFILE_TYPES, type ProfileType } from '../snapshots/layout.ts';
import { type FoldedInstance, foldSnapshots, type Snapshot } from '../snapshots/window.ts';
import { counted, inert, type Shell } from './shell.ts';
import { type CachedProfile, type CachePlace, cacheKey, readCached, writeCached } from './snapshot-cache.ts';

const MOST_STACKS = 1000;

/** Names of the stacks that have anything below the prefix. */
export async function listStacks(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const root = `${prefix}/`;
  try {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: root, Delimiter: '/', MaxKeys: MOST_STACKS }),
    );
    return (page.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix?.slice(root.length, -1) || []);
  } catch (error) {
    throw explainBucketError(error, `list s3://${bucket}/${root}`, 's3:ListBucket', bucket);
  }
}

/** The snapshots of a stack by type: only types of which there are any. */
export async function listTypes(
  s3: S3Client,
  source: Omit<SnapshotSource, 'types'>,
): Promise<Map<ProfileType, ListedSnapshot[]>> {
  const listed = await listSnapshots(s3, { ...source, types: [...PROFILE_TYPES] });
  const types = new Map<ProfileType, ListedSnapshot[]>();
  for (const type of PROFILE_TYPES) {
    const some = listed.filter((snapshot) => snapshot.type === type && snapshot.bytes > 0);
    if (some.length > 0) types.set(type, some);
  }
  return types;
}

/**
 * The snapshots as one profile: folded per instance as their type demands, then merged. What was downloaded before with
 * the same content is not downloaded again.
 * @throws MeasurementError if none of them can be read
 */
export async function foldedProfile(
  s3: S3Client,
  place: CachePlace,
  listed: ListedSnapshot[],
  shell: Shell,
): Promise<CachedProfile> {
  const key = cacheKey(listed);
  const known = readCached(place, key);
  if (known) return known;
  const { bucket, stack, functionName, functionVersion } = place;
  shell.say(`Downloading ${counted(listed.length, 'snapshot')} …`);
  const { snapshots, skipped } = await downloadAll(s3, bucket, listed);
  for (const { key, reason } of skipped) shell.say(`Skipped ${inert(key)}: ${inert(reason)}`);
  const wanted = snapshots.filter(
    ({ window }) =>
      (functionName === '' || window?.function === functionName) &&
      (functionVersion === '' || window?.functionVersion === functionVersion),
  );
  if (wanted.length === 0)
    throw new MeasurementError(
      `Cannot use any of ${counted(listed.length, 'snapshot')} of ${stack}${functionName ? ` for ${functionName}` : ''}: ${skipped[0]?.reason ?? 'they are of other functions or versions'}.`,
      'Check the stack, --function and --qualifier; `lambda-profile doctor FUNCTION` tells why a function publishes nothing.',
    );
  const instances = foldSnapshots(wanted);
  const windows = wanted.flatMap(({ window }) => window ?? []);
  return writeCached(place, key, mergeProfiles(profilesOf(instances)), {
    schemaVersion: 2,
    downloadedMs: shell.clock.nowMs(),
    listed: listed.length,
    merged: wanted.length,
    skipped: skipped.length,
    instances: instances.length,
    invocations: windows.reduce((sum, { invocations }) => sum + invocations.n, 0),
    functions: [...new Set(windows.map((window) => window.function))].sort(),
    versions: [...new Set(windows.map((window) => `${window.function}:${window.functionVersion}`))].sort(),
  });
}

function* profilesOf(instances: FoldedInstance[]): Generator<Profile> {
  for (const { profile } of instances) yield profile;
}

const DOWNLOADS_AT_ONCE = 8;

async function downloadAll(s3: S3Client, bucket: string, listed: ListedSnapshot[]) {
  const results: (Snapshot | SkippedObject)[] = [];
  const queue = [...listed];
  const worker = async (): Promise<void> => {
    for (let object = queue.shift(); object; object = queue.shift())
      results.push(await downloadSnapshot(s3, bucket, object));
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, worker));
  results.sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    snapshots: results.flatMap((result) => ('profile' in result ? result : [])),
    skipped: results.flatMap((result) => ('reason' in result ? result : [])),
  };
}
