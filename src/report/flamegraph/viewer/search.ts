/** Finding frames by name. */
import type { FlameGraph, Width } from '../layout.ts';

/** A test for names: the query as a regular expression, or as plain text when it is not one, like `(*T)`. */
export function computeMatcher(query: string): (name: string) => boolean {
  try {
    const pattern = new RegExp(query, 'iu');
    const plain = query.toLowerCase();
    // `(*T)` fails to compile, `a.(*T).b` must not match less than its literal self.
    return (name) => pattern.test(name) || name.toLowerCase().includes(plain);
  } catch {
    const plain = query.toLowerCase();
    return (name) => name.toLowerCase().includes(plain);
  }
}

export interface Matches {
  /** By name index. */
  names: boolean[];
  /** Outermost matching frames, widest first. */
  nodes: number[];
  base: number;
  head: number;
}

/** All frames whose name matches; what recursion calls again is counted once. */
export function findMatches(graph: FlameGraph, matches: (name: string) => boolean, width: Width): Matches {
  const names = graph.names.map(matches);
  const result: Matches = { names, nodes: [], base: 0, head: 0 };
  for (let node = 0; node < graph.name.length; ) {
    const name = graph.name[node]!;
    if (name < 0 || !names[name]) {
      node++;
      continue;
    }
    result.nodes.push(node);
    result.base += graph.base[node]!;
    result.head += graph.head[node]!;
    node = graph.end[node]!;
  }
  const widths = graph[width];
  result.nodes.sort((a, b) => widths[b]! - widths[a]! || a - b);
  return result;
}

/**
 * The frame that shows a function: of all frames with that name the one that changed most. Names may be given in
 * full or by their end, the way tables shorten them; −1 when there is none.
 */
export function findFrame(graph: FlameGraph, wanted: string): number {
  const exact = graph.names.indexOf(wanted);
  const endsWith = (name: string) => name.endsWith(wanted) && /[/.\s]$/.test(name.slice(0, -wanted.length));
  const name = exact >= 0 ? exact : graph.names.findIndex(endsWith);
  if (name < 0) return -1;
  const importance = (node: number) => Math.abs(graph.head[node]! - graph.base[node]!) || graph.both[node]! * 1e-9;
  let best = -1;
  for (let node = 0; node < graph.name.length; node++) {
    if (graph.name[node] === name && (best < 0 || importance(node) > importance(best))) best = node;
  }
  return best;
}

/** Where most was added, following gross rises (a net change hides them) while one callee holds most of them. */
export function findLargestRise(graph: FlameGraph): number {
  let node = 0;
  for (;;) {
    let largest = -1;
    for (let child = node + 1; child < graph.end[node]!; child = graph.end[child]!) {
      if (largest < 0 || graph.risen[child]! > graph.risen[largest]!) largest = child;
    }
    if (largest < 0 || graph.risen[largest]! === 0 || graph.risen[largest]! < graph.risen[node]! / 3) return node;
    node = largest;
  }
}
