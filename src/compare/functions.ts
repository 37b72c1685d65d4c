/**
 * Which functions use more, and which less: a permutation test over instances for all functions together.
 * The statistic is the log ratio of each function's share, calibrated by the robust centre of all functions ("the
 * handler's other code is the speedometer") and divided by a standard error with moderated overdispersion.
 * The adjusted p values are step-down maxT (Westfall and Young 1993), so the chance that any unchanged function is
 * named is at most alpha, whatever their number, correlation and noise.
 */
import { calibrate, estimateAt, priorDf } from './calibration.ts';
import { packPatterns } from './head-sums.ts';
import { relabel } from './permutation.ts';
import { tabulate } from './sample-table.ts';
import { stepDown } from './step-down.ts';

export interface FunctionTestInput {
  /** Samples, `[instance][function]`. Every instance must have at least one. */
  counts: readonly Float64Array[];
  isHead: readonly boolean[];
  seed: string;
  /** Test only these functions (indices); calibration still uses all of them. */
  restrictTo?: ReadonlySet<number>;
}

export interface FunctionTest {
  /** Indices of the functions tested, ascending; the arrays below have one element for each. */
  tested: number[];
  /** Calibrated ln(head / base) and its standard error. */
  logRatio: Float64Array;
  standardError: Float64Array;
  /** One-sided, adjusted for all functions tested. */
  pMore: Float64Array;
  pLess: Float64Array;
  /** Degrees of freedom of the standard errors. */
  df: number;
  /** Common squared coefficient of variation of a function between instances, beyond sampling noise. */
  tauSquared: number;
  /** ln of the factor by which all code together seems to have changed: what calibration took out. */
  centre: number;
  relabellings: number;
  exact: boolean;
}

/** Tests all functions for "more" and "less" at once. Needs at least one instance on each side and three in all. */
export function testFunctions(input: FunctionTestInput): FunctionTest {
  const { kept, table } = tabulate(input.counts);
  const relabellings = relabel(input.isHead, input.seed);
  const patterns = packPatterns(relabellings);
  const calibration = calibrate(table, relabellings, patterns);
  const family = kept.map((_, i) => i).filter((i) => input.restrictTo?.has(kept[i]!) ?? true);

  const logRatio = new Float64Array(family.length);
  const standardError = new Float64Array(family.length);
  family.forEach((f, i) => {
    const [estimate, variance] = estimateAt(table, f, relabellings, calibration, 0);
    logRatio[i] = estimate;
    standardError[i] = Math.sqrt(variance);
  });
  const z = logRatio.map((value, i) => value / standardError[i]!);
  return {
    tested: family.map((f) => kept[f]!),
    logRatio,
    standardError,
    ...stepDown(table, family, z, relabellings, patterns, calibration),
    df: table.instances - 2 + priorDf,
    tauSquared: calibration.tauSquared[0]!,
    centre: calibration.centre[0]!,
    relabellings: relabellings.exact ? relabellings.rows : relabellings.rows - 1,
    exact: relabellings.exact,
  };
}
