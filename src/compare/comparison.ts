/**
 * What the comparison of two recordings says: values only, no policy.
 * `functions.ts`, `metrics.ts` and `shift.ts` compute it, `verdict.ts` judges it, `report/` shows it.
 */

/** Who owns a frame: the function's own code, a bundled library, the language runtime, its garbage collector, nothing. */
export type OwnerKind = 'own' | 'library' | 'runtime' | 'gc' | 'idle';

/** Whether a finding has a line that somebody can change. What the runtime and its collector cost shows in the totals. */
export function isReviewable({ kind }: { kind: OwnerKind }): boolean {
  return kind === 'own' || kind === 'library';
}

export type Change =
  /** Uses more CPU than before, beyond chance and beyond the floors. */
  | 'slower'
  /** Uses less, by the mirror image of the same rule. */
  | 'faster'
  /** No evidence of a change that matters. */
  | 'unchanged'
  /** Cost that came from elsewhere (a rename, a split, a moved body) or belongs to a callee's: shown, never failed. */
  | 'moved';

/** One function, charged with its own frames and with the library and runtime code it calls directly. */
export interface FunctionChange {
  /** Canonical identity: equal across builds, never contains a line or an address. */
  key: string;
  /** Short name for people. Untrusted text. */
  display: string;
  kind: OwnerKind;
  /** File and line of the definition on the head side (base side when the function is gone). '' and 0 when unknown. */
  file: string;
  line: number;
  /** Present on one side only. */
  presence: 'both' | 'new' | 'gone';
  /** The base name or base file when the function was renamed or moved. */
  renamedFrom?: string;
  movedFrom?: string;
  /** A caller that grew a little with a function it calls: the name of the one that explains it. */
  partOf?: string;
  /** Of what got slower: the functions through which most of it is called, from the handler down to it. */
  callPath?: string[];
  baseNanosPerInvocation: number;
  headNanosPerInvocation: number;
  /** Share of the base (head when new) side's CPU, 0..1. */
  share: number;
  /** head / base, calibrated by the rest of the code as a speedometer; Infinity when new, 0 when gone. */
  ratio: number;
  /** 95 % confidence interval of `ratio`. */
  ratioLow: number;
  ratioHigh: number;
  /** head / base of the plain per-invocation values. */
  rawRatio: number;
  /** p of "slower" and of "faster", adjusted for all functions tested (step-down maxT). */
  pSlower: number;
  pFaster: number;
  /** How many of the head instances lie above the median of the base instances: the plain-language evidence. */
  headInstancesAbove: number;
  headInstances: number;
  change: Change;
}

export type MetricId = 'cpu' | 'duration' | 'billed' | 'cost' | 'allocated' | 'memory' | 'init' | 'errors';

export interface MetricChange {
  id: MetricId;
  unit: 'ms' | 'bytes' | 'MB' | 'share' | 'USD';
  /**
   * Per invocation (mean over instances), per instance for memory and init, per million invocations for cost. NaN when
   * not measured.
   */
  base: number;
  head: number;
  /** head / base with its 95 % interval over instances; NaN when it cannot be computed. */
  ratio: number;
  ratioLow: number;
  ratioHigh: number;
  /** One-sided permutation p of "more", Holm-adjusted across metrics; NaN when not tested. */
  pMore: number;
  pLess: number;
  change: 'more' | 'less' | 'unchanged' | 'unknown';
}

/** The smallest change this run would have found with 80 % power in functions of at least `share` of the CPU. */
export interface Resolution {
  share: number;
  /** 0.38 = +38 %. */
  detectable: number;
}

/** How the decision was computed: enough to repeat it. */
export interface Method {
  baseInstances: number;
  headInstances: number;
  baseInvocations: number;
  headInvocations: number;
  baseSamples: number;
  headSamples: number;
  functionsTested: number;
  relabellings: number;
  exact: boolean;
  seed: string;
  alpha: number;
  /** Whether what the screen flagged was measured again on fresh instances. */
  confirmed: boolean;
}

export interface Comparison {
  /** Sorted: own code first, then by absolute change, then by key. Every function with at least 10 samples. */
  functions: FunctionChange[];
  metrics: MetricChange[];
  resolution: Resolution[];
  method: Method;
}

/** A difference between the environments of base and head that caps the verdict at `warn`. */
export interface FingerprintDifference {
  field: string;
  base: string;
  head: string;
}
