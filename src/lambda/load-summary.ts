import { isCold, LATE_MS, latencyMs } from './account.ts';
import type { Invocation, InvocationStatus } from './invoke.ts';
import { addValue, createSketch, meanOf, middleOf, type QuantileSketch, quantileOf } from './quantile-sketch.ts';

/** Least, mean, quantiles and largest of a number of durations, in ms. */
export interface Spread {
  count: number;
  minMs: number;
  meanMs: number;
  p50Ms: number;
  p90Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** What the calls of a load came to. */
export interface LoadSummary {
  requests: number;
  /** Sent per second between the first and the last. */
  ratePerSecond: number;
  /** Successes per second until the last answer. */
  throughputPerSecond: number;
  /** From the first call to the last, and from then to the last answer, in ms. */
  attackMs: number;
  waitMs: number;
  /** Of the client, from the scheduled time. */
  latency: Spread | null;
  /** REPORT Duration and Billed Duration of warm calls. */
  duration: Spread | null;
  billed: Spread | null;
  coldStarts: number;
  init: Spread | null;
  maxMemoryMb: number;
  late: number;
  /** Attempts that Lambda refused. */
  throttled: number;
  /** Share of the calls that succeeded, 0..1. */
  success: number;
  statuses: Partial<Record<InvocationStatus, number>>;
  errorTypes: [string, number][];
  /** Latencies up to a limit, in ms; the last limit is Infinity. */
  histogram: { upToMs: number; count: number }[];
}

/** The calls of a load so far, in bounded memory. */
export interface LoadTally {
  latencyMs: QuantileSketch;
  durationMs: QuantileSketch;
  billedMs: QuantileSketch;
  initMs: QuantileSketch;
  statuses: LoadSummary['statuses'];
  errorTypes: Map<string, number>;
  requests: number;
  late: number;
  throttled: number;
  maxMemoryMb: number;
  /** Of the measured calls, in monotonic ms: when the first and the last left, and the last answer. */
  firstMs: number;
  lastMs: number;
  endMs: number;
}

export function createLoadTally(): LoadTally {
  return {
    latencyMs: createSketch(),
    durationMs: createSketch(),
    billedMs: createSketch(),
    initMs: createSketch(),
    statuses: {},
    errorTypes: new Map(),
    requests: 0,
    late: 0,
    throttled: 0,
    maxMemoryMb: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    endMs: Number.NEGATIVE_INFINITY,
  };
}

const MOST_ERROR_TYPES = 1_000;

/** Counts one call, in place. Of calls that are not measured, only starts and memory count. */
export function countCall(tally: LoadTally, invocation: Invocation): void {
  const { op, status, errorType = 'Unknown', attempts, report, ...when } = invocation;
  if (report && isCold(report)) addValue(tally.initMs, report.initDurationMs ?? report.restoreDurationMs ?? 0);
  if (report) tally.maxMemoryMb = Math.max(tally.maxMemoryMb, report.maxMemoryUsedMb);
  if (op !== 'invoke') return;
  tally.requests++;
  tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
  if (status !== 'succeeded' && (tally.errorTypes.has(errorType) || tally.errorTypes.size < MOST_ERROR_TYPES))
    tally.errorTypes.set(errorType, (tally.errorTypes.get(errorType) ?? 0) + 1);
  tally.throttled += status === 'throttled' ? attempts : attempts - 1;
  if (when.lateMs > LATE_MS) tally.late++;
  const firstSentMs = when.scheduledMs + when.lateMs;
  tally.firstMs = Math.min(tally.firstMs, firstSentMs);
  tally.lastMs = Math.max(tally.lastMs, firstSentMs);
  tally.endMs = Math.max(tally.endMs, when.receivedMs);
  if (status !== 'ambiguous' && status !== 'throttled') addValue(tally.latencyMs, latencyMs(invocation));
  if (report && !isCold(report)) {
    addValue(tally.durationMs, report.durationMs);
    addValue(tally.billedMs, report.billedDurationMs);
  }
}

export function summarizeLoad(tally: LoadTally): LoadSummary {
  const { requests, statuses } = tally;
  const attackMs = requests > 0 ? tally.lastMs - tally.firstMs : 0;
  const allMs = requests > 0 ? tally.endMs - tally.firstMs : 0;
  const succeeded = statuses.succeeded ?? 0;
  return {
    requests,
    ratePerSecond: attackMs > 0 ? ((requests - 1) / attackMs) * 1000 : 0,
    throughputPerSecond: allMs > 0 ? (succeeded / allMs) * 1000 : 0,
    attackMs,
    waitMs: Math.max(0, allMs - attackMs),
    latency: spreadOf(tally.latencyMs),
    duration: spreadOf(tally.durationMs),
    billed: spreadOf(tally.billedMs),
    coldStarts: tally.initMs.count,
    init: spreadOf(tally.initMs),
    maxMemoryMb: tally.maxMemoryMb,
    late: tally.late,
    throttled: tally.throttled,
    success: requests > 0 ? succeeded / requests : 0,
    statuses,
    errorTypes: [...tally.errorTypes].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 20),
    histogram: histogramOf(tally.latencyMs),
  };
}

function spreadOf(sketch: QuantileSketch): Spread | null {
  if (sketch.count === 0) return null;
  const at = (q: number): number => quantileOf(sketch, q)!;
  return {
    count: sketch.count,
    minMs: sketch.min,
    meanMs: meanOf(sketch)!,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: sketch.max,
  };
}

/** Limits people read easily: 1, 1.5, 2, 3, 5, 7, 10, 15 … ms, from a tenth of a millisecond to 15 minutes and more. */
const LIMITS_MS = Array.from({ length: 43 }, (_, i) =>
  Number(([1, 1.5, 2, 3, 5, 7][i % 6]! * 10 ** (Math.floor(i / 6) - 1)).toPrecision(3)),
);

function histogramOf(sketch: QuantileSketch): LoadSummary['histogram'] {
  if (sketch.count === 0) return [];
  const counts = new Array<number>(LIMITS_MS.length + 1).fill(0);
  for (const [bucket, count] of sketch.buckets) {
    const value = middleOf(bucket);
    const at = LIMITS_MS.findIndex((limit) => value <= limit);
    counts[at < 0 ? LIMITS_MS.length : at]! += count;
  }
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return counts.map((count, i) => ({ upToMs: LIMITS_MS[i] ?? Number.POSITIVE_INFINITY, count })).slice(first, last + 1);
}

const BAR = 40;

/** The summary as text in the manner of vegeta's report, with a histogram. Error types are untrusted: made printable. */
export function renderLoadSummary(summary: LoadSummary): string {
  const lines: [string, string, string][] = [
    [
      'Requests',
      '[total, rate, throughput]',
      `${summary.requests}, ${summary.ratePerSecond.toFixed(2)}/s, ${summary.throughputPerSecond.toFixed(2)}/s`,
    ],
    [
      'Time',
      '[total, attack, wait]',
      [summary.attackMs + summary.waitMs, summary.attackMs, summary.waitMs].map(shown).join(', '),
    ],
  ];
  const spread = (name: string, of: Spread | null): void => {
    if (!of) return;
    // The slowest percent of fewer than a thousand calls is a handful: it says nothing.
    const enough = of.count >= 1000;
    lines.push([
      name,
      `[min, mean, 50, 90, 95, ${enough ? '99, ' : ''}max]`,
      [of.minMs, of.meanMs, of.p50Ms, of.p90Ms, of.p95Ms, ...(enough ? [of.p99Ms] : []), of.maxMs]
        .map(shown)
        .join(', '),
    ]);
  };
  spread('Latencies', summary.latency);
  spread('Durations', summary.duration);
  spread('Billed', summary.billed);
  if (summary.init)
    lines.push([
      'Cold starts',
      '[count, mean, max]',
      `${summary.coldStarts}, ${shown(summary.init.meanMs)}, ${shown(summary.init.maxMs)}`,
    ]);
  if (summary.maxMemoryMb > 0) lines.push(['Memory', '[max]', `${summary.maxMemoryMb} MB`]);
  lines.push(['Success', '[ratio]', `${(summary.success * 100).toFixed(2)}%`]);
  lines.push([
    'Status',
    '[status:count]',
    Object.entries(summary.statuses)
      .map(([status, count]) => `${status}:${count}`)
      .join('  '),
  ]);
  if (summary.throttled > 0) lines.push(['Throttled', '[attempts]', String(summary.throttled)]);
  if (summary.late > 0) lines.push(['Late', `[more than ${LATE_MS} ms]`, String(summary.late)]);
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column as 0 | 1].length)));
  return [
    ...lines.map(([name, what, value]) => `${name.padEnd(widths[0]!)}  ${what.padEnd(widths[1]!)}  ${value}`.trimEnd()),
    ...(summary.errorTypes.length > 0 ? ['Error types:'] : []),
    ...summary.errorTypes.map(([type, count]) => `  ${type.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)}: ${count}`),
    ...renderHistogram(summary.histogram),
    '',
  ].join('\n');
}

function renderHistogram(histogram: LoadSummary['histogram']): string[] {
  const total = histogram.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return [];
  const bounds = histogram.map(({ upToMs }) => (Number.isFinite(upToMs) ? `<= ${shown(upToMs)}` : 'above'));
  const width = Math.max(...bounds.map((bound) => bound.length), 'Latency'.length);
  return [
    '',
    `${'Latency'.padEnd(width)}  ${'#'.padStart(8)}  ${'%'.padStart(6)}`,
    ...histogram.map(({ count }, i) =>
      `${bounds[i]!.padEnd(width)}  ${String(count).padStart(8)}  ${((count / total) * 100).toFixed(2).padStart(6)}  ${'#'.repeat(Math.round((count / total) * BAR))}`.trimEnd(),
    ),
  ];
}

/** Three digits, in the unit that fits. */
function shown(ms: number): string {
  if (ms === 0) return '0s';
  const [value, unit] = ms < 1 ? [ms * 1000, 'µs'] : ms < 1000 ? [ms, 'ms'] : [ms / 1000, 's'];
  return `${Number(value.toPrecision(3))}${unit}`;
}
