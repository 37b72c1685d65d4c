import { describe, expect, it } from 'vitest';
import { type CallTree, flattenCallTree, selectInstances } from '../../../src/report/flamegraph/calltree.ts';
import { decodeTree, encodeTree } from '../../../src/report/flamegraph/encode.ts';
import { computeFlameGraph } from '../../../src/report/flamegraph/layout.ts';
import { pruneTree } from '../../../src/report/flamegraph/prune.ts';
import { generatedTree, ordersTree, withInstances } from './sample-trees.ts';

const totals = (tree: CallTree) => {
  const graph = computeFlameGraph(tree);
  return [graph.base[0]!, graph.head[0]!];
};

describe('encodeTree() and decodeTree()', () => {
  it('carry a tree, with values exact to a ten-millionth of the total', () => {
    for (const tree of [ordersTree(), ordersTree('head'), generatedTree(2_000)]) {
      const again = decodeTree(encodeTree(tree));
      expect({ ...again, nodes: undefined }).toEqual({ ...tree, nodes: undefined });
      expect(again.nodes.name).toEqual(tree.nodes.name);
      expect(again.nodes.parent).toEqual(tree.nodes.parent);
      expect(again.nodes.noise === undefined).toBe(tree.nodes.noise === undefined);
      const quantum = Math.max(...totals(tree)) / 1e7;
      again.nodes.headSelf.forEach((value, node) => {
        expect(Math.abs(value - tree.nodes.headSelf[node]!)).toBeLessThanOrEqual(quantum);
      });
    }
  });
  it('carry single instances, what values are of and the time between samples', () => {
    const tree: CallTree = { ...withInstances(ordersTree()), per: 'instance' };
    const again = decodeTree(encodeTree(tree));
    expect([again.per, again.intervalUs]).toEqual(['instance', 10_000]);
    expect(again.instances!.map(({ nodes: _, self: __, ...one }) => one)).toEqual(
      tree.instances!.map(({ nodes: _, self: __, ...one }) => one),
    );
    again.instances!.forEach(({ nodes, self }, i) => {
      expect(nodes).toEqual(tree.instances![i]!.nodes);
      for (const [at, value] of self.entries()) expect(value).toBeCloseTo(tree.instances![i]!.self[at]!, -3);
    });
  });
  it('carry a tree without any value', () => {
    const tree = ordersTree();
    const empty = {
      ...tree,
      nodes: {
        ...tree.nodes,
        baseSelf: new Float64Array(tree.names.length),
        headSelf: new Float64Array(tree.names.length),
      },
    };
    expect(totals(decodeTree(encodeTree(empty)))).toEqual([0, 0]);
  });
});

describe('pruneTree()', () => {
  it('leaves small trees alone', () => {
    const tree = ordersTree();
    expect(pruneTree(tree, 1_000).tree).toBe(tree);
  });
  it('keeps every total and says how much is in (other)', () => {
    const tree = generatedTree(20_000);
    const pruned = pruneTree(tree, 2_000);
    expect(pruned.tree.nodes.name.length).toBeLessThanOrEqual(2_000);
    expect(pruned.prunedNodes).toBeGreaterThan(17_000);
    const [base, head] = totals(pruned.tree) as [number, number];
    expect(base / totals(tree)[0]!).toBeCloseTo(1, 9);
    expect(head / totals(tree)[1]!).toBeCloseTo(1, 9);
    expect(pruned.prunedHead).toBeGreaterThan(0);
    expect(pruned.tree.names.at(-1)).toBe('(other)');
    pruned.tree.nodes.parent.forEach((parent, node) => {
      expect(parent).toBeLessThan(node);
    });
  });
  it('keeps every total of every instance', () => {
    const tree = withInstances(generatedTree(20_000), 2);
    const pruned = pruneTree(tree, 2_000).tree;
    for (const id of ['i-1a2b3c00', 'i-1a2b3c01']) {
      const [base, head] = totals(selectInstances(tree, { base: id, head: id })) as [number, number];
      const [prunedBase, prunedHead] = totals(selectInstances(pruned, { base: id, head: id })) as [number, number];
      expect(prunedBase / base).toBeCloseTo(1, 9);
      expect(prunedHead / head).toBeCloseTo(1, 9);
    }
    for (const { nodes } of pruned.instances!) expect(nodes).toEqual(nodes.toSorted());
  });
  it('keeps the largest frames', () => {
    const tree = generatedTree(20_000);
    const largest = computeFlameGraph(tree);
    const kept = computeFlameGraph(pruneTree(tree, 2_000).tree);
    expect(Array.from(kept.head.slice(0, 5), Math.round)).toEqual(Array.from(largest.head.slice(0, 5), Math.round));
  });
});

describe('selectInstances()', () => {
  const tree = withInstances(ordersTree());
  const [base, head] = totals(tree) as [number, number];
  it('puts one instance in the place of a side, with its own invocations and without the noise of the whole', () => {
    const slow = selectInstances(tree, { base: '', head: 'i-1a2b3c02' });
    expect(totals(slow)).toEqual([base, expect.closeTo(2 * head, 3)]);
    expect([slow.baseInvocations, slow.headInvocations]).toEqual([4_999, 625]);
    expect(slow.nodes.noise).toBeUndefined();
    const both = selectInstances(tree, { base: 'i-1a2b3c00', head: 'i-1a2b3c00' });
    expect(totals(both)).toEqual([expect.closeTo(0.9 * base, 3), expect.closeTo(0.9 * head, 3)]);
  });
  it('leaves the tree alone when no such instance is known', () => {
    expect(selectInstances(tree, { base: 'nobody', head: '__proto__' })).toBe(tree);
    expect(selectInstances(ordersTree(), { base: 'i-1a2b3c00', head: '' }).instances).toBeUndefined();
  });
});

describe('flattenCallTree()', () => {
  const value = (base: number, head: number) => ({ base, head });
  const frame = (key: string) => ({ kind: 'own' as const, key, display: key, file: `${key}.go`, line: 1 });
  const about = { sampleType: 'cpu', unit: 'nanoseconds', baseInvocations: 10, headInvocations: 20 };

  it('writes nodes in preorder under the names the comparison uses', () => {
    const leaf = { frame: 1, self: value(1, 2), total: value(1, 2), children: [] };
    const other = { frame: 2, self: value(3, 0), total: value(3, 0), children: [] };
    const root = { frame: 0, self: value(1, 1), total: value(5, 3), children: [leaf, other] };
    const tree = flattenCallTree({ frames: [frame('a'), frame('b'), frame('c')], roots: [root] }, about);
    expect(tree.names).toEqual(['a', 'b', 'c', '(other)']);
    expect(Array.from(tree.nodes.name)).toEqual([0, 1, 2]);
    expect(Array.from(tree.nodes.parent)).toEqual([-1, 0, 0]);
    expect(totals(tree)).toEqual([5, 3]);
  });
  it('shows what was pruned as (other), so that totals stay', () => {
    const root = { frame: 0, self: value(1, 1), total: value(5, 3), children: [] };
    const tree = flattenCallTree({ frames: [frame('a')], roots: [root] }, about);
    expect(Array.from(tree.nodes.name)).toEqual([0, 1]);
    expect(totals(tree)).toEqual([5, 3]);
  });
});
