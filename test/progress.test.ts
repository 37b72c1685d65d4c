import { describe, expect, it } from 'vitest';
import { createProgress } from '../src/progress.ts';

describe('createProgress()', () => {
  const start = () => {
    const lines: string[] = [];
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} };
    const pass = (ms: number): void => {
      nowMs += ms;
    };
    return { lines, pass, progress: createProgress(clock, (line) => lines.push(line)) };
  };
  const state = { op: 'invoke' as const, of: 400, failed: 0, throttled: 0, perSecond: 40, leftMs: 7_000 };

  it('writes one line for a step, and one for the load every five seconds and at its end', () => {
    const { lines, pass, progress } = start();
    progress.step('Invoke orders:7');
    for (const done of [1, 2, 3]) progress.load({ ...state, done });
    pass(5_000);
    progress.load({ ...state, done: 200, failed: 3, throttled: 2 });
    pass(100);
    progress.load({ ...state, done: 400, leftMs: 0 });
    expect(lines).toEqual([
      'Invoke orders:7 …',
      '  measured 1 of 400, 40/s, 7 s left',
      '  measured 200 of 400, 40/s, 3 failed, 2 throttled, 7 s left',
      '  measured 400 of 400, 40/s',
    ]);
    expect(progress.done()).toEqual([{ step: 'Invoke orders:7', ms: 5_100 }]);
  });

  it('counts the rounds of a warm-up that goes on until durations are steady', () => {
    const { lines, progress } = start();
    for (const round of [1, 2]) progress.load({ ...state, op: 'warmup', round, done: 40, of: 40, leftMs: 0 });
    progress.load({ ...state, op: 'warmup', done: 9, of: 9, leftMs: 0 });
    expect(lines).toEqual([
      '  warm-up, round 1: 40 of 40, 40/s',
      '  warm-up, round 2: 40 of 40, 40/s',
      '  warm-up 9 of 9, 40/s',
    ]);
  });

  it('names no total when only the time is limited', () => {
    const { lines, progress } = start();
    progress.load({ ...state, done: 10, of: Number.POSITIVE_INFINITY, perSecond: 4.25 });
    expect(lines).toEqual(['  measured 10, 4.3/s, 7 s left']);
  });
});
