/** From numbers to a decision: the policy, and the words that explain it. */
import {
  type Comparison,
  type FingerprintDifference,
  type FunctionChange,
  isReviewable,
  type MetricChange,
} from './comparison.ts';
import { gates, type LimitPolicy, limitsOfFunction, limitsOfMetric, mayFail, overBudget } from './limits.ts';
import {
  addedNanos,
  confirmedSentence,
  describeBudget,
  describeDifferences,
  describeFunction,
  describeMetric,
  describeResolution,
  describeStrictness,
  headlineOfBudget,
  headlineOfFunction,
  headlineOfMetric,
  oneLine,
  passHeadline,
} from './wording.ts';

/** The outcome of a run, carried unchanged to outputs, comment, summary, JSON and exit code. */
export type VerdictKind = 'pass' | 'warn' | 'fail' | 'accepted' | 'inconclusive' | 'no-baseline' | 'skipped' | 'error';

/** One thing that was looked at when a measurement failed, and what was found. */
export interface Check {
  what: string;
  state: 'ok' | 'failed' | 'unknown';
  found: string;
}

export interface Verdict {
  kind: VerdictKind;
  /** The whole verdict in one line of plain text: function, number, budget. */
  headline: string;
  /** Sentences that explain it. */
  reasons: string[];
  /** What to do next: one sentence. '' when there is nothing to do. */
  next: string;
  /** Keys of the functions that are slower beyond the fail threshold, whatever the label or cap says. */
  regressed: string[];
  /** Keys beyond the warn threshold only. */
  warned: string[];
  /** For `error`: what was checked. */
  checks: Check[];
}

/** What may fail a build. Ratios as fractions: 0.1 = 10 %. */
/** Increases below `minDeltaMs` CPU milliseconds per invocation are never named. */
export interface Policy extends LimitPolicy {
  /** Nor those below this share of the handler's CPU. */
  minShare: number;
  /** Instances a side needs for anything to fail. */
  minInstances: number;
  /** Largest adjusted p that counts, when a confirmation on fresh instances agreed. */
  alpha: number;
  /** The same without confirmation and for totals that drift, and what the fail threshold is multiplied by then. */
  alphaUnconfirmed: number;
  unconfirmedFactor: number;
  /** A pass says something only if a function of 20 % of the CPU could have been seen growing by this much. */
  coarsestResolution: number;
}

export const defaultPolicy: Policy = {
  failThreshold: 0.1,
  warnThreshold: 0.05,
  minDeltaMs: 0.1,
  metricLimits: {},
  functionRules: [],
  budgets: {},
  failOn: new Set(gates.filter((gate) => gate !== 'init')),
  minShare: 0.005,
  minInstances: 5,
  alpha: 0.05,
  alphaUnconfirmed: 0.01,
  unconfirmedFactor: 1.5,
  coarsestResolution: 1,
};

export interface JudgeContext {
  functionName: string;
  /** Differences between the environments of base and head: with any, nothing fails. */
  differences: readonly FingerprintDifference[];
  /** Whether base and head were measured at the same time; otherwise totals only warn. */
  baselineInterleaved: boolean;
  /** Who accepted regressions of this pull request, by which label, when; '' for what is not known. */
  acceptedBy?: { login: string; label: string; at: string };
  /** The label that would accept them. */
  acceptLabel?: string;
  /** Configured memory of the function. */
  memoryMb?: number;
}

/** Decides. Pure: the same comparison, policy and context give the same verdict. */
export function judge(comparison: Comparison, policy: Policy, context: JudgeContext): Verdict {
  const name = oneLine(context.functionName);
  const { method } = comparison;
  const strict = !method.confirmed;
  const factor = strict ? policy.unconfirmedFactor : 1;
  const alphaToFail = strict ? policy.alphaUnconfirmed : policy.alpha;

  const slower = comparison.functions.filter((changed) => grew(changed, 'warn', 1, policy.alpha, policy));
  const regressedFunctions = slower.filter(
    (changed) => policy.failOn.has('function') && grew(changed, 'fail', factor, alphaToFail, policy),
  );
  const warnedFunctions = slower.filter((changed) => !regressedFunctions.includes(changed));
  const totalsMayFail = context.baselineInterleaved || method.confirmed;
  const metrics = comparison.metrics.map((metric) => ({
    metric,
    level: levelOf(metric, factor, alphaToFail, totalsMayFail, policy),
    budget: overBudget(metric, policy),
  }));
  const overBudgets = metrics.filter(({ budget }) => budget !== 'no');
  const brokenBudgets = overBudgets.filter(({ budget, metric: { id } }) => budget === 'new' && mayFail(id, policy));
  const failedMetrics = metrics.filter(({ level }) => level === 'fail').map(({ metric }) => metric);
  const warnedMetrics = metrics.filter(({ level }) => level === 'warn').map(({ metric }) => metric);

  const newErrors = failedMetrics.find(({ id }) => id === 'errors');
  const shortage = shortageOf(comparison, policy);
  const tight = tightMemory(comparison, context);
  const common = [
    ...describeDifferences(context.differences),
    describeResolution(comparison.resolution, policy.failThreshold),
  ];
  if (shortage !== undefined && newErrors === undefined)
    return {
      ...empty,
      kind: 'inconclusive',
      headline: `${name}: inconclusive, ${shortage.what}`,
      reasons: ['This says neither that the change is slower nor that it is not.', ...common],
      next: shortage.next,
    };

  const regressed = shortage === undefined ? regressedFunctions : [];
  const warned = shortage === undefined ? warnedFunctions : [];
  const failing = regressed.length > 0 || failedMetrics.length > 0 || brokenBudgets.length > 0;
  const capped = failing && context.differences.length > 0;
  const warning = capped || warned.length > 0 || warnedMetrics.length > 0 || overBudgets.length > 0 || tight !== '';
  const accepted = failing && !capped && context.acceptedBy !== undefined;
  const kind = accepted ? 'accepted' : failing && !capped ? 'fail' : warning ? 'warn' : 'pass';

  // The first finding in this order is the headline: errors, own code, totals, what only warns.
  const findings: { text: string; changed?: FunctionChange }[] = [
    ...(newErrors ? [{ text: headlineOfMetric(newErrors, 0) }] : []),
    ...functionFinding(regressed, 'fail', policy),
    ...failedMetrics.map((metric) => ({ text: headlineOfMetric(metric, limitsOfMetric(metric.id, policy).fail) })),
    ...brokenBudgets.map(({ metric }) => ({ text: headlineOfBudget(metric, policy.budgets[metric.id]!) })),
    ...functionFinding(warned, 'warn', policy),
    ...warnedMetrics.map((metric) => ({ text: headlineOfMetric(metric, limitsOfMetric(metric.id, policy).warn) })),
    ...overBudgets.map(({ metric }) => ({ text: headlineOfBudget(metric, policy.budgets[metric.id]!) })),
    ...(tight === '' ? [] : [{ text: tight }]),
    { text: passHeadline(comparison) },
  ];
  const by = accepted ? acceptedWords(context.acceptedBy!) : undefined;
  const cap = capped ? ', but the environments differ' : '';
  return {
    kind,
    headline: `${name}: ${by ? `${by.who}: ` : ''}${findings[0]!.text}${cap}`,
    reasons: [
      ...[...regressed, ...warned].slice(0, 5).map((changed) => describeFunction(changed, method.functionsTested)),
      ...[...failedMetrics, ...warnedMetrics].map((metric) => describeMetric(metric, totalsMayFail)),
      ...overBudgets.map(({ metric, budget }) => describeBudget(metric, policy.budgets[metric.id]!, budget === 'old')),
      ...(tight === '' ? [] : [`${tight}.`]),
      ...(failing || warned.length > 0
        ? [strict ? describeStrictness(alphaToFail, policy.failThreshold * factor) : confirmedSentence]
        : []),
      ...(by ? [by.sentence] : []),
      ...common,
    ],
    next: nextOf(kind, newErrors !== undefined, findings[0]!.changed, context),
    regressed: regressed.map(({ key }) => key),
    warned: warned.map(({ key }) => key),
    checks: [],
  };
}

function acceptedWords({ login, label, at }: NonNullable<JudgeContext['acceptedBy']>): {
  who: string;
  sentence: string;
} {
  const by = login === '' ? '' : ` by @${oneLine(login)}`;
  const when = at === '' ? '' : ` at ${oneLine(at)}`;
  const set = by === '' && when === '' ? '' : `, set${by}${when},`;
  return { who: `accepted${by}`, sentence: `The label "${oneLine(label)}"${set} accepts it.` };
}

function functionFinding(changes: FunctionChange[], level: 'fail' | 'warn', policy: Policy) {
  const worst = changes.toSorted((a, b) => addedNanos(b) - addedNanos(a))[0];
  return worst === undefined
    ? []
    : [
        {
          text: headlineOfFunction(
            worst,
            changes.length - 1,
            limitsOfFunction(worst, policy)![level],
            level === 'fail' ? 'budget' : 'warning threshold',
          ),
          changed: worst,
        },
      ];
}

/**
 * All conditions of a finding at once. `ratio` is calibrated; half of the limit must hold without calibration too. An
 * interval that reaches below no change convinces nobody, whatever p says.
 */
function grew(changed: FunctionChange, level: 'fail' | 'warn', factor: number, alpha: number, policy: Policy): boolean {
  const limits = limitsOfFunction(changed, policy);
  if (limits === undefined) return false;
  const limit = limits[level] * factor;
  const deltaMs = (changed.headNanosPerInvocation - changed.baseNanosPerInvocation) / 1e6;
  const added = changed.presence === 'both' ? changed.share * (changed.ratio - 1) : changed.share;
  return (
    changed.change === 'slower' &&
    isReviewable(changed) &&
    changed.pSlower <= alpha &&
    changed.ratioLow > 1 &&
    changed.ratio >= 1 + limit &&
    changed.rawRatio >= 1 + limit / 2 &&
    added >= policy.minShare &&
    deltaMs >= limits.minDeltaMs
  );
}

/**
 * Counted things may fail whenever they were measured. CPU and durations drift, so that a screen against a stored
 * baseline proves little: only interleaved measurements may fail, and always at the stricter alpha.
 */
function levelOf(
  metric: MetricChange,
  factor: number,
  alpha: number,
  totalsMayFail: boolean,
  policy: Policy,
): 'fail' | 'warn' | 'none' {
  if (metric.change !== 'more') return 'none';
  const gated = mayFail(metric.id, policy);
  if (metric.id === 'errors') return metric.base === 0 && gated ? 'fail' : 'warn';
  const { fail, warn } = limitsOfMetric(metric.id, policy);
  if (metric.ratio < 1 + warn) return 'none';
  // Where drift is no excuse, an interval that reaches below no change is chance, and not worth a warning.
  const drifts = metric.id === 'cpu' || metric.id === 'duration' || metric.id === 'billed';
  if (metric.ratioLow <= 1 && (totalsMayFail || !drifts)) return 'none';
  const sure = gated && metric.pMore <= alpha && metric.ratio >= 1 + fail * factor;
  switch (metric.id) {
    case 'allocated':
    case 'memory':
      return sure ? 'fail' : 'warn';
    case 'cpu':
    case 'duration':
    case 'billed':
      return sure && totalsMayFail && metric.pMore <= policy.alphaUnconfirmed ? 'fail' : 'warn';
    case 'cost':
      // Its growth is that of the billed time; what may be limited is the amount.
      return 'none';
    case 'init':
      return sure && metric.pMore <= policy.alphaUnconfirmed ? 'fail' : 'warn';
  }
}

function shortageOf({ method, resolution }: Comparison, policy: Policy): { what: string; next: string } | undefined {
  const instances = Math.min(method.baseInstances, method.headInstances);
  if (instances < policy.minInstances) {
    const side = method.headInstances === instances ? 'head' : 'base';
    return {
      what: `only ${instances} distinct ${instances === 1 ? 'instance' : 'instances'} of the ${side} sent CPU samples (${policy.minInstances} needed)`,
      next:
        side === 'head'
          ? `Raise \`concurrency\` to at least ${policy.minInstances + 3} so that more instances take part.`
          : 'Record the baseline again with a higher `concurrency`: run this workflow on the base branch.',
    };
  }
  if (method.functionsTested === 0)
    return {
      what: 'no function has enough CPU samples',
      next: 'Raise `invocations`, or give the function a payload that makes it work longer.',
    };
  const coarse = resolution.find(({ share }) => share === 0.2)?.detectable ?? 0;
  if (coarse <= policy.coarsestResolution) return undefined;
  const samples = Math.min(method.baseSamples, method.headSamples);
  // The noise that more samples reduce falls with their square root.
  const factor = Number.isFinite(coarse) ? (Math.log1p(coarse) / Math.log1p(policy.coarsestResolution)) ** 2 : 4;
  return {
    what: `${samples} CPU samples are too few to judge`,
    next: `Raise \`invocations\` to about ${Math.ceil((method.headInvocations * factor * 1.2) / 100) * 100}.`,
  };
}

/** Lambda ends an environment that reaches its memory size: a head near it that the base was not is worth a warning. */
function tightMemory({ metrics }: Comparison, { memoryMb }: JudgeContext): string {
  const memory = metrics.find(({ id }) => id === 'memory');
  if (memory === undefined || memoryMb === undefined) return '';
  const limit = 0.9 * memoryMb;
  return memory.head > limit && !(memory.base > limit)
    ? `peak memory of ${Math.round(memory.head)} MB is above 90% of the configured ${memoryMb} MB`
    : '';
}

function nextOf(
  kind: VerdictKind,
  errors: boolean,
  changed: FunctionChange | undefined,
  { differences, acceptLabel }: JudgeContext,
): string {
  if (kind === 'pass' || kind === 'accepted') return '';
  if (errors) return 'Open the log of a failed invocation and fix the error first.';
  if (differences.length > 0)
    return 'Record a baseline in the same environment: run this workflow on the base branch, then re-run this job.';
  const line = changed !== undefined && changed.line > 0 ? `:${changed.line}` : '';
  const place = changed === undefined || changed.file === '' ? '' : ` (${oneLine(changed.file)}${line})`;
  const look = `Look at ${changed === undefined ? 'the flame graph' : `${oneLine(changed.display)}${place} in the flame graph`}`;
  if (kind !== 'fail') return `${look} before merging.`;
  return acceptLabel === undefined
    ? `${look}.`
    : `${look}; if the cost is wanted, add the label "${oneLine(acceptLabel)}" and re-run the job.`;
}

const empty = { reasons: [], next: '', regressed: [], warned: [], checks: [] };

/** The first run: recorded, nothing to compare with. */
export function noBaseline(input: {
  functionName: string;
  baseBranch: string;
  recorded: boolean;
  reason?: string;
}): Verdict {
  const branch = oneLine(input.baseBranch);
  return {
    ...empty,
    kind: 'no-baseline',
    headline: `${oneLine(input.functionName)}: first profile ${input.recorded ? 'recorded' : 'taken'}, nothing to compare with yet`,
    reasons: [
      input.reason ?? `There is no recording of ${branch} to compare with. This is not a verdict on the change.`,
    ],
    next: `Run this workflow on a push to ${branch}: that stores the baseline.`,
  };
}

/** Nothing was measured, on purpose. */
export function skipped(input: { functionName: string; reason: string; next: string }): Verdict {
  return {
    ...empty,
    kind: 'skipped',
    headline: `${oneLine(input.functionName)}: not measured, ${input.reason}`,
    reasons: ['This says nothing about performance.'],
    next: input.next,
  };
}

/** The measurement broke: never a pass, never a regression. */
export function measurementError(message: string, checks: Check[], next: string): Verdict {
  return {
    ...empty,
    kind: 'error',
    headline: `Not measured: ${oneLine(message, 400)}`,
    reasons: ['This says nothing about performance.'],
    next,
    checks,
  };
}

/**
 * Exit code of the command line: 0 decided or nothing to decide, 1 regression, 3 could not measure, 4 inconclusive.
 * 2 (usage) and 130 (interrupted) have no verdict.
 */
export function exitCodeOf(
  verdict: Pick<Verdict, 'kind'>,
  settings: { failOnError: boolean; failOnInconclusive?: boolean },
): 0 | 1 | 3 | 4 {
  switch (verdict.kind) {
    case 'fail':
      return 1;
    case 'error':
      return settings.failOnError ? 3 : 0;
    case 'inconclusive':
      return settings.failOnInconclusive === true ? 4 : 0;
    default:
      return 0;
  }
}
