import * as z from 'zod';
import type { Profile } from '../pprof/columns.ts';
import { mergeProfiles, subtractProfile } from '../pprof/merge.ts';
import type { SnapshotKey } from './layout.ts';

const name = z.string().max(256);
const quantity = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
/** '' when it is not known; null says the same. */
const identifier = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{0,64}$/)
  .nullish()
  .transform((id) => id ?? '');

const windowSchema = z.object({
  v: z.literal(1),
  run: identifier,
  function: name,
  functionVersion: name,
  commit: identifier,
  instance: name,
  sequence: quantity,
  reason: name,
  invocations: z.object({ n: quantity, errors: quantity, cold: quantity }),
  time: z.object({
    start: quantity,
    end: quantity,
    activeMs: quantity,
    cpuMs: quantity,
    p50Ms: quantity.optional(),
    p90Ms: quantity.optional(),
    p95Ms: quantity.optional(),
  }),
  allocatedBytes: quantity.nullish(),
  memoryMb: quantity,
  arch: name,
  runtime: name,
  language: name,
  agent: name,
  engine: name,
  intervalUs: quantity,
  flags: z.array(name).max(20),
  kind: z.enum(['delta', 'cumulative']).optional(),
});

/** What an agent writes of a window into the snapshot itself: one pprof comment, `lambda-profile:{json}`. */
export type Window = z.infer<typeof windowSchema>;

const COMMENT = 'lambda-profile:';
const MAX_COMMENT = 16 * 1024;

/** The window of a snapshot, or undefined for a producer that writes none (or nonsense: the file is untrusted). */
export function parseWindow(comments: readonly string[]): Window | undefined {
  const comment = comments.find((text) => text.startsWith(COMMENT));
  if (comment === undefined || comment.length > MAX_COMMENT) return undefined;
  try {
    const parsed = windowSchema.safeParse(JSON.parse(comment.slice(COMMENT.length)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The windows of a profile that many snapshots were merged into: all that its comments tell of. */
export function parseWindows(comments: readonly string[]): Window[] {
  return comments.flatMap((comment) => parseWindow([comment]) ?? []);
}

/** One published pprof file of one window of one instance. */
export interface Snapshot extends SnapshotKey {
  etag: string;
  lastModifiedMs: number;
  bytes: number;
  window?: Window;
  /** One that was downloaded is decoded each time it is asked for: hundreds of them in columns fill a runner's memory. */
  readonly profile: Profile;
}

/** Counters since the start of the process; a window's worth is the difference of two readings. */
const COUNTERS = new Set(['alloc_objects', 'alloc_space', 'contentions', 'delay']);
/** States: only the latest says anything. */
const GAUGES = new Set(['inuse_objects', 'inuse_space', 'goroutine', 'threadcreate']);

/** All that one instance did in the run, as one profile per type. */
export interface FoldedInstance {
  instance: string;
  windows: number;
  /** Folded when it is asked for: take one instance after another. */
  readonly profile: Profile;
}

/**
 * Folds the snapshots of one type into one profile per instance, column by column: windows (cpu, wall) are summed,
 * cumulative counters are last minus first, counters of a window are summed, gauges are the latest.
 * Summing everything, as a plain merge does, counts a heap two to three times.
 * A snapshot read twice (same instance and sequence) counts once.
 */
export function foldSnapshots(snapshots: Snapshot[]): FoldedInstance[] {
  const byInstance = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    const id = instanceOf(snapshot);
    const known = byInstance.get(id);
    if (known) known.push(snapshot);
    else byInstance.set(id, [snapshot]);
  }
  return [...byInstance]
    .map(([instance, all]) => {
      const windows = withoutRepeats(inOrder(all));
      return {
        instance,
        windows: windows.length,
        get profile() {
          return foldInstance(windows);
        },
      };
    })
    .sort((a, b) => (a.instance < b.instance ? -1 : 1));
}

/** The agent's own word for the instance, else what the key says. */
export function instanceOf(snapshot: Snapshot): string {
  return snapshot.window?.instance ?? snapshot.instance;
}

function inOrder(snapshots: Snapshot[]): Snapshot[] {
  if (snapshots.length === 1) return snapshots;
  const timed = snapshots.map((snapshot) => ({
    snapshot,
    timeNanos: snapshots.every(({ window }) => window) ? 0n : snapshot.profile.timeNanos,
  }));
  return timed
    .sort(({ snapshot: a, timeNanos: timeA }, { snapshot: b, timeNanos: timeB }) => {
      if (a.window && b.window) return a.window.sequence - b.window.sequence;
      if (timeA !== timeB) return timeA < timeB ? -1 : 1;
      return a.lastModifiedMs - b.lastModifiedMs || a.slot - b.slot;
    })
    .map(({ snapshot }) => snapshot);
}

function withoutRepeats(snapshots: Snapshot[]): Snapshot[] {
  const seen = new Set<string>();
  return snapshots.filter(({ window, etag }) => {
    const id = window ? `sequence ${window.sequence}` : etag;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

function foldInstance(snapshots: Snapshot[]): Profile {
  const { profile: last, window } = snapshots.at(-1)!;
  if (snapshots.length === 1) return last;
  const types = last.sampleTypes.map(({ type }) => type);
  const counters = types.filter((type) => COUNTERS.has(type));
  const gauges = types.filter((type) => GAUGES.has(type));
  // A producer that says nothing publishes what its runtime counts, and runtimes count from the start.
  if (counters.length > 0 && window?.kind !== 'delta')
    return subtractProfile(last, snapshots[0]!.profile, counters).profile;
  if (gauges.length === types.length) return last;
  const earlier = snapshots
    .slice(0, -1)
    .map(({ profile }) => (gauges.length > 0 ? subtractProfile(profile, profile, gauges).profile : profile));
  return mergeProfiles([...earlier, last]);
}
