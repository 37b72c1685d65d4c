import type { MetricId, OwnerKind } from './compare/comparison.ts';
import { limitsOfFunction, limitsOfMetric } from './compare/limits.ts';
import type { Outcome } from './gate.ts';
import { matchSources } from './github/sources.ts';
import type { OwnCode } from './pprof/frames.ts';
import type { Manifest, Recording } from './recordings/recording.ts';
import { costOf, invocationsOf, weighRecording } from './recordings/side.ts';
import type { MeasuredSide, Report, Repository } from './report/report.ts';
import type { Settings } from './settings.ts';
import { TOOL } from './version.ts';

/** What a report says besides the outcome: where and for whom the gate ran. */
export interface ReportSurroundings {
  commit: string;
  changedFiles: string[];
  /** Paths of the repository at the measured commit, as far as they are known: for links to the code. */
  headFiles: string[];
  /** The same at the base commit, where the code of functions that are gone can be read. */
  baseFiles?: string[];
  repository?: Repository;
  pullRequest?: number;
  run?: { id: number; attempt: number; url: string };
  files: Report['files'];
  calls?: NonNullable<Report['calls']>;
  timings: Report['timings'];
}

const HOTTEST = 20;

/** Limits of the metrics for which the policy has their own. */
function metricBudgets(settings: Settings): Pick<Report['budget'], 'metrics'> {
  const { metricLimits, budgets } = settings.policy;
  const ids = [...new Set([...Object.keys(metricLimits), ...Object.keys(budgets)])] as MetricId[];
  if (ids.length === 0) return {};
  const limits = ids.map((id) => {
    const most = budgets[id];
    return [id, { ...limitsOfMetric(id, { ...settings, ...settings.policy }), ...(most !== undefined && { most }) }];
  });
  return { metrics: Object.fromEntries(limits) };
}

/** Limits of the functions that changed, where a rule of the policy gives them their own. */
function functionBudgets(settings: Settings, comparison: Outcome['comparison']): Pick<Report['budget'], 'functions'> {
  const { functionRules } = settings.policy;
  const own = (comparison?.functions ?? [])
    .filter(({ key, display, change }) => {
      const rule = functionRules.find(({ match }) => match.test(key) || match.test(display));
      return rule !== undefined && change !== 'unchanged';
    })
    .flatMap((changed) => {
      const limits = limitsOfFunction(changed, { ...settings, ...settings.policy });
      return limits === undefined
        ? []
        : [[changed.key, { fail: limits.fail, warn: limits.warn, least: limits.minDeltaMs }] as const];
    });
  return own.length === 0 ? {} : { functions: Object.fromEntries(own) };
}

/** The one value that every surface renders. */
export function createReport(outcome: Outcome, settings: Settings, surroundings: ReportSurroundings): Report {
  const { head, baseline, comparison } = outcome;
  const { headFiles, baseFiles, ...told } = surroundings;
  const hottest = head ? hottestFunctions(head, settings.policy.ownCode) : [];
  const paths = [...hottest, ...(comparison?.functions ?? [])].map(({ file }) => file).filter(Boolean);
  const gone = (comparison?.functions ?? []).filter(({ presence }) => presence === 'gone').map(({ file }) => file);
  return {
    schemaVersion: 1,
    tool: TOOL,
    key: settings.key ? `${settings.function.name}/${settings.key}` : settings.function.name,
    functionName: settings.function.name,
    verdict: outcome.verdict,
    ...(head && { head: measuredSide(head, settings) }),
    ...(baseline && {
      base: { ...measuredSide(baseline.recording, settings), distance: baseline.distance, relation: baseline.relation },
    }),
    ...(comparison && { comparison }),
    hottest,
    differences: outcome.differences,
    budget: {
      failThreshold: settings.failThreshold,
      warnThreshold: settings.warnThreshold,
      minDeltaMs: settings.minDeltaMs,
      ...metricBudgets(settings),
      ...functionBudgets(settings, comparison),
    },
    top: settings.top,
    sources: matchSources(paths, headFiles, surroundings.changedFiles),
    ...(baseFiles && { baseSources: matchSources(gone.filter(Boolean), baseFiles, surroundings.changedFiles) }),
    ...(settings.pageUrl && { pageUrl: settings.pageUrl }),
    ...told,
    warnings: outcome.warnings,
  };
}

function measuredSide({ manifest }: Recording, { monthlyInvocations }: Settings): MeasuredSide {
  const { fingerprint, load } = manifest;
  const reports = reportsOf(manifest);
  const cost = costOf(manifest, monthlyInvocations);
  return {
    commit: manifest.commit,
    functionVersion: manifest.functionVersion,
    measuredAt: manifest.measuredAt,
    instances: manifest.instances.map((instance) => ({
      id: instance.id,
      invocations: instance.invocations,
      errors: instance.errors,
      cpuMsPerInvocation: instance.cpuMs === null ? Number.NaN : instance.cpuMs / Math.max(1, instance.invocations),
      durationP50Ms: instance.durationP50Ms ?? Number.NaN,
      windows: instance.windows,
      cold: instance.cold,
      ...known({
        durationP90Ms: instance.durationP90Ms,
        durationP95Ms: instance.durationP95Ms,
        billedMeanMs: instance.billedMeanMs,
        initMs: instance.initMs,
        maxMemoryMb: instance.maxMemoryMb,
        allocatedBytesPerInvocation:
          instance.allocatedBytes === null ? null : instance.allocatedBytes / Math.max(1, instance.invocations),
      }),
    })),
    ...(reports && { reports }),
    ...(cost && { cost }),
    invocations: {
      sent: load.sent,
      succeeded: load.succeeded,
      failed: load.failed,
      throttled: load.throttled,
      ambiguous: load.ambiguous,
      cold: load.coldStarts,
    },
    environment: {
      memoryMb: fingerprint.memoryMb,
      architecture: fingerprint.architecture,
      runtime: fingerprint.runtime,
      region: fingerprint.region,
      language: fingerprint.language,
      agent: fingerprint.agent,
      intervalUs: fingerprint.intervalUs,
    },
  };
}

function reportsOf({ reports, load }: Manifest): MeasuredSide['reports'] {
  const { count, durationP50Ms, durationP90Ms, billedMeanMs, firstBreach } = reports;
  if (durationP50Ms === null || durationP90Ms === null || billedMeanMs === null) return undefined;
  const initMs = [...reports.initMs].sort((a, b) => a - b);
  const answered = load.succeeded + load.failed;
  return {
    count,
    durationP50Ms,
    durationP90Ms,
    billedMeanMs,
    coldShare: answered > 0 ? (load.coldInvocations ?? 0) / answered : 0,
    inits: load.coldStarts,
    billedBreaches: reports.billedBreaches ?? 0,
    ...(firstBreach && { firstBreach }),
    ...known({
      durationP95Ms: reports.durationP95Ms,
      durationP99Ms: reports.durationP99Ms,
      latencyP50Ms: reports.latencyP50Ms,
      latencyP95Ms: reports.latencyP95Ms,
      initP50Ms: initMs[(initMs.length - 1) >> 1],
      initMaxMs: initMs.at(-1),
      maxMemoryMb: reports.maxMemoryMb,
    }),
  };
}

/** The values that are known. */
function known<Name extends string>(values: Record<Name, number | null | undefined>): Partial<Record<Name, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as Partial<
    Record<Name, number>
  >;
}

/** The functions a recording spends most CPU in, own code before the rest. */
function hottestFunctions(recording: Recording, ownCode: OwnCode | undefined): Report['hottest'] {
  const weights = weighRecording(recording, ownCode);
  const invocations = invocationsOf(recording);
  if (!weights || invocations === 0) return [];
  const nanos = weights.owners.map((_, i) => weights.counts.reduce((sum, group) => sum + group[i]!, 0));
  const total = nanos.reduce((sum, value) => sum + value, 0);
  return weights.owners
    .map(({ display, kind, file, line }, i) => ({
      display,
      kind: kind as OwnerKind,
      file,
      line,
      nanosPerInvocation: nanos[i]! / invocations,
      share: total > 0 ? nanos[i]! / total : 0,
    }))
    .filter(({ nanosPerInvocation, kind }) => nanosPerInvocation > 0 && kind !== 'idle')
    .sort(
      (a, b) =>
        Number(b.kind === 'own') - Number(a.kind === 'own') ||
        b.nanosPerInvocation - a.nanosPerInvocation ||
        (a.display < b.display ? -1 : 1),
    )
    .slice(0, HOTTEST);
}
