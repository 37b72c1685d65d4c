import { expect, test } from 'vitest';
import { testFunctions } from '../../src/compare/functions.ts';

/** Ten instances, six functions: plain numbers without any random generator, so that the results can be pinned. */
const counts = Array.from({ length: 10 }, (_, i) =>
  Float64Array.from({ length: 6 }, (_, f) => {
    const slower = f === 2 && i >= 5 ? 1.6 : 1;
    return Math.round((60 / (f + 1)) * slower * (1 + ((i * 7 + f * 5) % 10) / 40));
  }),
);
const isHead = counts.map((_, i) => i >= 5);

test('testFunctions() finds the one function that was made slower, at the smallest p ten instances allow', () => {
  const result = testFunctions({ counts, isHead, seed: 's' });
  expect(result.tested).toEqual([0, 1, 2, 3, 4, 5]);
  expect(result).toMatchObject({ exact: true, relabellings: 252, df: 18 });
  expect(result.pMore[2]).toBeCloseTo(1 / 252, 15);
  expect(Math.exp(result.logRatio[2]!)).toBeGreaterThan(1.4);
  for (const f of [0, 1, 3, 4, 5]) expect(result.pMore[f]).toBeGreaterThan(0.2);
});

test('testFunctions() computes these very numbers', () => {
  const { logRatio, standardError, pMore, pLess, centre, tauSquared } = testFunctions({ counts, isHead, seed: 's' });
  expect({
    logRatio: [...logRatio].map((value) => value.toFixed(12)),
    standardError: [...standardError].map((value) => value.toFixed(12)),
    pMore: [...pMore].map((value) => Math.round(value * 252)),
    pLess: [...pLess].map((value) => Math.round(value * 252)),
    centre: centre.toFixed(12),
    tauSquared: tauSquared.toFixed(12),
  }).toMatchInlineSnapshot(`
    {
      "centre": "-0.070403215799",
      "logRatio": [
        "0.010565170896",
        "-0.046066218718",
        "0.465404070061",
        "-0.028207019318",
        "0.042974493118",
        "-0.051704043862",
      ],
      "pLess": [
        230,
        170,
        252,
        230,
        244,
        203,
      ],
      "pMore": [
        194,
        229,
        1,
        213,
        152,
        227,
      ],
      "standardError": [
        "0.077273712919",
        "0.109121027817",
        "0.120452380925",
        "0.154306083583",
        "0.172208201841",
        "0.188173649499",
      ],
      "tauSquared": "0.000000000000",
    }
  `);
});

test('testFunctions() gives p = 1/20 by hand for three against three', () => {
  // Function 0 has its three largest shares on the head side: 1 of the 20 labellings is as extreme. Nothing else moves.
  const three = [
    [20, 80, 80, 80],
    [22, 80, 80, 80],
    [21, 80, 80, 80],
    [60, 80, 80, 80],
    [66, 80, 80, 80],
    [63, 80, 80, 80],
  ].map((row) => Float64Array.from(row));
  const result = testFunctions({ counts: three, isHead: [false, false, false, true, true, true], seed: 's' });
  expect(result.pMore[0]).toBeCloseTo(1 / 20, 15);
  expect(result.pLess[0]).toBe(1);
});

test('testFunctions() leaves out functions with fewer than ten samples on both sides together', () => {
  const few = counts.map((row, i) => Float64Array.of(...row, i < 9 ? 1 : 0));
  expect(testFunctions({ counts: few, isHead, seed: 's' }).tested).toEqual([0, 1, 2, 3, 4, 5]);
});

test('testFunctions() is symmetric: swapping the sides swaps the p values and the sign', () => {
  const there = testFunctions({ counts, isHead, seed: 's' });
  const back = testFunctions({ counts, isHead: isHead.map((head) => !head), seed: 's' });
  back.logRatio.forEach((value, i) => {
    expect(value).toBeCloseTo(-there.logRatio[i]!, 12);
    expect(back.standardError[i]).toBeCloseTo(there.standardError[i]!, 12);
  });
  expect([...back.pMore]).toEqual([...there.pLess]);
  expect([...back.pLess]).toEqual([...there.pMore]);
});

test('testFunctions() is not fooled by one function that became twice as fast', () => {
  const faster = counts.map((row, i) => row.map((value, f) => (f === 0 && i >= 5 ? Math.round(value / 2) : value)));
  const result = testFunctions({ counts: faster, isHead, seed: 's' });
  expect(result.pLess[0]).toBeLessThan(0.01);
  for (const f of [1, 3, 4, 5]) expect(result.pMore[f]).toBeGreaterThan(0.05);
});

test('testFunctions() tests only the functions it is restricted to, calibrated by all', () => {
  const all = testFunctions({ counts, isHead, seed: 's' });
  const some = testFunctions({ counts, isHead, seed: 's', restrictTo: new Set([2, 4]) });
  expect(some.tested).toEqual([2, 4]);
  expect([...some.logRatio]).toEqual([all.logRatio[2], all.logRatio[4]]);
  expect(some.centre).toBe(all.centre);
});

test('testFunctions() copes with a function that exists on one side only, and with one instance against many', () => {
  const appeared = counts.map((row, i) => Float64Array.of(...row, i >= 5 ? 12 : 0));
  const result = testFunctions({ counts: appeared, isHead, seed: 's' });
  expect(result.pMore[6]).toBeCloseTo(1 / 252, 15);
  expect(Number.isFinite(result.standardError[6]!)).toBe(true);
  const lonely = testFunctions({ counts, isHead: counts.map((_, i) => i === 9), seed: 's' });
  expect(lonely.relabellings).toBe(10);
  expect([...lonely.logRatio, ...lonely.standardError].every(Number.isFinite)).toBe(true);
});
