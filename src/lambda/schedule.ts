import type { Clock } from '../clock.ts';

/** An open loop: calls leave by the clock, whether or not earlier ones have been answered. */
export interface Rate {
  perSecond: number;
  /** The rate grows in a straight line from 0 over this time. */
  rampMs: number;
}

/** Share of the interval by which a call may leave early or late, so that no timer of the function beats in step. */
const JITTER = 0.1;

/**
 * When call `index` is due, in milliseconds after the start: evenly spaced once the ramp is over, and during it so
 * that the rate grows linearly (the number of calls by time t is r·t²/2R, hence t = √(2·i·R/r)).
 */
export function dueMs(index: number, { perSecond, rampMs }: Rate): number {
  const perMs = perSecond / 1000;
  const inRamp = (perMs * rampMs) / 2;
  return index < inRamp ? Math.sqrt((2 * index * rampMs) / perMs) : rampMs + (index - inRamp) / perMs;
}

/** The due times of calls 0, 1, 2 …, each moved by up to 10 % of the interval; never out of order. */
export function* dueTimes(rate: Rate, random: () => number): Generator<number, never> {
  const intervalMs = 1000 / rate.perSecond;
  for (let index = 0; ; index++) yield Math.max(0, dueMs(index, rate) + (random() - 0.5) * JITTER * intervalMs);
}

/** Waits for a moment of the monotonic clock. */
export async function waitUntil(clock: Clock, momentMs: number, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const leftMs = momentMs - clock.monotonicMs();
    if (leftMs <= 0 || signal?.aborted) return;
    // A timer may be a millisecond or two late: what is left is waited for in small parts, answers read in between.
    await clock.sleep(leftMs > 2 ? Math.min(LONGEST_NAP_MS, Math.floor(leftMs - 1)) : Math.min(leftMs, 0.5));
  }
}

/** An interruption is noticed after so long. */
const LONGEST_NAP_MS = 200;
