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

/** Reads the measured calls of a load once, in bounded memory. */
export function summarizeLoad(records: Iterable<Invocation>): LoadSummary {
  const latencies = createSketch();
  const durationMs = createSketch();
  const billedMs = createSketch();
  const initMs = createSketch();
  const statuses: LoadSummary['statuses'] = {};
  const errorTypes = new Map<string, number>();
  const times = {
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    endMs: Number.NEGATIVE_INFINITY,
  };
  let requests = 0;
  let late = 0;
  let throttled = 0;
  let maxMemoryMb = 0;
  for (const invocation of records) {
    const { op, status, errorType, attempts, report, ...when } = invocation;
    if (report && isCold(report)) addValue(initMs, report.initDurationMs ?? report.restoreDurationMs ?? 0);
    if (report) maxMemoryMb = Math.max(maxMemoryMb, report.maxMemoryUsedMb);
    if (op !== 'invoke') continue;
    requests++;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== 'succeeded')
      errorTypes.set(errorType ?? 'Unknown', (errorTypes.get(errorType ?? 'Unknown') ?? 0) + 1);
    throttled += status === 'throttled' ? attempts : attempts - 1;
    if (when.lateMs > LATE_MS) late++;
    const firstSentMs = when.scheduledMs + when.lateMs;
    times.firstMs = Math.min(times.firstMs, firstSentMs);
    times.lastMs = Math.max(times.lastMs, firstSentMs);
    times.endMs = Math.max(times.endMs, when.receivedMs);
    if (status !== 'ambiguous' && status !== 'throttled') addValue(latencies, latencyMs(invocation));
    if (report && !isCold(report)) {
      addValue(durationMs, report.durationMs);
      addValue(billedMs, report.billedDurationMs);
    }
  }
  const attackMs = requests > 0 ? times.lastMs - times.firstMs : 0;
  const allMs = requests > 0 ? times.endMs - times.firstMs : 0;
  const succeeded = statuses.succeeded ?? 0;
  return {
    requests,
    ratePerSecond: attackMs > 0 ? ((requests - 1) / attackMs) * 1000 : 0,
    throughputPerSecond: allMs > 0 ? (succeeded / allMs) * 1000 : 0,
    attackMs,
    waitMs: Math.max(0, allMs - attackMs),
    latency: spreadOf(latencies),
    duration: spreadOf(durationMs),
    billed: spreadOf(billedMs),
    coldStarts: initMs.count,
    init: spreadOf(initMs),
    maxMemoryMb,
    late,
    throttled,
    success: requests > 0 ? succeeded / requests : 0,
    statuses,
    errorTypes: [...errorTypes].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 20),
    histogram: histogramOf(latencies),
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
