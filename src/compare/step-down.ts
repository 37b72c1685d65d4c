import { type Calibration, estimateAt } from './calibration.ts';
import { blockSize, rowsAtATime, sumHeads } from './head-sums.ts';
import type { Relabellings } from './permutation.ts';
import type { SampleTable } from './sample-table.ts';

/**
 * Step-down maxT in both directions: functions from the least to the most extreme, keeping for every row the largest
 * z so far. With A/B the calibrated rates, ln(A/B) <= (A-B)/sqrt(AB) and a dispersion of at least 1 bound z without a
 * logarithm, a root or the squares; only where the bound exceeds the largest z so far is z computed.
 */
export function stepDown(
  table: SampleTable,
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
    const bounds = boundRows(table, family, patterns, calibration, start, size);
    const zAt = (i: number, row: number) => {
      const [estimate, variance] = estimateAt(table, family[i]!, relabellings, calibration, start + row);
      return estimate / Math.sqrt(variance);
    };
    countAtLeast(ascending, observed, bounds, size, zAt, 1, more);
    countAtLeast(descending, observed, bounds, size, zAt, -1, less);
  }
  return { pMore: toP(more, ascending, relabellings.rows), pLess: toP(less, descending, relabellings.rows) };
}

/** `[function * size + row]`: an upper bound of z squared, with the sign of z. */
function boundRows(
  table: SampleTable,
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
    const o0 = table.totalExposure - o1;
    // (A-B)/sqrt(AB) with A = a e^-c / o1 and B = b / o0 is a * headRate - b * baseRate, over sqrt(a b).
    const ratio = Math.sqrt((Math.exp(-calibration.centre[start + row]!) * o0) / o1);
    headRate[row] = ratio;
    baseRate[row] = 1 / ratio;
  }
  const partial = new Float64Array(1 << blockSize);
  const heads = new Float64Array(size);
  const bounds = new Float64Array(family.length * size);
  for (let i = 0; i < family.length; i++) {
    const both = table.total[family[i]!]! + 1;
    const scale = (1 + 1e-9) / both;
    sumHeads(table.samples[family[i]!]!, patterns, partial, heads, rows, start);
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
