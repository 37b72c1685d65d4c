import type { S3Client } from '@aws-sdk/client-s3';
import type { TrendPoint } from '../report/summary.ts';
import type { Manifest } from './recording.ts';
import { fetchManifest, type RecordingPlace } from './store.ts';

/** Manifests looked for: one request each, all at once. */
const MOST_POINTS = 20;

/**
 * CPU per invocation of the latest recordings among `commits`, oldest first. A trend is decoration: what cannot be read
 * is left out and counted.
 * @param commits newest first
 */
export async function fetchTrend(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace,
  commits: readonly string[],
): Promise<{ points: TrendPoint[]; unreadable: number }> {
  const latest = commits.slice(0, MOST_POINTS);
  const found = await Promise.allSettled(latest.map((commit) => fetchManifest(s3, place, commit)));
  const points = found.flatMap((one) =>
    one.status === 'fulfilled' && one.value ? (computeTrendPoint(one.value) ?? []) : [],
  );
  return { points: points.reverse(), unreadable: found.filter(({ status }) => status === 'rejected').length };
}

/** CPU per invocation over all instances that told theirs; undefined when none did. */
export function computeTrendPoint({
  commit,
  instances,
}: Pick<Manifest, 'commit' | 'instances'>): TrendPoint | undefined {
  const told = instances.filter(({ cpuMs }) => cpuMs !== null);
  const invocations = told.reduce((sum, instance) => sum + instance.invocations, 0);
  if (invocations === 0) return undefined;
  const cpuMs = told.reduce((sum, instance) => sum + instance.cpuMs!, 0);
  return { commit, cpuMsPerInvocation: cpuMs / invocations };
}
