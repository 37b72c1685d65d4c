/** Which limits hold for which function and metric: the general ones, unless the policy has others for it. */
import type { FunctionChange, MetricChange, MetricId } from './comparison.ts';

/** What can fail a build. Billed duration goes with duration; cost fails by its budget only. */
export const gates = ['function', 'cpu', 'duration', 'cost', 'allocated', 'memory', 'init', 'errors'] as const;
export type Gate = (typeof gates)[number];

/** Ratios as fractions: 0.1 = 10 %. */
export interface Limits {
  fail: number;
  warn: number;
}

/** Limits of the functions whose name matches. */
export interface FunctionRule extends Partial<Limits> {
  match: { test(name: string): boolean };
  minDeltaMs?: number;
  /** Never a finding. */
  ignore?: boolean;
}

/** The part of a policy that `limits.ts` reads. */
export interface LimitPolicy {
  failThreshold: number;
  warnThreshold: number;
  minDeltaMs: number;
  metricLimits: Partial<Record<MetricId, Partial<Limits>>>;
  /** The first that matches holds. */
  functionRules: readonly FunctionRule[];
  /** Most a metric may be, in its own unit. */
  budgets: Partial<Record<MetricId, number>>;
  /** What may fail; the rest only warns. */
  failOn: ReadonlySet<Gate>;
}

/** Limits of a function, by its key or display name; undefined when it is ignored. */
export function limitsOfFunction(
  { key, display }: Pick<FunctionChange, 'key' | 'display'>,
  policy: LimitPolicy,
): (Limits & { minDeltaMs: number }) | undefined {
  const rule = policy.functionRules.find(({ match }) => match.test(key) || match.test(display));
  if (rule?.ignore) return undefined;
  return { ...within(rule, policy), minDeltaMs: rule?.minDeltaMs ?? policy.minDeltaMs };
}

export function limitsOfMetric(id: MetricId, policy: LimitPolicy): Limits {
  return within(policy.metricLimits[id === 'billed' ? 'duration' : id], policy);
}

/** Who sets one limit moves the other out of its way. */
function within(own: Partial<Limits> | undefined, { failThreshold, warnThreshold }: LimitPolicy): Limits {
  const fail = own?.fail ?? Math.max(failThreshold, own?.warn ?? 0);
  return { fail, warn: own?.warn ?? Math.min(warnThreshold, fail) };
}

/** The smallest change that anything is warned of: the comparison has to look for it. */
export function smallestLimit(policy: LimitPolicy): number {
  const own = [...Object.values(policy.metricLimits), ...policy.functionRules].map(
    (limits) => within(limits, policy).warn,
  );
  return Math.min(policy.warnThreshold, ...own);
}

export function mayFail(id: MetricId, { failOn }: Pick<LimitPolicy, 'failOn'>): boolean {
  return failOn.has(id === 'billed' ? 'duration' : id);
}

/**
 * Whether a metric is surely above its budget: by the lower end of the interval of its change. What was above it
 * before is not this change's doing. A cost without an interval is an estimate, and no reason to refuse a change.
 * @returns `old` when the base was above it as well
 */
export function overBudget(metric: MetricChange, { budgets }: Pick<LimitPolicy, 'budgets'>): 'no' | 'new' | 'old' {
  const most = budgets[metric.id];
  const surely = surelyAtLeast(metric);
  if (most === undefined || !(surely > most)) return 'no';
  return metric.base > most ? 'old' : 'new';
}

/** The lower end of the interval of a metric's head, or the value itself where there is no interval; NaN for a cost. */
export function surelyAtLeast({ id, head, ratio, ratioLow }: MetricChange): number {
  if (ratioLow > 0) return head * Math.min(1, ratioLow / ratio);
  return id === 'cost' ? Number.NaN : head;
}
