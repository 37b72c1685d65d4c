/** Two measured sides in, everything that changed between them out: numbers and evidence, no policy. */
import type { OwnerWeights } from '../pprof/owners.ts';
import { callPathOf, findParts } from './cause.ts';
import { type Change, type Comparison, type FunctionChange, isReviewable } from './comparison.ts';
import { studentQuantile } from './distributions.ts';
import { type FunctionTest, testFunctions } from './functions.ts';
import { compareMetrics } from './metrics.ts';
import { computeResolution } from './resolution.ts';
import { findShifts } from './shift.ts';
import type { Side, SideInstance } from './side.ts';
import { createTouched } from './touched.ts';
import { type ChangeEvidence, type Unit, unitsOf } from './units.ts';

export interface CompareOptions extends ChangeEvidence {
  /** Decides the random relabellings: the two commits, so that a re-run decides the same. */
  seed: string;
  /** Chance that any unchanged function is named. */
  alpha: number;
  /** Smallest relative change that is named, 0.05 = 5 %. */
  minRegression: number;
  /** The base was measured at another time: totals that depend on the machine drift. */
  stored?: boolean;
  /** Confirmation: test only these functions. */
  restrictTo?: ReadonlySet<string>;
}

/** Smallest change that is named, as a share of the handler's CPU. */
export const minShare = 0.005;

/** Nanoseconds per sample when a profile does not count samples: 100 Hz. */
const defaultPeriodNanos = 1e7;

/** One instance with its row in the matrix of its side. */
interface Replicate {
  instance: SideInstance;
  isHead: boolean;
  nanos: Float64Array;
}

/**
 * Compares two sides. Instances with far fewer invocations than the others, and for functions those without samples,
 * are left out.
 */
export function compareSides(base: Side, head: Side, options: CompareOptions): Comparison {
  const baseInstances = replicatesAmong(base.instances);
  const headInstances = replicatesAmong(head.instances);
  const units = unitsOf(base.weights ?? noWeights, head.weights ?? noWeights, options);
  const replicates = [
    ...replicatesOf(base.weights, baseInstances, units, false),
    ...replicatesOf(head.weights, headInstances, units, true),
  ].sort((a, b) => (a.instance.id < b.instance.id ? -1 : a.instance.id > b.instance.id ? 1 : +a.isHead - +b.isHead));
  const isHead = replicates.map((replicate) => replicate.isHead);
  const period = periodOf(base.weights, head.weights);
  const counts = replicates.map(({ nanos }) => nanos.map((value) => value / period));
  const heads = isHead.filter(Boolean).length;
  const testable = heads > 0 && heads < isHead.length && isHead.length > 2;
  const restrictTo = options.restrictTo;
  const test = testable
    ? testFunctions({
        counts,
        isHead,
        seed: options.seed,
        ...(restrictTo && {
          restrictTo: new Set(Array.from(units.keys()).filter((unit) => restrictTo.has(units[unit]!.key))),
        }),
      })
    : undefined;
  const functions = test === undefined ? [] : describeFunctions(units, replicates, counts, isHead, test, options);

  const samplesOf = (side: boolean) =>
    counts.reduce((sum, row, i) => (isHead[i] === side ? row.reduce((a, b) => a + b, sum) : sum), 0);
  const invocationsOf = (instances: readonly SideInstance[]) =>
    instances.reduce((sum, { invocations }) => sum + invocations, 0);
  const bases = isHead.length - heads;
  return {
    functions,
    metrics: compareMetrics(
      { side: base, instances: baseInstances },
      { side: head, instances: headInstances },
      options,
    ),
    resolution: computeResolution({
      baseInstances: bases,
      headInstances: heads,
      baseSamplesPerInstance: samplesOf(false) / bases,
      headSamplesPerInstance: samplesOf(true) / heads,
      tauSquared: test?.tauSquared ?? 0,
      functionsTested: test?.tested.length ?? 0,
      alpha: options.alpha,
      df: test?.df ?? 0,
      labellings: test === undefined ? 0 : test.relabellings + Number(!test.exact),
    }),
    method: {
      baseInstances: bases,
      headInstances: heads,
      baseInvocations: invocationsOf(baseInstances),
      headInvocations: invocationsOf(headInstances),
      baseSamples: Math.round(samplesOf(false)),
      headSamples: Math.round(samplesOf(true)),
      functionsTested: test?.tested.length ?? 0,
      relabellings: test?.relabellings ?? 0,
      exact: test?.exact ?? false,
      seed: options.seed,
      alpha: options.alpha,
      confirmed: false,
    },
  };
}

/** Keys of the functions that a confirmation has to look at again. */
export function flaggedFunctions(comparison: Comparison): Set<string> {
  return new Set(
    comparison.functions
      .filter((changed) => changed.change === 'slower' && isReviewable(changed))
      .map(({ key }) => key),
  );
}

/**
 * Whether anything was found that may fail a build, so that it should be measured again on fresh instances. Errors
 * need no statistics, hence no confirmation.
 */
export function needsConfirmation(comparison: Comparison): boolean {
  const more = comparison.metrics.some(({ id, change }) => change === 'more' && id !== 'errors');
  return more || flaggedFunctions(comparison).size > 0;
}

/**
 * The screen, with everything it found slower replaced by what fresh instances of both versions say: estimates of
 * flagged functions are biased upwards, so those of the confirmation are the ones to show. What the fresh instances do
 * not repeat is `unchanged`.
 */
export function confirmComparison(screen: Comparison, fresh: Comparison): Comparison {
  const flagged = flaggedFunctions(screen);
  const again = new Map(fresh.functions.map((changed) => [changed.key, changed]));
  const metrics = new Map(fresh.metrics.map((metric) => [metric.id, metric]));
  return {
    ...screen,
    functions: screen.functions
      .map((changed): FunctionChange => {
        if (!flagged.has(changed.key)) return changed;
        const repeated = again.get(changed.key);
        return repeated === undefined
          ? { ...changed, change: 'unchanged' }
          : { ...repeated, ...(repeated.change === 'faster' && { change: 'unchanged' }) };
      })
      .sort(byImportance),
    metrics: screen.metrics.map((metric) => {
      if ((metric.change !== 'more' && metric.change !== 'less') || metric.id === 'errors') return metric;
      const repeated = metrics.get(metric.id) ?? metric;
      return repeated.change === metric.change ? repeated : { ...repeated, change: 'unchanged' };
    }),
    method: { ...screen.method, confirmed: true },
  };
}

/** An instance counts when it has this part of the invocations of the side's median instance. */
const leastPart = 0.2;
/** Fewer could not fail anything, so then all count. */
const fewestReplicates = 5;

/**
 * Instances that are observations of equal standing, by id. Lambda prefers the instance it used last, so some may have
 * answered a handful of calls: one slow call would be the whole of their testimony.
 */
function replicatesAmong(all: readonly SideInstance[]): SideInstance[] {
  const active = all
    .filter(({ invocations }) => invocations > 0)
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const counts = active.map(({ invocations }) => invocations).sort((a, b) => a - b);
  const least = leastPart * (counts[counts.length >> 1] ?? 0);
  const enough = active.filter(({ invocations }) => invocations >= least);
  return enough.length >= Math.min(active.length, fewestReplicates) ? enough : active;
}

const noWeights: OwnerWeights = { groups: [], owners: [], counts: [], samples: [], agentValue: new Float64Array() };

function replicatesOf(
  weights: OwnerWeights | undefined,
  instances: readonly SideInstance[],
  units: readonly Unit[],
  isHead: boolean,
): Replicate[] {
  const groups = new Map(weights?.groups.map((group, i) => [group, i]));
  return instances.flatMap((instance) => {
    const group = groups.get(instance.id);
    if (weights === undefined || group === undefined) return [];
    const row = weights.counts[group]!;
    const nanos = Float64Array.from(units, (unit) =>
      (isHead ? unit.headOwners : unit.baseOwners).reduce((sum, column) => sum + row[column]!, 0),
    );
    return nanos.some((value) => value > 0) ? [{ instance, isHead, nanos }] : [];
  });
}

/** Nanoseconds that one sample stands for, on average over both sides: the test counts samples. */
function periodOf(...sides: (OwnerWeights | undefined)[]): number {
  let nanos = 0;
  let samples = 0;
  for (const side of sides)
    side?.owners.forEach((owner, column) => {
      if (owner.kind === 'idle') return;
      for (const row of side.counts) nanos += row[column]!;
      for (const row of side.samples) samples += row[column]!;
    });
  return nanos > 0 && samples > 0 ? nanos / samples : defaultPeriodNanos;
}

function describeFunctions(
  units: readonly Unit[],
  replicates: readonly Replicate[],
  counts: readonly Float64Array[],
  isHead: readonly boolean[],
  test: FunctionTest,
  options: CompareOptions,
): FunctionChange[] {
  const totals = (head: boolean) => {
    const rows = replicates.filter((replicate) => replicate.isHead === head);
    const nanos = Float64Array.from(units, (_, unit) => rows.reduce((sum, row) => sum + row.nanos[unit]!, 0));
    const all = nanos.reduce((sum, value) => sum + value, 0);
    return { nanos, all, invocations: rows.reduce((sum, { instance }) => sum + instance.invocations, 0) };
  };
  const base = totals(false);
  const head = totals(true);
  const exposure = counts.map((row) => row.reduce((sum, value) => sum + value, 0));
  const t = studentQuantile(0.975, test.df);

  const changes = test.tested.map((unit, i): FunctionChange => {
    const { key, display, kind, file, line, renamedFrom, movedFrom } = units[unit]!;
    const baseNanos = base.nanos[unit]!;
    const headNanos = head.nanos[unit]!;
    const presence = baseNanos === 0 ? 'new' : headNanos === 0 ? 'gone' : 'both';
    const logRatio = test.logRatio[i]!;
    const margin = t * test.standardError[i]!;
    const baseNanosPerInvocation = baseNanos / base.invocations;
    const headNanosPerInvocation = headNanos / head.invocations;
    const changed: FunctionChange = {
      key,
      display,
      kind,
      file,
      line,
      presence,
      ...(renamedFrom !== undefined && { renamedFrom }),
      ...(movedFrom !== undefined && { movedFrom }),
      baseNanosPerInvocation,
      headNanosPerInvocation,
      share: presence === 'new' ? headNanos / head.all : baseNanos / base.all,
      ratio: presence === 'new' ? Number.POSITIVE_INFINITY : presence === 'gone' ? 0 : Math.exp(logRatio),
      ratioLow: presence === 'gone' ? 0 : Math.exp(logRatio - margin),
      ratioHigh: presence === 'new' ? Number.POSITIVE_INFINITY : Math.exp(logRatio + margin),
      rawRatio: headNanosPerInvocation / baseNanosPerInvocation,
      pSlower: test.pMore[i]!,
      pFaster: test.pLess[i]!,
      ...evidenceOf(unit, counts, exposure, isHead),
      change: 'unchanged',
    };
    return { ...changed, change: changeOf(changed, options) };
  });

  const indexOf = new Map(test.tested.map((unit, i) => [unit, i]));
  const shifts = findShifts({
    units,
    counts,
    isHead,
    test,
    slower: test.tested.filter((_, i) => changes[i]!.change === 'slower'),
    isTouched: createTouched(options.changedFiles ?? []),
  });
  for (const { unit, from } of shifts) {
    const moved = changes[indexOf.get(unit)!]!;
    moved.change = 'moved';
    if (moved.renamedFrom === undefined) moved.movedFrom = units[from[0]!]!.display;
    for (const source of from) {
      const fell = changes[indexOf.get(source) ?? -1];
      if (fell?.change === 'faster') fell.change = 'moved';
    }
  }
  const unitOf = new Map(units.map((unit) => [unit.key, unit]));
  const parts = findParts(changes, (key) => unitOf.get(key)!.callers);
  for (const changed of changes) {
    const whole = parts.get(changed.key);
    if (whole === undefined) continue;
    changed.change = 'moved';
    changed.partOf = whole.display;
  }
  for (const changed of changes)
    if (changed.change === 'slower' && isReviewable(changed)) changed.callPath = callPathOf(changed.key, unitOf);
  return changes.sort(byImportance);
}

/** The floors keep what is certain but does not matter from being named. Mirrored for "faster". */
function changeOf(changed: FunctionChange, { alpha, minRegression }: CompareOptions): Change {
  const { presence, share, ratio, rawRatio, pSlower, pFaster, renamedFrom } = changed;
  const moved = presence === 'both' ? share * Math.abs(ratio - 1) : share;
  if (moved >= minShare) {
    if (pSlower <= alpha && ratio >= 1 + minRegression && rawRatio >= 1 + minRegression / 2) return 'slower';
    if (pFaster <= alpha && ratio <= 1 / (1 + minRegression) && rawRatio <= 1 / (1 + minRegression / 2))
      return 'faster';
  }
  return renamedFrom === undefined ? 'unchanged' : 'moved';
}

/** Head instances whose share of CPU in the function lies above the median of the base instances. */
function evidenceOf(
  unit: number,
  counts: readonly Float64Array[],
  exposure: readonly number[],
  isHead: readonly boolean[],
): Pick<FunctionChange, 'headInstancesAbove' | 'headInstances'> {
  const shares = counts.map((row, i) => row[unit]! / exposure[i]!);
  const base = shares.filter((_, i) => !isHead[i]).sort((a, b) => a - b);
  const middle = (base.length - 1) / 2;
  const median = (base[Math.floor(middle)]! + base[Math.ceil(middle)]!) / 2;
  const head = shares.filter((_, i) => isHead[i]);
  return { headInstancesAbove: head.filter((share) => share > median).length, headInstances: head.length };
}

/** Own code first, then by absolute change, then by key. */
function byImportance(a: FunctionChange, b: FunctionChange): number {
  const added = (changed: FunctionChange) => Math.abs(changed.headNanosPerInvocation - changed.baseNanosPerInvocation);
  return (
    Number(b.kind === 'own') - Number(a.kind === 'own') ||
    added(b) - added(a) ||
    (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  );
}
