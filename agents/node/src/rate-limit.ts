/** A token bucket: `burst` at once, then one every `everyMs`. */
export interface RateLimit {
  /** Takes a token and returns 0, or takes none and returns how many milliseconds are missing to the next one. */
  take(nowMs: number): number;
}

/** Creates a full bucket. Times are of one steady clock, in milliseconds. */
export function createRateLimit(limit: { burst: number; everyMs: number; nowMs: number }): RateLimit {
  let tokens = limit.burst;
  let atMs = limit.nowMs;
  return {
    take(nowMs) {
      tokens = Math.min(limit.burst, tokens + (nowMs - atMs) / limit.everyMs);
      atMs = nowMs;
      if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) * limit.everyMs));
      tokens--;
      return 0;
    },
  };
}
