/**
 * Which functions use more, and which less: a permutation test over instances for all functions together.
 * The statistic is the log ratio of each function's share, calibrated by the robust centre of all functions ("the
 * handler's other code is the speedometer") and divided by a standard error with moderated overdispersion.
 * The adjusted p values are step-down maxT (Westfall and Young 1993), so the chance that any unchanged function is
 * named is at most alpha, whatever their number, correlation and noise.
 */
import { type Relabellings, relabel } from './permutation.ts';

/** Functions with fewer samples on both sides together are not tested. Blind to the labels, hence valid. */
export const minPooledSamples = 10;
/** The centre comes from this many of the largest functions: the others add noise. */
const centreFunctions = 64;
/** Overdispersion is estimated from this many of the largest functions, which bounds the cost of a relabelling. */
const spreadFunctions = 256;
/** Share of the weight cut from each end of the centre's sorted log ratios. */
const centreTrim = 0.4;
/** No function may have more than this share of the centre's weight. */
const centreWeightCap = 0.15;
/** Added to squared standard errors in the centre's weights, so that huge functions do not dominate: (1 %)^2. */
const centreFloor = 1e-4;
/** Weight of the common overdispersion, in degrees of freedom. */
export const priorDf = 10;

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

/** Functions side by side with what does not depend on the labels. */
interface Columns {
  /** `[function]` -> samples by instance, and samples^2 / exposure by instance. */
  samples: Float64Array[];
  squares: Float64Array[];
  total: Float64Array;
  totalSquares: Float64Array;
  exposure: Float64Array;
  totalExposure: number;
  instances: number;
}

/** What one relabelling has in common for all functions. */
interface Calibration {
  /** Exposure of the head side, centre and tau squared, by row. */
  headExposure: Float64Array;
  centre: Float64Array;
  tauSquared: Float64Array;
}

/** Tests all functions for "more" and "less" at once. Needs at least one instance on each side and three in all. */
export function testFunctions(input: FunctionTestInput): FunctionTest {
  const { kept, columns } = keepColumns(input.counts);
  const relabellings = relabel(input.isHead, input.seed);
  const patterns = packPatterns(relabellings);
  const calibration = calibrate(columns, relabellings, patterns);
  const family = kept.map((_, i) => i).filter((i) => input.restrictTo?.has(kept[i]!) ?? true);

  const logRatio = new Float64Array(family.length);
  const standardError = new Float64Array(family.length);
  family.forEach((f, i) => {
    const [estimate, variance] = estimateAt(columns, f, relabellings, calibration, 0);
    logRatio[i] = estimate;
    standardError[i] = Math.sqrt(variance);
  });
  const z = logRatio.map((value, i) => value / standardError[i]!);
  return {
    tested: family.map((f) => kept[f]!),
    logRatio,
    standardError,
    ...stepDown(columns, family, z, relabellings, patterns, calibration),
    df: columns.instances - 2 + priorDf,
    tauSquared: calibration.tauSquared[0]!,
    centre: calibration.centre[0]!,
    relabellings: relabellings.exact ? relabellings.rows : relabellings.rows - 1,
    exact: relabellings.exact,
  };
}

function keepColumns(counts: readonly Float64Array[]): { kept: number[]; columns: Columns } {
  const instances = counts.length;
  const functions = counts[0]?.length ?? 0;
  const exposure = Float64Array.from(counts, (row) => row.reduce((sum, value) => sum + value, 0));
  const kept: number[] = [];
  const samples: Float64Array[] = [];
  for (let f = 0; f < functions; f++) {
    const column = Float64Array.from(counts, (row) => row[f]!);
    if (sumOf(column) < minPooledSamples) continue;
    kept.push(f);
    samples.push(column);
  }
  const squares = samples.map((column) => column.map((value, i) => (value * value) / exposure[i]!));
  return {
    kept,
    columns: {
      samples,
      squares,
      total: Float64Array.from(samples, sumOf),
      totalSquares: Float64Array.from(squares, sumOf),
      exposure,
      totalExposure: sumOf(exposure),
      instances,
    },
  };
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Instances in one table of partial sums. 256 entries stay in the fastest cache. */
const blockSize = 8;

/** `[block * rows + row]`: which entry of the block's table of partial sums belongs to the row's head side. */
function packPatterns({ rows, instances, head }: Relabellings): Uint16Array {
  const blocks = Math.ceil(instances / blockSize);
  const patterns = new Uint16Array(blocks * rows);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < instances; i++)
      patterns[Math.floor(i / blockSize) * rows + row]! |= head[row * instances + i]! << (i % blockSize);
  return patterns;
}

/**
 * Writes the head side's sum of `values` in the rows from `start` on to `sums`: one table look-up and addition per 8
 * instances.
 */
function sumHeads(
  values: Float64Array,
  patterns: Uint16Array,
  table: Float64Array,
  sums: Float64Array,
  rows = sums.length,
  start = 0,
): void {
  const size = sums.length;
  sums.fill(0);
  for (let block = 0; block * blockSize < values.length; block++) {
    table[0] = 0;
    for (let bit = 0; bit < blockSize; bit++) {
      const value = values[block * blockSize + bit] ?? 0;
      const size = 1 << bit;
      for (let i = 0; i < size; i++) table[size + i] = table[i]! + value;
    }
    const offset = block * rows + start;
    for (let row = 0; row < size; row++) sums[row]! += table[patterns[offset + row]!]!;
  }
}

/**
 * Pearson's dispersion times its degrees of freedom, from the sums of both groups (1 head, 0 base): samples c,
 * samples^2 / exposure q, exposure o. A group without samples adds nothing.
 */
export function pearson(c1: number, c0: number, q1: number, q0: number, o1: number, o0: number): number {
  const head = c1 > 1e-6 ? (q1 * o1) / c1 - c1 : 0;
  const base = c0 > 1e-6 ? (q0 * o0) / c0 - c0 : 0;
  return Math.max(0, head) + Math.max(0, base);
}

/** Dispersion pulled towards that of functions of its size, and never below Poisson's. */
export function moderate(pearsonSum: number, df: number, tauSquared: number, mean: number): number {
  return Math.max(1, (priorDf * (1 + tauSquared * mean) + pearsonSum) / (priorDf + df));
}

/** Centre and common overdispersion of every row, from the largest functions. */
function calibrate(columns: Columns, relabellings: Relabellings, patterns: Uint16Array): Calibration {
  const { rows, instances } = relabellings;
  const df = instances - 2;
  const { total, totalSquares, totalExposure } = columns;
  const largest = Array.from(total.keys())
    .sort((a, b) => total[b]! - total[a]! || a - b)
    .slice(0, spreadFunctions);
  const table = new Float64Array(1 << blockSize);
  const headSamples = largest.map((f) => {
    const sums = new Float64Array(rows);
    sumHeads(columns.samples[f]!, patterns, table, sums);
    return sums;
  });
  const headSquares = largest.map((f) => {
    const sums = new Float64Array(rows);
    sumHeads(columns.squares[f]!, patterns, table, sums);
    return sums;
  });
  const headExposure = new Float64Array(rows);
  sumHeads(columns.exposure, patterns, table, headExposure);

  const means = Float64Array.from(largest, (f) => total[f]! / instances);
  // Large functions all count the same, so that one changed function cannot dominate; tiny ones tell little.
  const weights = means.map((mean) => mean / (1 + mean));
  // The median of a chi-square variable divided by its degrees of freedom (Wilson and Hilferty 1931).
  const medianOfDispersion = (1 - 2 / (9 * df)) ** 3;
  const count = largest.length;
  const pearsonSums = new Float64Array(count);
  const spreads = new Float64Array(count);
  const spreadWeights = new Float64Array(count);
  const centreCount = Math.min(count, centreFunctions);
  const ratios = new Float64Array(centreCount);
  const precisions = new Float64Array(centreCount);
  const centre = new Float64Array(rows);
  const tauSquared = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const o1 = headExposure[row]!;
    const o0 = totalExposure - o1;
    for (let i = 0; i < count; i++) {
      const f = largest[i]!;
      const c1 = headSamples[i]![row]!;
      const q1 = headSquares[i]![row]!;
      pearsonSums[i] = pearson(c1, total[f]! - c1, q1, totalSquares[f]! - q1, o1, o0);
      spreads[i] = (pearsonSums[i]! / df / medianOfDispersion - 1) / means[i]!;
      spreadWeights[i] = weights[i]!;
    }
    const tau = Math.max(0, weightedMedian(spreads, spreadWeights));
    tauSquared[row] = tau;
    for (let i = 0; i < centreCount; i++) {
      const a = headSamples[i]![row]! + 0.5;
      const b = total[largest[i]!]! + 1 - a;
      const dispersion = moderate(pearsonSums[i]!, df, tau, means[i]!);
      ratios[i] = Math.log((a * o0) / (b * o1));
      precisions[i] = 1 / (dispersion * (1 / a + 1 / b) + centreFloor);
    }
    centre[row] = trimmedMean(ratios, precisions);
  }
  return { headExposure, centre, tauSquared };
}

/** The smallest value that has half of the weight at or below it. Reorders both arrays. */
function weightedMedian(values: Float64Array, weights: Float64Array): number {
  let need = sumOf(weights) / 2;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
      const weight = weights[i]!;
      weights[i++] = weights[j]!;
      weights[j--] = weight;
    }
    // [low, j] <= pivot, (j, i) = pivot, [i, high] >= pivot
    let below = 0;
    for (let k = low; k <= j; k++) below += weights[k]!;
    if (need <= below) {
      high = j;
      continue;
    }
    for (let k = j + 1; k < i; k++) below += weights[k]!;
    if (need <= below) return pivot;
    need -= below;
    low = i;
  }
  return values[low] ?? 0;
}

/** Weighted mean of the middle of the sorted values, with capped weights. Reorders both arrays. */
function trimmedMean(values: Float64Array, weights: Float64Array): number {
  const cap = centreWeightCap * sumOf(weights);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = Math.min(weights[i]!, cap);
    const value = values[i]!;
    total += weight;
    let j = i;
    for (; j > 0 && values[j - 1]! > value; j--) {
      values[j] = values[j - 1]!;
      weights[j] = weights[j - 1]!;
    }
    values[j] = value;
    weights[j] = weight;
  }
  const low = centreTrim * total;
  const high = (1 - centreTrim) * total;
  let start = 0;
  let sum = 0;
  let used = 0;
  for (let i = 0; i < weights.length; i++) {
    const end = start + weights[i]!;
    const inside = Math.min(end, high) - Math.max(start, low);
    if (inside > 0) {
      sum += inside * values[i]!;
      used += inside;
    }
    start = end;
  }
  return used > 0 ? sum / used : 0;
}

/** Log ratio of function `f` in a row, and its variance. */
function estimateAt(
  columns: Columns,
  f: number,
  { instances, head }: Relabellings,
  calibration: Calibration,
  row: number,
): [number, number] {
  const samples = columns.samples[f]!;
  const squares = columns.squares[f]!;
  let c1 = 0;
  let q1 = 0;
  const start = row * instances;
  for (let i = 0; i < instances; i++) {
    if (head[start + i] === 0) continue;
    c1 += samples[i]!;
    q1 += squares[i]!;
  }
  const total = columns.total[f]!;
  const o1 = calibration.headExposure[row]!;
  const o0 = columns.totalExposure - o1;
  const sum = pearson(c1, total - c1, q1, columns.totalSquares[f]! - q1, o1, o0);
  const dispersion = moderate(sum, instances - 2, calibration.tauSquared[row]!, total / instances);
  const a = c1 + 0.5;
  const b = total + 1 - a;
  return [Math.log((a * o0) / (b * o1)) - calibration.centre[row]!, dispersion * (1 / a + 1 / b)];
}

/** Rows handled at a time: the bounds of 5,000 functions then take 5 MB. */
const rowsAtATime = 128;

/**
 * Step-down maxT in both directions: functions from the least to the most extreme, keeping for every row the largest
 * z so far. With A/B the calibrated rates, ln(A/B) <= (A-B)/sqrt(AB) and a dispersion of at least 1 bound z without a
 * logarithm, a root or the squares; only where the bound exceeds the largest z so far is z computed.
 */
function stepDown(
  columns: Columns,
  family: readonly number[],
  observed: Float64Array,
  relabellings: Relabellings,
  patterns: Uint16Array,
  calibration: Calibration,
): { pMore: Float64Array; pLess: Float64Array } {
  const ascending = Array.from(family.keys()).sort((a, b) => observed[a]! - observed[b]! || b - a);
  const descending = Array.from(family.keys()).sort((a, b) => observed[b]! - observed[a]! || b - a);
  const more = new Float64Array(family.length);
  const less = new Float64Array(family.length);
  for (let start = 0; start < relabellings.rows; start += rowsAtATime) {
    const size = Math.min(rowsAtATime, relabellings.rows - start);
    const bounds = boundRows(columns, family, patterns, calibration, start, size);
    const zAt = (i: number, row: number) => {
      const [estimate, variance] = estimateAt(columns, family[i]!, relabellings, calibration, start + row);
      return estimate / Math.sqrt(variance);
    };
    countAtLeast(ascending, observed, bounds, size, zAt, 1, more);
    countAtLeast(descending, observed, bounds, size, zAt, -1, less);
  }
  return { pMore: toP(more, ascending, relabellings.rows), pLess: toP(less, descending, relabellings.rows) };
}

/** `[function * size + row]`: an upper bound of z squared, with the sign of z. */
function boundRows(
  columns: Columns,
  family: readonly number[],
  patterns: Uint16Array,
  calibration: Calibration,
  start: number,
  size: number,
): Float64Array {
  const rows = calibration.centre.length;
  const headRate = new Float64Array(size);
  const baseRate = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    const o1 = calibration.headExposure[start + row]!;
    const o0 = columns.totalExposure - o1;
    // (A-B)/sqrt(AB) with A = a e^-c / o1 and B = b / o0 is a * headRate - b * baseRate, over sqrt(a b).
    const ratio = Math.sqrt((Math.exp(-calibration.centre[start + row]!) * o0) / o1);
    headRate[row] = ratio;
    baseRate[row] = 1 / ratio;
  }
  const table = new Float64Array(1 << blockSize);
  const heads = new Float64Array(size);
  const bounds = new Float64Array(family.length * size);
  for (let i = 0; i < family.length; i++) {
    const both = columns.total[family[i]!]! + 1;
    const scale = (1 + 1e-9) / both;
    sumHeads(columns.samples[family[i]!]!, patterns, table, heads, rows, start);
    for (let row = 0; row < size; row++) {
      const a = heads[row]! + 0.5;
      const difference = a * headRate[row]! - (both - a) * baseRate[row]!;
      bounds[i * size + row] = difference * Math.abs(difference) * scale;
    }
  }
  return bounds;
}

/** Adds to `counts`, for every function, the rows whose largest z among it and all before it in `order` reaches its own. */
function countAtLeast(
  order: readonly number[],
  observed: Float64Array,
  bounds: Float64Array,
  size: number,
  zAt: (i: number, row: number) => number,
  sign: 1 | -1,
  counts: Float64Array,
): void {
  const largest = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  const limit = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  for (const i of order) {
    const threshold = sign * observed[i]! - 1e-10 * (1 + Math.abs(observed[i]!));
    let atLeast = 0;
    for (let row = 0; row < size; row++) {
      if (sign * bounds[i * size + row]! > limit[row]!) {
        const z = sign * zAt(i, row);
        if (z > largest[row]!) {
          largest[row] = z;
          if (z > 0) limit[row] = z * z;
        }
      }
      if (largest[row]! >= threshold) atLeast++;
    }
    counts[i]! += atLeast;
  }
}

/** Step-down: no function may have a smaller p than one more extreme. */
function toP(counts: Float64Array, order: readonly number[], rows: number): Float64Array {
  const p = counts.map((count) => count / rows);
  for (let i = order.length - 2; i >= 0; i--) p[order[i]!] = Math.max(p[order[i]!]!, p[order[i + 1]!]!);
  return p;
}
