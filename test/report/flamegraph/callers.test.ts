import { describe, expect, it } from 'vitest';
import { computeSandwich } from '../../../src/report/flamegraph/callers.ts';
import { frameName } from '../../../src/report/flamegraph/frame.ts';
import { computeFlameGraph, type FlameGraph } from '../../../src/report/flamegraph/layout.ts';
import { ordersTree, treeOf } from './sample-trees.ts';

/** `name(base→head)` of every frame, indented by depth. */
const outline = (graph: FlameGraph): string[] =>
  Array.from(
    graph.name,
    (_, node) => `${' '.repeat(graph.depth[node]!)}${frameName(graph, node)} ${graph.base[node]}→${graph.head[node]}`,
  );

describe('computeSandwich()', () => {
  // a → c → d, b → c → e, and c → c (recursion)
  const graph = computeFlameGraph({
    ...treeOf([
      { parent: -1, base: 1, head: 1, name: 0 },
      { parent: 0, base: 2, head: 4, name: 2 },
      { parent: 1, base: 3, head: 3, name: 3 },
      { parent: 1, base: 1, head: 2, name: 2 },
      { parent: -1, base: 0, head: 0, name: 1 },
      { parent: 4, base: 5, head: 5, name: 2 },
      { parent: 5, base: 0, head: 7, name: 4 },
    ]),
    names: ['a', 'b', 'c', 'd', 'e'],
  });
  const { callers, callees } = computeSandwich(graph, 2);

  it('merges everything the function calls', () => {
    expect(outline(callees)).toEqual(['all 11→21', ' c 11→21', '  e 0→7', '  d 3→3', '  c 1→2']);
  });
  it('merges everything that calls it, each as wide as what passes through', () => {
    expect(outline(callers)).toEqual(['all 11→21', ' c 11→21', '  b 5→12', '  a 6→9']);
  });
  it('counts a recursive function once', () => expect(callees.head[1]).toBe(21));
  it('adds the noise of independent stacks in quadrature', () => {
    const noisy = computeFlameGraph(ordersTree());
    const marshal = noisy.names.indexOf('encoding/json.Marshal');
    expect(computeSandwich(noisy, marshal).callees.noise?.[1]).toBeCloseTo(0.12e6);
  });
  it('is empty for a function that is not there', () => {
    expect(computeSandwich(graph, 99).callees.name).toHaveLength(1);
  });
});
