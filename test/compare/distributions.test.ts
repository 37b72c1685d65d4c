import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalQuantile, normalUpperTail, studentQuantile, studentUpperTail } from '../../src/compare/distributions.ts';

test('studentUpperTail() agrees with its closed forms for 1, 2 and 4 degrees of freedom', () => {
  for (const t of [-20, -3, -0.5, 0, 0.1, 1, 2.5, 7, 40]) {
    expect(studentUpperTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 12);
    expect(studentUpperTail(t, 2)).toBeCloseTo(0.5 - t / (2 * Math.sqrt(2 + t * t)), 12);
    const s = t / Math.sqrt(4 + t * t);
    expect(studentUpperTail(t, 4)).toBeCloseTo(0.5 - 0.75 * s + 0.25 * s ** 3, 12);
  }
});

test('studentUpperTail() approaches the normal distribution', () => {
  expect(studentUpperTail(1.3, 1e7)).toBeCloseTo(normalUpperTail(1.3), 7);
});

test('normalUpperTail() agrees with numerical integration of the density on both of its branches', () => {
  const integrate = (from: number, to: number) => {
    const steps = 200_000;
    const width = (to - from) / steps;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      // Simpson's rule.
      const [a, m, b] = [from + i * width, from + (i + 0.5) * width, from + (i + 1) * width];
      sum += (Math.exp((-a * a) / 2) + 4 * Math.exp((-m * m) / 2) + Math.exp((-b * b) / 2)) / 6;
    }
    return (sum * width) / Math.sqrt(2 * Math.PI);
  };
  for (const z of [0, 0.7, 2.9, 3.1, 5])
    expect(Math.abs(normalUpperTail(z) / integrate(z, z + 12) - 1)).toBeLessThan(1e-10);
  expect(normalUpperTail(-1)).toBeCloseTo(1 - normalUpperTail(1), 15);
});

test('known quantiles', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
  expect(normalQuantile(0.8)).toBeCloseTo(0.8416212335729143, 12);
  expect(studentQuantile(0.975, 2)).toBeCloseTo(0.95 * Math.sqrt(2 / (4 * 0.975 * 0.025)), 11);
  expect(studentQuantile(0.975, 1)).toBeCloseTo(Math.tan(Math.PI * 0.475), 10);
  expect(studentQuantile(0.5, 7)).toBeCloseTo(0, 12);
});

test('quantiles invert the tails', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), fc.integer({ min: 1, max: 200 }), (p, df) => {
      expect(studentUpperTail(studentQuantile(p, df), df)).toBeCloseTo(1 - p, 10);
      expect(normalUpperTail(normalQuantile(p))).toBeCloseTo(1 - p, 10);
    }),
    { numRuns: 100 },
  );
});
