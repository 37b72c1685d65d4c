import { describe, expect, it } from 'vitest';
import { withSamplingNoise } from '../../../src/report/flamegraph/noise.ts';
import { allocationsTree, ordersTree, treeOf } from './sample-trees.ts';

describe('withSamplingNoise()', () => {
  const tree = {
    ...treeOf([
      { parent: -1, base: 0, head: 0 },
      { parent: 0, base: 4e6, head: 4e6 },
    ]),
    baseInvocations: 400,
    headInvocations: 400,
  };
  it('is three standard errors of a count of samples', () => {
    // 4 ms in each of 400 invocations at 10 ms: 160 samples a side.
    const expected = (3 * Math.sqrt(160 + 160) * 1e7) / 400;
    expect(withSamplingNoise(tree, 10_000).nodes.noise?.[1]).toBeCloseTo(expected);
  });
  it('belongs to totals: a caller has that of all it calls', () => {
    const noise = withSamplingNoise(tree, 10_000).nodes.noise!;
    expect(noise[0]).toBe(noise[1]);
  });
  it('takes the interval of the tree, and none for delays, which are not sampled by time', () => {
    const own = { ...tree, intervalUs: 10_000 };
    expect(withSamplingNoise(own).nodes.noise).toEqual(withSamplingNoise(tree, 10_000).nodes.noise);
    expect(withSamplingNoise(own, 1).nodes.noise).toEqual(withSamplingNoise(own).nodes.noise);
    expect(withSamplingNoise({ ...own, sampleType: 'delay' }).nodes.noise).toBeUndefined();
  });
  it('shrinks with the number of invocations', () => {
    const more = { ...tree, baseInvocations: 40_000, headInvocations: 40_000 };
    const ratio = withSamplingNoise(more, 10_000).nodes.noise![1]! / withSamplingNoise(tree, 10_000).nodes.noise![1]!;
    expect(ratio).toBeCloseTo(0.1);
  });
  it('leaves a noise that is known, values that are not time, and single sides alone', () => {
    expect(withSamplingNoise(ordersTree(), 10_000)).toEqual(ordersTree());
    const { noise: _, ...nodes } = allocationsTree().nodes;
    expect(withSamplingNoise({ ...allocationsTree(), nodes }, 10_000).nodes.noise).toBeUndefined();
    expect(withSamplingNoise({ ...tree, baseInvocations: 0 }, 10_000).nodes.noise).toBeUndefined();
    expect(withSamplingNoise(tree, 0).nodes.noise).toBeUndefined();
  });
});
