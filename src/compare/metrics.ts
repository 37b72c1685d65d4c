/**
 * Totals of the handler: CPU, duration, billed time and its cost, allocation, memory, init, errors. One value per instance, compared by permuting
 * instances; Holm's correction across the metrics that were tested. They see what the calibrated function test cannot:
 * a handler that became slower everywhere.
 */
import type { MetricChange, MetricId } from './comparison.ts';
import { studentQuantile } from './distributions.ts';
import { relabel } from './permutation.ts';
import type { Side, SideInstance } from './side.ts';

/** Chance that any metric of an unchanged function is named. */
export const metricAlpha = 0.02;

interface MetricRule {
  id: MetricId;
  unit: MetricChange['unit'];
  values(side: Side, instances: readonly SideInstance[]): number[];
  /** Smallest relative and absolute change worth naming; `minRegression` of the options when not given. */
  minRatio?: number;
  minDelta?: number;
  /** Values per side needed for a test. */
  minValues?: number;
}

const perInvocation =
  (value: (instance: SideInstance) => number | null | undefined) => (_: Side, instances: readonly SideInstance[]) =>
    instances.map((instance) => (value(instance) ?? Number.NaN) / instance.invocations);

const rules: readonly MetricRule[] = [
  { id: 'cpu', unit: 'ms', values: perInvocation(({ cpuMs }) => cpuMs) },
  {
    id: 'duration',
    unit: 'ms',
    values: (_, instances) => instances.map(({ durationP50Ms }) => durationP50Ms ?? Number.NaN),
    minDelta: 2,
  },
  { id: 'billed', unit: 'ms', values: billedByInstance, minDelta: 2 },
  { id: 'allocated', unit: 'bytes', values: perInvocation(({ allocatedBytes }) => allocatedBytes), minRatio: 0.05 },
  {
    id: 'memory',
    unit: 'MB',
    values: ({ maxMemoryMb }, instances) =>
      instances.some((instance) => instance.maxMemoryMb != null) || maxMemoryMb == null
        ? instances.map((instance) => instance.maxMemoryMb ?? Number.NaN)
        : [maxMemoryMb],
    minRatio: 0.1,
    minDelta: 8,
  },
  { id: 'init', unit: 'ms', values: ({ initMs }) => [...(initMs ?? [])], minRatio: 0.2, minDelta: 50, minValues: 15 },
];

/** Instances must have invocations. Values that are missing or not positive are left out. */
export function compareMetrics(
  base: { side: Side; instances: readonly SideInstance[] },
  head: { side: Side; instances: readonly SideInstance[] },
  options: { seed: string; minRegression: number; stored?: boolean },
): MetricChange[] {
  const tested = rules.map((rule) => {
    const b = rule.values(base.side, base.instances).filter((value) => value > 0 && Number.isFinite(value));
    const h = rule.values(head.side, head.instances).filter((value) => value > 0 && Number.isFinite(value));
    return compareValues(rule, b, h, `${options.seed} ${rule.id}`);
  });
  const pMore = adjustHolm(tested.map(({ pMore }) => pMore));
  const pLess = adjustHolm(tested.map(({ pLess }) => pLess));
  const changes = tested.map((metric, i): MetricChange => {
    const { minRatio = options.minRegression, minDelta = 0 } = rules[i]!;
    const large = Math.abs(metric.head - metric.base) >= minDelta;
    const change = Number.isNaN(metric.pMore)
      ? 'unknown'
      : large && pMore[i]! <= metricAlpha && metric.ratio >= 1 + minRatio
        ? 'more'
        : large && pLess[i]! <= metricAlpha && metric.ratio <= 1 / (1 + minRatio) && isClaimable(metric, options.stored)
          ? 'less'
          : 'unchanged';
    return { ...metric, pMore: pMore[i]!, pLess: pLess[i]!, change };
  });
  const cost = costOf(changes.find(({ id }) => id === 'billed')!, base.side.price, head.side.price);
  return [...changes, ...cost, compareErrors(base.instances, head.instances)];
}

/** The speed of machines differs by so much from day to day. */
const driftAllowance = 0.1;

/**
 * What got slower is measured again, what got faster is not: an interval that contains no change claims nothing. Against a stored baseline CPU must have fallen by more than
 * machines drift; time on the clock, in which other services and neighbours have their part, proves nothing.
 */
function isClaimable({ id, ratioHigh }: Pick<MetricChange, 'id' | 'ratioHigh'>, stored = false): boolean {
  if (ratioHigh >= 1) return false;
  if (!stored) return true;
  if (id === 'duration' || id === 'billed') return false;
  return id !== 'cpu' || ratioHigh <= 1 - driftAllowance;
}

/**
 * Mean billed time of every instance. A REPORT does not say which instance it is of: where no agent tells, the mean of
 * all of them is spread over the instances by the time each was active; without that it is one value, which is shown
 * and not tested.
 */
function billedByInstance({ billedMeanMs }: Side, instances: readonly SideInstance[]): number[] {
  if (instances.length > 1 && instances.every((instance) => instance.billedMeanMs != null))
    return instances.map((instance) => instance.billedMeanMs!);
  if (billedMeanMs == null) return [];
  const known = instances.filter(({ activeMs }) => activeMs !== null && activeMs > 0);
  const active = known.reduce((sum, { activeMs }) => sum + activeMs!, 0);
  const invocations = known.reduce((sum, one) => sum + one.invocations, 0);
  if (known.length < 2) return [billedMeanMs];
  return known.map((one) => billedMeanMs * (one.activeMs! / one.invocations / (active / invocations)));
}

/** Cost follows billed time in a straight line, so it needs no test of its own: its interval is that of billed time. */
function costOf(billed: Omit<MetricChange, 'id'>, base: Side['price'], head: Side['price']): MetricChange[] {
  if (base === undefined || head === undefined || !(billed.base > 0 && billed.head > 0)) return [];
  const before = base.requests + base.perBilledMs * billed.base;
  const ratioAt = (ratio: number): number => (head.requests + head.perBilledMs * billed.base * ratio) / before;
  const ratio = ratioAt(billed.ratio);
  const follows = billed.change === 'more' ? ratio > 1 : billed.change === 'less' ? ratio < 1 : true;
  return [
    {
      ...billed,
      id: 'cost',
      unit: 'USD',
      base: before,
      head: before * ratio,
      ratio,
      ratioLow: ratioAt(billed.ratioLow),
      ratioHigh: ratioAt(billed.ratioHigh),
      change: follows ? billed.change : 'unchanged',
    },
  ];
}

function compareValues(rule: MetricRule, base: number[], head: number[], seed: string): Omit<MetricChange, 'change'> {
  const { id, unit, minValues = 2 } = rule;
  const nothing = {
    ratio: Number.NaN,
    ratioLow: Number.NaN,
    ratioHigh: Number.NaN,
    pMore: Number.NaN,
    pLess: Number.NaN,
  };
  const logs = [...base, ...head].map(Math.log);
  const baseMean = mean(logs.slice(0, base.length));
  const headMean = mean(logs.slice(base.length));
  // Geometric means, so that head / base is the ratio the test and its interval are about.
  const means = { id, unit, base: Math.exp(baseMean), head: Math.exp(headMean) };
  if (base.length === 0 || head.length === 0) return { ...means, ...nothing };
  const ratio = Math.exp(headMean - baseMean);
  if (base.length < minValues || head.length < minValues) return { ...means, ...nothing, ratio };

  const df = logs.length - 2;
  const squares = logs.reduce((sum, log, i) => sum + (log - (i < base.length ? baseMean : headMean)) ** 2, 0);
  const error = Math.sqrt((squares / df) * (1 / base.length + 1 / head.length));
  const margin = studentQuantile(0.975, df) * error;
  return {
    ...means,
    ratio,
    ratioLow: Math.exp(headMean - baseMean - margin),
    ratioHigh: Math.exp(headMean - baseMean + margin),
    ...permute(logs, base.length, seed),
  };
}

/** One-sided p values of the difference of means. Ties count as extreme, which is conservative. */
function permute(logs: readonly number[], baseCount: number, seed: string): { pMore: number; pLess: number } {
  const { rows, instances, head } = relabel(
    logs.map((_, i) => i >= baseCount),
    seed,
  );
  let observed = 0;
  let more = 0;
  let less = 0;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < instances; i++) if (head[row * instances + i] === 1) sum += logs[i]!;
    if (row === 0) observed = sum;
    if (sum >= observed - 1e-9) more++;
    if (sum <= observed + 1e-9) less++;
  }
  return { pMore: more / rows, pLess: less / rows };
}

/** Holm's step-down correction. NaN stands for "not tested" and counts for nothing. */
export function adjustHolm(p: readonly number[]): number[] {
  const order = Array.from(p.keys())
    .filter((i) => !Number.isNaN(p[i]!))
    .sort((a, b) => p[a]! - p[b]! || a - b);
  const adjusted = p.map(() => Number.NaN);
  let largest = 0;
  order.forEach((i, rank) => {
    largest = Math.max(largest, Math.min(1, p[i]! * (order.length - rank)));
    adjusted[i] = largest;
  });
  return adjusted;
}

/** Unhandled errors: new ones always count; more of them by Fisher's exact test on instances that had any. */
function compareErrors(base: readonly SideInstance[], head: readonly SideInstance[]): MetricChange {
  const rate = (instances: readonly SideInstance[]) =>
    instances.reduce((sum, { errors }) => sum + errors, 0) /
    instances.reduce((sum, { invocations }) => sum + invocations, 0);
  const failing = (instances: readonly SideInstance[]) => instances.filter(({ errors }) => errors > 0).length;
  const before = rate(base);
  const now = rate(head);
  const known = base.length > 0 && head.length > 0;
  const pMore = known ? fisherUpperTail(failing(head), head.length, failing(base), base.length) : Number.NaN;
  const pLess = known ? fisherUpperTail(failing(base), base.length, failing(head), head.length) : Number.NaN;
  const more = (before === 0 && now > 0) || (now > before && pMore <= 0.05);
  return {
    id: 'errors',
    unit: 'share',
    base: before,
    head: now,
    ratio: now / before,
    ratioLow: Number.NaN,
    ratioHigh: Number.NaN,
    pMore,
    pLess,
    change: !known ? 'unknown' : more ? 'more' : now < before && pLess <= 0.05 ? 'less' : 'unchanged',
  };
}

/** P(at least `a` of the first group) given the margins of the table (a, n1 - a; b, n0 - b): hypergeometric. */
function fisherUpperTail(a: number, n1: number, b: number, n0: number): number {
  const marked = a + b;
  const logFactorial = (n: number) => {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  };
  const logChoose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  let p = 0;
  for (let k = a; k <= Math.min(marked, n1); k++)
    if (marked - k <= n0) p += Math.exp(logChoose(n1, k) + logChoose(n0, marked - k) - logChoose(n1 + n0, marked));
  return Math.min(1, p);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
