import type { Relabellings } from './permutation.ts';

/** Instances in one table of partial sums. 256 entries stay in the fastest cache. */
export const blockSize = 8;

/** `[block * rows + row]`: which entry of the block's table of partial sums belongs to the row's head side. */
export function packPatterns({ rows, instances, head }: Relabellings): Uint16Array {
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
export function sumHeads(
  values: Float64Array,
  patterns: Uint16Array,
  partial: Float64Array,
  sums: Float64Array,
  rows = sums.length,
  start = 0,
): void {
  const size = sums.length;
  sums.fill(0);
  for (let block = 0; block * blockSize < values.length; block++) {
    partial[0] = 0;
    for (let bit = 0; bit < blockSize; bit++) {
      const value = values[block * blockSize + bit] ?? 0;
      const size = 1 << bit;
      for (let i = 0; i < size; i++) partial[size + i] = partial[i]! + value;
    }
    const offset = block * rows + start;
    for (let row = 0; row < size; row++) sums[row]! += partial[patterns[offset + row]!]!;
  }
}
