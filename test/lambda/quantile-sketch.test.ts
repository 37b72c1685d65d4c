import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addValue,
  createSketch,
  meanOf,
  mergeSketches,
  type QuantileSketch,
  quantileOf,
  RELATIVE_ERROR,
  sketchFromJson,
  sketchToJson,
} from '../../src/lambda/quantile-sketch.ts';

const of = (values: number[]): QuantileSketch => {
  const sketch = createSketch();
  for (const value of values) addValue(sketch, value);
  return sketch;
};
const values = fc.array(fc.double({ min: 0.001, max: 900_000, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('a quantile sketch', () => {
  it('answers every quantile within 0.1 % of the nearest rank', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
        const sorted = [...all].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
        const found = quantileOf(of(all), q)!;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(RELATIVE_ERROR * exact * 1.0001);
      }),
    );
  });

  it('knows mean, least and largest value exactly', () => {
    const sketch = of([0.25, 1.5, 1000]);
    expect(meanOf(sketch)).toBeCloseTo(1001.75 / 3, 9);
    expect([quantileOf(sketch, 0), quantileOf(sketch, 1)]).toEqual([0.25, 1000]);
  });

  it('is the same however its parts are merged', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const left = sketchToJson(mergeSketches(mergeSketches(of(a), of(b)), of(c)));
        expect(sketchToJson(mergeSketches(of(a), mergeSketches(of(b), of(c))))).toEqual(left);
        expect(sketchToJson(mergeSketches(of(c), mergeSketches(of(b), of(a))))).toEqual(left);
        expect(sketchToJson(of([...a, ...b, ...c]))).toEqual(left);
      }),
    );
  });

  it('survives JSON, empty or not', () => {
    for (const sketch of [of([]), of([1, 2, 3])])
      expect(sketchFromJson(JSON.parse(JSON.stringify(sketchToJson(sketch))))).toEqual(sketch);
  });

  it('has no quantile of nothing', () => {
    expect(quantileOf(createSketch(), 0.5)).toBeNull();
    expect(meanOf(createSketch())).toBeNull();
  });

  it('stays small: a million values fill a few thousand buckets', () => {
    const sketch = createSketch();
    for (let i = 0; i < 1e6; i++) addValue(sketch, 1 + (i % 100_000) / 10);
    expect(sketch.buckets.size).toBeLessThan(6000);
    expect(quantileOf(sketch, 0.5)! / 5001).toBeCloseTo(1, 2);
  });
});
