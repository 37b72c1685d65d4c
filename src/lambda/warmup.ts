/** Calls of one round of an automatic warm-up, for each instance. */
export const ROUND_PER_INSTANCE = 5;
/** V8 compiles hot code in the first dozens of calls. */
const FEWEST_ROUNDS = 3;
const MOST_ROUNDS = 12;
/** Medians of rounds this close are the same. */
const STEADY = 0.05;
const STEADY_MS = 0.1;

/**
 * Whether instances are warm: the median duration of the last round is no longer below that of the round before.
 * @param rounds durations in ms of each round so far, cold starts left out
 */
export function isWarm(rounds: readonly number[][]): boolean {
  if (rounds.length >= MOST_ROUNDS) return true;
  if (rounds.length < FEWEST_ROUNDS) return false;
  const [before, last] = rounds.slice(-2).map(median) as [number, number];
  return Number.isNaN(last) || before - last <= Math.max(STEADY * before, STEADY_MS);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[sorted.length >> 1]!;
}
