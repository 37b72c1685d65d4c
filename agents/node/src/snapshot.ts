import type { ProfileType, Settings } from './settings.ts';
import { cpuMs, quantile, round, type Window } from './window.ts';

export const AGENT = 'lambda-profile-node/0.1.0';

/** Why a window ended. */
export type Reason = 'flush' | 'count' | 'run-change';

/** What all profiles of one publish have in common. */
export interface SnapshotFacts {
  readonly window: Window;
  /** From 0 per instance; shared by all types of one publish. */
  readonly sequence: number;
  readonly reason: Reason;
  readonly engine: string;
  readonly flags: readonly string[];
  readonly arch: string;
  /** Node.js version, for example `v24.21.0`. */
  readonly nodeVersion: string;
}

/** Objects of one type that an instance keeps; Sparta's rolling window. */
const SLOTS = 3;

/** The object key of a snapshot, readable by Sparta: `{prefix}/{stack}/profiles/{type}/{slot}-{type}.{instance}.profile`. */
export function snapshotKey(settings: Settings, type: ProfileType, sequence: number): string {
  const { prefix, stack, instance } = settings;
  return `${prefix}/${stack}/profiles/${type}/${sequence % SLOTS}-${type}.${instance}.profile`;
}

/**
 * The pprof comment every snapshot carries, `lambda-profile:{json}`. It is authoritative: unlike object metadata it
 * stays with the file wherever it is copied, and survives a merge by any pprof tool. No run and no commit are ''.
 */
export function snapshotComment(settings: Settings, facts: SnapshotFacts): string {
  const { window, sequence } = facts;
  const json = {
    v: 1,
    run: window.run ?? '',
    function: settings.function.name,
    functionVersion: settings.function.version,
    commit: window.commit ?? '',
    instance: settings.instance,
    sequence,
    slot: sequence % SLOTS,
    reason: facts.reason,
    invocations: { n: window.invocations, errors: window.errors, cold: window.cold },
    time: {
      start: Math.round(window.startMs),
      end: Math.round(window.endMs),
      activeMs: round(window.activeMs),
      cpuMs: cpuMs(window),
      p50Ms: round(quantile(window.durationsMs, 0.5)),
      p90Ms: round(quantile(window.durationsMs, 0.9)),
      p95Ms: round(quantile(window.durationsMs, 0.95)),
    },
    allocatedBytes: window.invocations > 0 ? Math.round(window.allocatedBytes) : null,
    memoryMb: settings.function.memoryMb,
    arch: facts.arch,
    runtime: settings.function.runtime,
    language: `node ${facts.nodeVersion}`,
    agent: AGENT,
    engine: facts.engine,
    intervalUs: settings.intervalUs,
    flags: facts.flags,
    kind: 'delta',
  };
  return `lambda-profile:${JSON.stringify(json)}`;
}

/** The essentials again as S3 user metadata, readable with HEAD; names without the `x-amz-meta-` prefix, ASCII. */
export function snapshotMetadata(settings: Settings, facts: SnapshotFacts): Record<string, string> {
  const { window } = facts;
  const values: Record<string, string | number | null> = {
    v: 1,
    run: window.run,
    function: settings.function.name,
    version: settings.function.version,
    commit: window.commit,
    instance: settings.instance,
    sequence: facts.sequence,
    invocations: window.invocations,
    'cpu-ms': cpuMs(window),
    reason: facts.reason,
  };
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    // An empty header is dropped by some proxies, which breaks the signature: leave it out.
    if (value === null || value === '') continue;
    metadata[`lambda-profile-${name}`] = String(value).replace(/[^\x20-\x7e]/g, '?');
  }
  return metadata;
}
