import { expect, test } from 'vitest';
import { computeResolution, type ResolutionInput } from '../../src/compare/resolution.ts';

const input: ResolutionInput = {
  baseInstances: 8,
  headInstances: 8,
  baseSamplesPerInstance: 1_500,
  headSamplesPerInstance: 1_500,
  tauSquared: 0.04 ** 2,
  functionsTested: 60,
  alpha: 0.05,
  df: 24,
  labellings: 10_000,
};

test('computeResolution() follows its formula', () => {
  // 5 %: variance 2/8 (0.0016 + 1/75) = 0.003733; exp((3.5405 + 0.8416) sqrt(0.003733)) - 1 = 0.307, where 3.5405 is
  // the quantile of Student's t with 24 degrees of freedom that 0.05 / 60 lies above.
  expect(computeResolution(input).map(({ share, detectable }) => [share, detectable.toFixed(2)])).toEqual([
    [0.2, '0.17'],
    [0.05, '0.31'],
    [0.01, '0.77'],
  ]);
});

test('computeResolution() gets finer with samples and instances, but not beyond the scatter between instances', () => {
  const at = (more: Partial<ResolutionInput>) => computeResolution({ ...input, ...more })[1]!.detectable;
  const many = { baseSamplesPerInstance: 1e9, headSamplesPerInstance: 1e9 };
  expect(at({ baseInstances: 16, headInstances: 16 })).toBeLessThan(at({}));
  expect(at(many)).toBeLessThan(at({}));
  expect(at(many)).toBeGreaterThan(0.08);
});

test('computeResolution() says infinite when no p can be small enough, or nothing was tested', () => {
  const infinite = (more: Partial<ResolutionInput>) =>
    computeResolution({ ...input, ...more }).every(({ detectable }) => detectable === Number.POSITIVE_INFINITY);
  expect(infinite({ baseInstances: 2, headInstances: 2, labellings: 6 })).toBe(true);
  expect(infinite({ functionsTested: 0 })).toBe(true);
  expect(infinite({ headInstances: 0, headSamplesPerInstance: Number.NaN })).toBe(true);
});
