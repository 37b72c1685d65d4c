import { describe, expect, test } from 'vitest';
import { adjustHolm, compareMetrics } from '../../src/compare/metrics.ts';
import type { Side, SideInstance } from '../../src/compare/side.ts';

function sideOf(instances: Partial<SideInstance>[], rest: Partial<Side> = {}) {
  const whole: SideInstance[] = instances.map((instance, i) => ({
    id: `i${i}`,
    invocations: 10,
    errors: 0,
    cpuMs: null,
    activeMs: null,
    durationP50Ms: null,
    allocatedBytes: null,
    ...instance,
  }));
  return { side: { weights: undefined, instances: whole, ...rest }, instances: whole };
}
const options = { seed: 's', minRegression: 0.05 };
const metric = (changes: ReturnType<typeof compareMetrics>, id: string) => changes.find((change) => change.id === id)!;

test('adjustHolm() multiplies by the number of tests left and never falls; what was not tested does not count', () => {
  expect(adjustHolm([0.01, Number.NaN, 0.04, 0.03])).toEqual([0.03, Number.NaN, 0.06, 0.06]);
  expect(adjustHolm([0.9, 0.8])).toEqual([1, 1]);
});

describe('compareMetrics()', () => {
  test('p of five against five without overlap is 1/252, computed by hand', () => {
    const base = sideOf([100, 102, 104, 106, 108].map((cpuMs) => ({ cpuMs })));
    const head = sideOf([120, 122, 124, 126, 128].map((cpuMs) => ({ cpuMs })));
    const cpu = metric(compareMetrics(base, head, options), 'cpu');
    expect(cpu.pMore).toBeCloseTo(1 / 252, 15);
    expect(cpu.pLess).toBe(1);
    expect(cpu).toMatchObject({ unit: 'ms', change: 'more' });
    expect(cpu.base).toBeCloseTo(10.396, 3); // geometric mean
    expect(cpu.ratio).toBeCloseTo(cpu.head / cpu.base, 12);
    expect(cpu.ratioLow).toBeGreaterThan(1.1);
    expect(cpu.ratioHigh).toBeLessThan(1.3);
  });

  test('counts ties as extreme', () => {
    const base = sideOf([10, 10, 12, 12].map((durationP50Ms) => ({ durationP50Ms })));
    const head = sideOf([10, 10, 12, 12].map((durationP50Ms) => ({ durationP50Ms })));
    const duration = metric(compareMetrics(base, head, options), 'duration');
    // 36 of the 70 labellings take two of each, 17 more take fewer slow ones: 53 of 70 on either side.
    expect(duration.pMore).toBeCloseTo(53 / 70, 12);
    expect(duration.pLess).toBeCloseTo(53 / 70, 12);
  });

  test('names nothing below its floors, however certain', () => {
    const base = sideOf([1_000, 1_001, 1_002, 1_003, 1_004].map((allocatedBytes) => ({ allocatedBytes })));
    const head = sideOf([1_040, 1_041, 1_042, 1_043, 1_044].map((allocatedBytes) => ({ allocatedBytes })));
    expect(metric(compareMetrics(base, head, options), 'allocated')).toMatchObject({ change: 'unchanged' });
    const fast = sideOf([1, 1.01, 1.02, 1.03, 1.04].map((durationP50Ms) => ({ durationP50Ms })));
    const slow = sideOf([2, 2.01, 2.02, 2.03, 2.04].map((durationP50Ms) => ({ durationP50Ms })));
    expect(metric(compareMetrics(fast, slow, options), 'duration')).toMatchObject({ change: 'unchanged' });
  });

  test('claims a saving against a stored baseline only beyond the drift of machines, and growth as ever', () => {
    const side = (ms: number) =>
      sideOf([0, 1, 2, 3, 4].map((more) => ({ cpuMs: ms + more, allocatedBytes: ms + more })));
    const stored = { ...options, stored: true };
    const changes = (head: number, how: typeof options) =>
      ['cpu', 'allocated'].map((id) => metric(compareMetrics(side(1_000), side(head), how), id).change);
    expect(changes(930, options)).toEqual(['less', 'less']);
    expect(changes(930, stored)).toEqual(['unchanged', 'less']);
    expect(changes(850, stored)).toEqual(['less', 'less']);
    expect(changes(1_070, stored)).toEqual(['more', 'more']);
  });

  test('claims no saving whose interval contains no change, as one slow instance makes it', () => {
    const side = (...cpuMs: number[]) => sideOf(cpuMs.map((ms) => ({ cpuMs: ms })));
    const base = side(100, 100, 100, 100, 100, 100, 100, 900);
    const head = side(90, 90, 90, 90, 90, 90, 90, 90);
    expect(metric(compareMetrics(base, head, options), 'cpu')).toMatchObject({ change: 'unchanged' });
    expect(metric(compareMetrics(base, head, options), 'cpu').pLess).toBeLessThan(0.001);
  });

  test('says unknown, with NaN, for what was not measured', () => {
    const side = sideOf([{}, {}, {}, {}, {}]);
    const changes = compareMetrics(side, side, options);
    for (const id of ['cpu', 'duration', 'allocated', 'memory', 'init'])
      expect(metric(changes, id)).toMatchObject({ base: Number.NaN, pMore: Number.NaN, change: 'unknown' });
  });

  test('shows a single peak of memory without testing it', () => {
    const side = (maxMemoryMb: number) => sideOf([{}, {}], { maxMemoryMb });
    const memory = metric(compareMetrics(side(100), side(150), options), 'memory');
    expect(memory).toMatchObject({ base: expect.closeTo(100), head: expect.closeTo(150), change: 'unknown' });
    expect(memory.ratio).toBeCloseTo(1.5, 12);
  });

  test('spreads billed time over instances by their active time, and prices it', () => {
    const price = { perBilledMs: 0.02, requests: 0.2 };
    const side = (activeMs: number[], billedMeanMs: number) =>
      sideOf(
        activeMs.map((ms) => ({ activeMs: ms })),
        { billedMeanMs, price },
      );
    const base = side([1_000, 1_010, 1_020, 1_030, 1_040], 102.5);
    const head = side([1_200, 1_210, 1_220, 1_230, 1_240], 122.5);
    const changes = compareMetrics(base, head, options);
    const billed = metric(changes, 'billed');
    expect(billed).toMatchObject({ unit: 'ms', change: 'more', pMore: 1 / 252 });
    expect(billed.base).toBeCloseTo(102.49, 2); // geometric mean of 100.5, 101.5, ...
    const cost = metric(changes, 'cost');
    expect(cost).toMatchObject({ unit: 'USD', change: 'more', pMore: billed.pMore });
    expect(cost.base).toBeCloseTo(0.2 + 0.02 * billed.base, 12);
    expect(cost.head).toBeCloseTo(0.2 + 0.02 * billed.head, 12);
    expect(cost.base * cost.ratioLow).toBeCloseTo(0.2 + 0.02 * billed.base * billed.ratioLow, 12);
  });

  test('takes billed time of every instance where it is known', () => {
    const side = (all: number[]) =>
      sideOf(
        all.map((billedMeanMs) => ({ billedMeanMs, activeMs: 1 })),
        { billedMeanMs: 7 },
      );
    const changes = compareMetrics(side([10, 20, 40, 80, 160]), side([20, 40, 80, 160, 320]), options);
    expect(metric(changes, 'billed')).toMatchObject({ base: expect.closeTo(40), head: expect.closeTo(80) });
  });

  test('shows billed time of a producer that does not say how long instances were active, and does not test it', () => {
    const side = (billedMeanMs: number) => sideOf([{}, {}], { billedMeanMs, price: { perBilledMs: 1, requests: 0 } });
    const changes = compareMetrics(side(10), side(20), options);
    expect(metric(changes, 'billed')).toMatchObject({ base: expect.closeTo(10), change: 'unknown' });
    expect(metric(changes, 'cost')).toMatchObject({
      head: expect.closeTo(20),
      change: 'unknown',
      ratioLow: Number.NaN,
    });
  });

  test('tests init only with fifteen cold starts on each side', () => {
    const side = (count: number, ms: number) =>
      sideOf([{}, {}], { initMs: Array.from({ length: count }, (_, i) => ms + i) });
    expect(metric(compareMetrics(side(14, 200), side(15, 400), options), 'init').change).toBe('unknown');
    expect(metric(compareMetrics(side(15, 200), side(15, 400), options), 'init').change).toBe('more');
  });

  test('counts any new error, and more errors by Fisher on instances', () => {
    const errors = (...counts: number[]) => sideOf(counts.map((count) => ({ errors: count })));
    const fresh = metric(compareMetrics(errors(0, 0, 0, 0), errors(0, 1, 0, 0), options), 'errors');
    expect(fresh).toMatchObject({ base: 0, head: 1 / 40, change: 'more' });
    expect(fresh.pMore).toBeCloseTo(0.5, 12);
    // One of four against four of four: (4·1 + ... ) = C(4,1)C(4,4)/C(8,5) = 4/56.
    const more = metric(compareMetrics(errors(1, 0, 0, 0), errors(1, 1, 1, 1), options), 'errors');
    expect(more.pMore).toBeCloseTo(4 / 56, 12);
    expect(more.change).toBe('unchanged');
    expect(metric(compareMetrics(errors(0, 0), errors(0, 0), options), 'errors').change).toBe('unchanged');
  });
});
