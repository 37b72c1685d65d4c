/**
 * What all functions have in common in one labelling of the instances: how much faster or slower everything seems to
 * have become, and how much functions scatter between instances.
 */
import { blockSize, rowsAtATime, sumHeads } from './head-sums.ts';
import type { Relabellings } from './permutation.ts';
import { type SampleTable, sumOf } from './sample-table.ts';

/** Weight of the common overdispersion, in degrees of freedom. */
export const priorDf = 10;

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

/** What one relabelling has in common for all functions. */
export interface Calibration {
  /** Exposure of the head side, centre and tau squared, by row. */
  headExposure: Float64Array;
  centre: Float64Array;
  tauSquared: Float64Array;
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
export function calibrate(table: SampleTable, relabellings: Relabellings, patterns: Uint16Array): Calibration {
  const { rows, instances } = relabellings;
  const df = instances - 2;
  const { total, totalSquares, totalExposure } = table;
  const largest = Array.from(total.keys())
    .sort((a, b) => total[b]! - total[a]! || a - b)
    .slice(0, spreadFunctions);
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
  const calibration: Calibration = {
    headExposure: new Float64Array(rows),
    centre: new Float64Array(rows),
    tauSquared: new Float64Array(rows),
  };
  const partial = new Float64Array(1 << blockSize);
  sumHeads(table.exposure, patterns, partial, calibration.headExposure);
  const headSamples = largest.map(() => new Float64Array(rowsAtATime));
  const headSquares = largest.map(() => new Float64Array(rowsAtATime));
  for (let start = 0; start < rows; start += rowsAtATime) {
    const size = Math.min(rowsAtATime, rows - start);
    largest.forEach((f, i) => {
      sumHeads(table.samples[f]!, patterns, partial, headSamples[i]!, rows, start, size);
      sumHeads(table.squares[f]!, patterns, partial, headSquares[i]!, rows, start, size);
    });
    for (let row = 0; row < size; row++) {
      const o1 = calibration.headExposure[start + row]!;
      const o0 = totalExposure - o1;
      for (let i = 0; i < count; i++) {
        const f = largest[i]!;
        const c1 = headSamples[i]![row]!;
        const q1 = headSquares[i]![row]!;
        pearsonSums[i] = pearson(c1, total[f]! - c1, q1, totalSquares[f]! - q1, o1, o0);
        spreads[i] = (pearsonSums[i]! / df / medianOfDispersion - 1) / means[i]!;
        spreadWeights[i] = weights[i]!;
      }
      const tauSquared = Math.max(0, weightedMedian(spreads, spreadWeights));
      for (let i = 0; i < centreCount; i++) {
        const a = headSamples[i]![row]! + 0.5;
        const b = total[largest[i]!]! + 1 - a;
        const dispersion = moderate(pearsonSums[i]!, df, tauSquared, means[i]!);
        ratios[i] = Math.log((a * o0) / (b * o1));
        precisions[i] = 1 / (dispersion * (1 / a + 1 / b) + centreFloor);
      }
      calibration.tauSquared[start + row] = tauSquared;
      calibration.centre[start + row] = trimmedMean(ratios, precisions);
    }
  }
  return calibration;
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
export function estimateAt(
  table: SampleTable,
  f: number,
  { instances, head }: Relabellings,
  calibration: Calibration,
  row: number,
): [number, number] {
  const samples = table.samples[f]!;
  const squares = table.squares[f]!;
  let c1 = 0;
  let q1 = 0;
  const start = row * instances;
  for (let i = 0; i < instances; i++) {
    if (head[start + i] === 0) continue;
    c1 += samples[i]!;
    q1 += squares[i]!;
  }
  const total = table.total[f]!;
  const o1 = calibration.headExposure[row]!;
  const o0 = table.totalExposure - o1;
  const sum = pearson(c1, total - c1, q1, table.totalSquares[f]! - q1, o1, o0);
  const dispersion = moderate(sum, instances - 2, calibration.tauSquared[row]!, total / instances);
  const a = c1 + 0.5;
  const b = total + 1 - a;
  return [Math.log((a * o0) / (b * o1)) - calibration.centre[row]!, dispersion * (1 / a + 1 / b)];
}
