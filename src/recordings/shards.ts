import type { S3Client } from '@aws-sdk/client-s3';
import { MeasurementError } from '../errors.ts';
import { mergeAccounts } from '../lambda/account.ts';
import type { Profile } from '../pprof/columns.ts';
import { mergeProfiles, withComments } from '../pprof/merge.ts';
import type { ProfileType } from '../snapshots/layout.ts';
import { differencesBetween } from './fingerprint.ts';
import { accountOf, loadOf, reportsOf } from './load-account.ts';
import type { InstanceAccount, Manifest, Recording } from './recording.ts';
import { fetchRecording, type RecordingPlace } from './store.ts';

/**
 * All shards of a commit that one workflow run stored, as one recording.
 * @param of how many there must be
 * @throws MeasurementError that names the shards that are missing, or what differs between them
 */
export async function fetchShards(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace,
  commit: string,
  workflowRun: string,
  of: number,
): Promise<Recording> {
  const indexes = Array.from({ length: of }, (_, i) => i + 1);
  const shards = await Promise.all(
    indexes.map((index) => fetchRecording(s3, { ...place, shard: { workflowRun, index, of } }, commit)),
  );
  const missing = indexes.filter((_, i) => shards[i] === undefined);
  if (missing.length > 0)
    throw new MeasurementError(
      `Cannot compare ${place.functionName} at ${commit.slice(0, 7)}: ${missing.length === 1 ? 'shard' : 'shards'} ${missing.join(', ')} of ${of} ${missing.length === 1 ? 'is' : 'are'} missing.`,
      'Look at the measuring jobs of this workflow run, run the failed ones again, and let this job need them.',
      indexes.map((index, i) => ({
        what: `Shard ${index} of ${of}`,
        state: shards[i] ? 'ok' : 'failed',
        found: shards[i] ? `${shards[i].manifest.load.sent} invocations` : 'no recording of this workflow run',
      })),
    );
  return (shards as Recording[]).reduce(mergeRecordings);
}

/**
 * Two recordings of the same version, measured apart, as one. Merging is associative, and the order of the parts does
 * not show. An instance that both saw has one account and one label.
 * @throws MeasurementError when they are of different code or environments
 */
export function mergeRecordings(a: Recording, b: Recording): Recording {
  refuseDifferent(a.manifest, b.manifest);
  // A shard whose instances were all flushed by another knows nothing of the agent.
  const lead = a.manifest.instances.length > 0 ? a : b;
  const profiles = new Map<ProfileType, Profile>();
  for (const type of [...new Set([...a.profiles.keys(), ...b.profiles.keys()])].sort()) {
    const parts = [a.profiles.get(type), b.profiles.get(type)].filter((part) => part !== undefined);
    const { comments } = parts[0]!;
    profiles.set(type, parts.length === 1 ? parts[0]! : withComments(mergeProfiles(parts), comments));
  }
  const account = mergeAccounts(accountOf(a.manifest), accountOf(b.manifest));
  const counted = [a, b].flatMap(({ manifest: { load } }) =>
    load.coverage === null ? [] : Math.round(load.coverage * (load.sent - load.throttled)),
  );
  const covered = counted.length > 0 ? counted.reduce((sum, count) => sum + count, 0) : undefined;
  return {
    manifest: {
      ...lead.manifest,
      run: [...new Set([a.manifest.run, b.manifest.run].flatMap((run) => run.split(',')))].sort().join(','),
      measuredAt: a.manifest.measuredAt > b.manifest.measuredAt ? a.manifest.measuredAt : b.manifest.measuredAt,
      profiles: [],
      instances: mergeInstances([...a.manifest.instances, ...b.manifest.instances]),
      load: loadOf(account, covered),
      reports: reportsOf(account),
      verdict: '',
    },
    profiles,
  };
}

function refuseDifferent(a: Manifest, b: Manifest): void {
  const known = a.instances.length > 0 && b.instances.length > 0;
  const differences = (known ? differencesBetween(a, b) : []).map(
    ({ field, base, head }) => `${field} ${base} and ${head}`,
  );
  if (a.functionVersion !== b.functionVersion || a.codeSha256 !== b.codeSha256)
    differences.unshift(
      a.functionVersion === b.functionVersion
        ? `other code under version ${a.functionVersion}`
        : `version ${a.functionVersion} and ${b.functionVersion}`,
    );
  if (differences.length === 0) return;
  throw new MeasurementError(
    `Cannot merge the shards of ${a.functionName} at ${a.commit.slice(0, 7)}: they measured different things (${differences.join('; ')}).`,
    'Deploy once before the measuring jobs, and give all of them the same version as qualifier.',
  );
}

function mergeInstances(accounts: readonly InstanceAccount[]): InstanceAccount[] {
  const byId = new Map<string, InstanceAccount>();
  for (const account of accounts) {
    const known = byId.get(account.id);
    byId.set(account.id, known ? mergeInstance(known, account) : account);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function mergeInstance(a: InstanceAccount, b: InstanceAccount): InstanceAccount {
  const mean = (x: number | null | undefined, y: number | null | undefined): number | null => {
    if (x == null || y == null) return x ?? y ?? null;
    return (x * a.invocations + y * b.invocations) / Math.max(1, a.invocations + b.invocations);
  };
  return {
    id: a.id,
    windows: a.windows + b.windows,
    invocations: a.invocations + b.invocations,
    errors: a.errors + b.errors,
    cold: a.cold + b.cold,
    cpuMs: sumOf(a.cpuMs, b.cpuMs),
    activeMs: sumOf(a.activeMs, b.activeMs),
    durationP50Ms: mean(a.durationP50Ms, b.durationP50Ms),
    durationP90Ms: mean(a.durationP90Ms, b.durationP90Ms),
    durationP95Ms: mean(a.durationP95Ms, b.durationP95Ms),
    billedMeanMs: mean(a.billedMeanMs, b.billedMeanMs),
    initMs: a.initMs ?? b.initMs ?? null,
    allocatedBytes: sumOf(a.allocatedBytes, b.allocatedBytes),
    maxMemoryMb: a.maxMemoryMb == null ? (b.maxMemoryMb ?? null) : Math.max(a.maxMemoryMb, b.maxMemoryMb ?? 0),
  };
}

/** In whole microseconds: sums of whole numbers do not depend on their order. Null when one part is not known. */
function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : (Math.round(a * 1000) + Math.round(b * 1000)) / 1000;
}
