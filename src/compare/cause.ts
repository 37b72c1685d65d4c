/**
 * One finding for one cause. A sampler cannot place the boundary of a call exactly: what a callee newly costs shows a
 * little in its caller too (returning, tiering up, code that the compiler moved). When a caller and its callee are both
 * slower and the callee explains nearly all of it, the callee is the finding, and the caller is a part of it.
 */
import { type FunctionChange, isReviewable } from './comparison.ts';
import type { Unit } from './units.ts';

/** The callee explains at least 80 % of the two changes together, so the caller has at most a quarter of the callee's. */
const largestPart = 0.25;

/**
 * Finds slower functions that are part of the finding of a function they call.
 * @param callersOf the keys of the functions that call the function of this key
 * @returns key of the part -> change that explains it, the largest one when several do
 */
export function findParts(
  changes: readonly FunctionChange[],
  callersOf: (key: string) => { has(key: string): boolean },
): Map<string, FunctionChange> {
  const slower = changes.filter(({ change }) => change === 'slower').sort((a, b) => added(b) - added(a));
  const parts = new Map<string, FunctionChange>();
  for (const callee of slower)
    for (const caller of slower)
      if (
        caller !== callee &&
        !parts.has(caller.key) &&
        callersOf(callee.key).has(caller.key) &&
        added(caller) <= largestPart * added(callee)
      )
        parts.set(caller.key, callee);
  return parts;
}

const deepestPath = 12;

/**
 * How a function is reached: by the caller for which it spends most, and so on up to one that nobody calls.
 * @returns display names from the top down to the function itself
 */
export function callPathOf(
  key: string,
  units: ReadonlyMap<string, Pick<Unit, 'display' | 'kind' | 'callers'>>,
): string[] {
  const path: string[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = key; at !== undefined && path.length < deepestPath; ) {
    const { display, callers }: Pick<Unit, 'display' | 'callers'> = units.get(at)!;
    path.unshift(display);
    seen.add(at);
    const heaviest: [string, number] | undefined = [...callers]
      .filter(([caller]) => !seen.has(caller) && isReviewable(units.get(caller) ?? { kind: 'runtime' }))
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0];
    at = heaviest?.[0];
  }
  return path;
}

function added({ baseNanosPerInvocation, headNanosPerInvocation }: FunctionChange): number {
  return headNanosPerInvocation - baseNanosPerInvocation;
}
