import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueMs, dueTimes } from '../../src/lambda/schedule.ts';
import { isWarm } from '../../src/lambda/warmup.ts';

describe('dueMs()', () => {
  it('spaces calls evenly at a constant rate', () => {
    expect([0, 1, 2, 100].map((i) => dueMs(i, { perSecond: 50, rampMs: 0 }))).toEqual([0, 20, 40, 2000]);
  });

  it('reaches the rate in a straight line: half as many calls during the ramp', () => {
    const rate = { perSecond: 100, rampMs: 10_000 };
    expect(dueMs(500, rate)).toBeCloseTo(10_000, 6);
    expect(dueMs(125, rate)).toBeCloseTo(5000, 6);
    expect(dueMs(600, rate)).toBeCloseTo(11_000, 6);
  });
});

describe('dueTimes()', () => {
  it('never puts a call before the one that precedes it, whatever the random numbers are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 50, maxLength: 50 }),
        fc.integer({ min: 0, max: 3000 }),
        (numbers, rampMs) => {
          const due = dueTimes({ perSecond: 200, rampMs }, () => numbers.shift() ?? 0.5);
          let last = 0;
          for (let i = 0; i < 50; i++) {
            const next = due.next().value;
            expect(next).toBeGreaterThanOrEqual(last);
            last = next;
          }
        },
      ),
    );
  });
});

describe('isWarm()', () => {
  const round = (ms: number) => [ms, ms, ms + 0.3];
  it('needs three rounds, and the last no faster than the one before', () => {
    expect(isWarm([round(10), round(10)])).toBe(false);
    expect(isWarm([round(20), round(15), round(12)])).toBe(false);
    expect(isWarm([round(20), round(12), round(11.9)])).toBe(true);
    expect(isWarm([round(10), round(10), round(14)])).toBe(true);
  });

  it('is satisfied after twelve rounds, and when nothing is known of durations', () => {
    expect(isWarm(Array.from({ length: 12 }, (_, i) => round(100 - 8 * i)))).toBe(true);
    expect(isWarm([[], [], []])).toBe(true);
  });
});
