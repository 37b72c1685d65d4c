/**
 * Relabellings of instances as base or head: the reference distribution of every test in this folder.
 * All of them when there are few enough, otherwise a seeded sample, so that a re-run decides the same.
 */

import { seededRandom } from '../seeded-random.ts';

/** More relabellings than this are sampled instead of enumerated. */
export const maxRelabellings = 9_999;

export interface Relabellings {
  /** Rows of `head`. Row 0 is the observed labelling, so a p value is "rows at least as extreme" / `rows`. */
  rows: number;
  instances: number;
  /** `head[row * instances + i]` is 1 when instance i counts as head in that row. */
  head: Uint8Array;
  exact: boolean;
}

/** n choose k, or Infinity as soon as it exceeds `limit`. */
export function countCombinations(n: number, k: number, limit = Number.MAX_SAFE_INTEGER): number {
  let count = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) {
    count = (count * (n - Math.min(k, n - k) + i)) / i;
    if (count > limit) return Number.POSITIVE_INFINITY;
  }
  return Math.round(count);
}

/**
 * Relabels instances, keeping the size of both sides: exact up to `maxRelabellings`, otherwise that many seeded rows
 * after the observed one. Swapping base and head gives the mirrored rows, because the side of the first instance is
 * the one that is drawn.
 */
export function relabel(isHead: readonly boolean[], seed: string, limit = maxRelabellings): Relabellings {
  const instances = isHead.length;
  const drawnLabel = isHead[0] ? 1 : 0;
  const observed = Uint8Array.from(isHead, Number);
  const drawn = observed.filter((label) => label === drawnLabel).length;
  const total = countCombinations(instances, drawn, limit);
  const exact = total <= limit;
  const rows = exact ? total : limit + 1;
  const head = new Uint8Array(rows * instances).fill(1 - drawnLabel);
  head.set(observed, 0);
  if (exact) enumerate(head, observed, drawn, drawnLabel);
  else sample(head, instances, drawn, drawnLabel, seededRandom(seed));
  return { rows, instances, head, exact };
}

/** Fills rows 1.. with every labelling but the observed one, in lexicographic order. */
function enumerate(head: Uint8Array, observed: Uint8Array, drawn: number, label: number): void {
  const instances = observed.length;
  const chosen = Array.from({ length: drawn }, (_, i) => i);
  let row = 1;
  for (;;) {
    if (chosen.some((i) => observed[i] !== label)) {
      for (const i of chosen) head[row * instances + i] = label;
      row++;
    }
    let last = drawn - 1;
    while (last >= 0 && chosen[last] === instances - drawn + last) last--;
    if (last < 0) return;
    chosen[last]!++;
    for (let i = last + 1; i < drawn; i++) chosen[i] = chosen[i - 1]! + 1;
  }
}

/** Fills rows 1.. with independent random labellings: the first steps of a Fisher-Yates shuffle. */
function sample(head: Uint8Array, instances: number, drawn: number, label: number, random: () => number): void {
  const order = Uint32Array.from({ length: instances }, (_, i) => i);
  for (let start = instances; start < head.length; start += instances) {
    for (let i = 0; i < drawn; i++) {
      const j = i + Math.floor(random() * (instances - i));
      const picked = order[j]!;
      order[j] = order[i]!;
      order[i] = picked;
      head[start + picked] = label;
    }
  }
}
