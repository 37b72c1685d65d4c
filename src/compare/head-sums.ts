import type { Relabellings } from './permutation.ts';

/** Instances in one table of partial sums. 256 entries stay in the fastest cache. */
export const blockSize = 8;

/** Rows handled at a time, so that the sums of thousands of functions stay in a cache: 5 MB for 5,000. */
export const rowsAtATime = 128;

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
 * Writes the head side's sum of `values` in `size` rows from `start` on to `sums`: one table look-up and addition per
 * 8 instances. `partial` is scratch space for the table.
 */
export function sumHeads(
  values: Float64Array,
  patterns: Uint16Array,
  partial: Float64Array,
  sums: Float64Array,
  rows = sums.length,
  start = 0,
  size = sums.length,
): void {
  sums.fill(0, 0, size);
  for (let block = 0; block * blockSize < values.length; block++) {
    partial[0] = 0;
    for (let bit = 0; bit < blockSize; bit++) {
      const value = values[block * blockSize + bit] ?? 0;
      const filled = 1 << bit;
      for (let i = 0; i < filled; i++) partial[filled + i] = partial[i]! + value;
    }
    const offset = block * rows + start;
    for (let row = 0; row < size; row++) sums[row]! += partial[patterns[offset + row]!]!;
  }
}
