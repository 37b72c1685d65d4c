/** Where the arrow keys lead. */
import type { FlameGraph } from '../layout.ts';

export type Arrow = 'parent' | 'child' | 'previous' | 'next';

/** The frame an arrow leads to, among frames that have a width; the same frame when there is none. */
export function frameBeside(graph: FlameGraph, widths: Float64Array, node: number, arrow: Arrow): number {
  const parent = graph.parent[node]!;
  if (arrow === 'parent') return parent < 0 ? node : parent;
  if (arrow === 'child') return childrenOf(graph, widths, node)[0] ?? node;
  if (parent < 0) return node;
  const siblings = childrenOf(graph, widths, parent);
  const place = siblings.indexOf(node);
  return siblings[place + (arrow === 'next' ? 1 : -1)] ?? node;
}

function childrenOf(graph: FlameGraph, widths: Float64Array, node: number): number[] {
  const children: number[] = [];
  for (let child = node + 1; child < graph.end[node]!; child = graph.end[child]!) {
    if (widths[child]! > 0) children.push(child);
  }
  return children;
}
