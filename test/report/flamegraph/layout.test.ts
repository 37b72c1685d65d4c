import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeFlameGraph, computeOffsets, frameAt, type Width } from '../../../src/report/flamegraph/layout.ts';
import { generatedTree, ordersTree, treeOf } from './sample-trees.ts';

const anyTree = fc
  .array(fc.record({ jump: fc.nat(5), base: fc.nat(50), head: fc.nat(50) }), { maxLength: 60 })
  .map((rows) => {
    const path: number[] = [];
    return treeOf(
      rows.map(({ jump, base, head }, index) => {
        path.length = Math.max(0, path.length - jump);
        const parent = path.at(-1) ?? -1;
        path.push(index);
        return { parent, base, head };
      }),
    );
  });

describe('computeFlameGraph()', () => {
  const graph = computeFlameGraph(
    treeOf([
      { parent: -1, base: 1, head: 1 },
      { parent: 0, base: 2, head: 5 },
      { parent: 0, base: 9, head: 6 },
      { parent: -1, base: 4, head: 4 },
    ]),
  );
  it('adds self values up to a root that holds everything', () => {
    expect(Array.from(graph.base)).toEqual([16, 12, 9, 2, 4]);
    expect(Array.from(graph.head)).toEqual([16, 12, 6, 5, 4]);
  });
  it('puts the child with the larger side first', () => {
    expect(Array.from(graph.name)).toEqual([-1, 0, 2, 1, 3]);
  });
  it('keeps gross rises and falls that cancel in the net', () => {
    expect(graph.head[1]! - graph.base[1]!).toBe(0);
    expect([graph.risen[1], graph.fallen[1]]).toEqual([3, 3]);
  });
  it('is as wide as common, grown and shrunk together in the union', () => {
    expect(graph.both[0]).toBe(16 + 3);
  });
  it('is empty for an empty tree', () => {
    const empty = computeFlameGraph(treeOf([]));
    expect(empty.name).toHaveLength(1);
    expect(empty.head[0]).toBe(0);
  });
  it('keeps totals and nesting for any tree', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const any = computeFlameGraph(tree);
        const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
        expect(any.base[0]).toBe(sum(tree.nodes.baseSelf));
        expect(any.head[0]).toBe(sum(tree.nodes.headSelf));
        expect(any.both[0]).toBe(any.base[0]! + any.risen[0]!);
        expect(any.end[0]).toBe(any.name.length);
        for (let node = 1; node < any.name.length; node++) {
          const parent = any.parent[node]!;
          expect(parent).toBeLessThan(node);
          expect(any.end[node]).toBeLessThanOrEqual(any.end[parent]!);
          expect(any.depth[node]).toBe(any.depth[parent]! + 1);
        }
      }),
    );
  });
});

describe('computeOffsets()', () => {
  it('keeps every frame inside its caller and beside its neighbours, in every width', () => {
    fc.assert(
      fc.property(anyTree, fc.constantFrom<Width>('head', 'base', 'both'), (tree, width) => {
        const graph = computeFlameGraph(tree);
        const widths = graph[width];
        const offsets = computeOffsets(graph, width);
        const right = new Float64Array(widths.length);
        for (let node = 1; node < widths.length; node++) {
          const parent = graph.parent[node]!;
          expect(offsets[node]).toBeGreaterThanOrEqual(Math.max(offsets[parent]!, right[parent]!));
          expect(offsets[node]! + widths[node]!).toBeLessThanOrEqual(offsets[parent]! + widths[parent]!);
          right[parent] = offsets[node]! + widths[node]!;
        }
      }),
    );
  });
});

describe('frameAt()', () => {
  it('finds every frame that has a width, at its middle', () => {
    for (const graph of [computeFlameGraph(ordersTree()), computeFlameGraph(generatedTree(3_000))]) {
      const offsets = computeOffsets(graph, 'head');
      for (let node = 0; node < graph.name.length; node++) {
        if (graph.head[node]! <= graph.head[0]! * 1e-9) continue; // narrower than rounding errors
        const middle = offsets[node]! + graph.head[node]! / 2;
        expect(frameAt(graph, offsets, graph.head, 0, graph.depth[node]!, middle)).toBe(node);
      }
    }
  });
  it('finds nothing beside and below the frames', () => {
    const graph = computeFlameGraph(ordersTree());
    const offsets = computeOffsets(graph, 'head');
    expect(frameAt(graph, offsets, graph.head, 0, 0, -1)).toBe(-1);
    expect(frameAt(graph, offsets, graph.head, 0, 0, graph.head[0]! * 1.01)).toBe(-1);
    expect(frameAt(graph, offsets, graph.head, 0, graph.maxDepth + 1, 0)).toBe(-1);
  });
});
