/** Time as a parameter: tests need no waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Milliseconds since an arbitrary moment; never goes back. */
  monotonicMs(): number;
  /** Below a millisecond it may return early, at the next turn of the event loop. */
  sleep(ms: number): Promise<void>;
}

/** Longest time that answers are not read while a part of a millisecond passes. */
const LONGEST_BLOCK_MS = 0.1;
const nothing = new Int32Array(new SharedArrayBuffer(4));

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms) =>
    new Promise((resolve) => {
      if (ms >= 1) return void setTimeout(resolve, ms);
      // Timers know whole milliseconds only. To turn the event loop until it is time takes a processor, and leaves so
      // much garbage that the collector runs when a call is due.
      Atomics.wait(nothing, 0, 0, Math.min(ms, LONGEST_BLOCK_MS));
      setImmediate(resolve);
    }),
};
