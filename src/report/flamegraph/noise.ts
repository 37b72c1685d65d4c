/** How much of a frame's change sampling alone explains. */
import type { CallTree } from './calltree.ts';

/** Changes beyond this many standard errors are coloured. */
const standardErrors = 3;

const nanosPer: Record<string, number> = { nanoseconds: 1, microseconds: 1e3, milliseconds: 1e6 };

/**
 * The tree with a noise for every node, where time was sampled at a known interval; any other tree as it is. The tree's
 * own interval counts, `knownUs` where it has none.
 *
 * A total of v per invocation over m invocations is k = v·m/interval samples. Sample counts are at best Poisson
 * distributed, so the standard error of v is √(v·interval/m), and that of the change the root of both sides' squares.
 */
export function withSamplingNoise(tree: CallTree, knownUs = 0): CallTree {
  const { nodes, baseInvocations, headInvocations, intervalUs = knownUs } = tree;
  const nanos = Object.hasOwn(nanosPer, tree.unit) ? nanosPer[tree.unit] : undefined;
  // Delays of locks and channels are of events, not of samples of time.
  const isKnown = nodes.noise !== undefined || nanos === undefined || tree.sampleType === 'delay' || !(intervalUs > 0);
  if (isKnown || !(baseInvocations > 0) || !(headInvocations > 0)) return tree;
  const interval = (intervalUs * 1_000) / nanos;
  const variance = new Float64Array(nodes.name.length);
  for (let node = variance.length - 1; node >= 0; node--) {
    const own = interval * (nodes.baseSelf[node]! / baseInvocations + nodes.headSelf[node]! / headInvocations);
    variance[node] = variance[node]! + own;
    const parent = nodes.parent[node]!;
    if (parent >= 0) variance[parent] = variance[parent]! + variance[node]!;
  }
  return { ...tree, nodes: { ...nodes, noise: variance.map((value) => standardErrors * Math.sqrt(value)) } };
}
