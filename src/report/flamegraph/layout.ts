/**
 * Where every frame of a flame graph lies. The same children order serves every width, so that a frame stays in its
 * place when the reader switches between the sides.
 */
import type { CallTree } from './calltree.ts';

/** What the width of a frame means: the head side, the base side, or the union of both, where nothing is invisible. */
export type Width = 'head' | 'base' | 'both';

/** A call tree with one root, children largest first, and everything a frame can be asked. */
export interface FlameGraph {
  sampleType: string;
  unit: string;
  /** Of the head side; values are in all, not per invocation, when it is 1. */
  headInvocations: number;
  per: 'instance' | undefined;
  names: string[];
  files: string[];
  /** Preorder; node 0 is the root, its name is −1 unless the tree had one root only. */
  name: Int32Array;
  parent: Int32Array;
  depth: Int32Array;
  /** One past the last node of the subtree. */
  end: Int32Array;
  baseSelf: Float64Array;
  headSelf: Float64Array;
  /** Totals: the node and all it calls. */
  base: Float64Array;
  head: Float64Array;
  /** Sum over the subtree of the larger self value: common + grown + shrunk. */
  both: Float64Array;
  /** Gross rises and falls of self values in the subtree: what a net change hides. */
  risen: Float64Array;
  fallen: Float64Array;
  noise: Float64Array | undefined;
  maxDepth: number;
}

/** The call tree with totals, a root that holds all roots, and children sorted by their larger side. */
export function computeFlameGraph(tree: CallTree): FlameGraph {
  const { nodes } = tree;
  const size = nodes.name.length;
  const weight = largerTotals(tree);
  const order = sortedPreorder(nodes.parent, weight);

  const graph: FlameGraph = {
    sampleType: tree.sampleType,
    unit: tree.unit,
    headInvocations: tree.headInvocations,
    per: tree.per,
    names: tree.names,
    files: tree.files,
    name: new Int32Array(size + 1),
    parent: new Int32Array(size + 1),
    depth: new Int32Array(size + 1),
    end: new Int32Array(size + 1),
    baseSelf: new Float64Array(size + 1),
    headSelf: new Float64Array(size + 1),
    base: new Float64Array(size + 1),
    head: new Float64Array(size + 1),
    both: new Float64Array(size + 1),
    risen: new Float64Array(size + 1),
    fallen: new Float64Array(size + 1),
    noise: nodes.noise === undefined ? undefined : new Float64Array(size + 1),
    maxDepth: 0,
  };
  graph.name[0] = -1;
  graph.parent[0] = -1;
  const placeOf = new Int32Array(size);
  for (let place = 1; place <= size; place++) {
    const node = order[place - 1]!;
    placeOf[node] = place;
    const parent = nodes.parent[node]! < 0 ? 0 : placeOf[nodes.parent[node]!]!;
    graph.name[place] = nodes.name[node]!;
    graph.parent[place] = parent;
    graph.depth[place] = graph.depth[parent]! + 1;
    graph.baseSelf[place] = nodes.baseSelf[node]!;
    graph.headSelf[place] = nodes.headSelf[node]!;
    if (graph.noise !== undefined) graph.noise[place] = nodes.noise![node]!;
    graph.maxDepth = Math.max(graph.maxDepth, graph.depth[place]!);
  }
  addUp(graph);
  if (graph.noise !== undefined) graph.noise[0] = rootNoise(graph);
  return graph;
}

/** The values that are the widths of the frames. */
export function widthsOf(graph: FlameGraph, width: Width): Float64Array {
  return graph[width];
}

/** The left edge of every frame, in the unit of the graph, from the left edge of the root. */
export function computeOffsets(graph: FlameGraph, width: Width): Float64Array {
  const widths = widthsOf(graph, width);
  const offsets = new Float64Array(widths.length);
  const next = new Float64Array(widths.length);
  for (let node = 1; node < widths.length; node++) {
    const parent = graph.parent[node]!;
    offsets[node] = next[parent]!;
    next[node] = next[parent]!;
    next[parent] = next[parent]! + widths[node]!;
  }
  return offsets;
}

/** The frame at a place: `x` in units from the left edge of `top`, `level` levels below it; −1 when there is none. */
export function frameAt(
  graph: FlameGraph,
  offsets: Float64Array,
  widths: Float64Array,
  top: number,
  level: number,
  x: number,
): number {
  const at = offsets[top]! + x;
  if (x < 0 || x >= widths[top]!) return -1;
  let node = top;
  for (let down = 0; down < level; down++) {
    let child = node + 1;
    while (child < graph.end[node]! && !(at >= offsets[child]! && at < offsets[child]! + widths[child]!)) {
      child = graph.end[child]!;
    }
    if (child >= graph.end[node]!) return -1;
    node = child;
  }
  return node;
}

/** Sums self values into totals, gross changes and ends, children before parents. */
function addUp(graph: FlameGraph): void {
  for (let node = graph.name.length - 1; node >= 0; node--) {
    const base = graph.baseSelf[node]!;
    const head = graph.headSelf[node]!;
    graph.base[node] = graph.base[node]! + base;
    graph.head[node] = graph.head[node]! + head;
    graph.both[node] = graph.both[node]! + Math.max(base, head);
    graph.risen[node] = graph.risen[node]! + Math.max(0, head - base);
    graph.fallen[node] = graph.fallen[node]! + Math.max(0, base - head);
    graph.end[node] = Math.max(graph.end[node]!, node + 1);
    const parent = graph.parent[node]!;
    if (parent < 0) continue;
    for (const sum of [graph.base, graph.head, graph.both, graph.risen, graph.fallen]) {
      sum[parent] = sum[parent]! + sum[node]!;
    }
    graph.end[parent] = Math.max(graph.end[parent]!, graph.end[node]!);
  }
}

function largerTotals(tree: CallTree): Float64Array {
  const { parent, baseSelf, headSelf } = tree.nodes;
  const base = Float64Array.from(baseSelf);
  const head = Float64Array.from(headSelf);
  for (let node = parent.length - 1; node >= 0; node--) {
    const above = parent[node]!;
    if (above < 0) continue;
    base[above] = base[above]! + base[node]!;
    head[above] = head[above]! + head[node]!;
  }
  return base.map((value, node) => Math.max(value, head[node]!));
}

/** Node numbers in preorder with the heaviest child first; equal weights keep their order. */
function sortedPreorder(parent: Int32Array, weight: Float64Array): Int32Array {
  const size = parent.length;
  const byWeight = Array.from({ length: size }, (_, node) => node).sort((a, b) => weight[a]! - weight[b]! || b - a);
  // Linking the lightest first leaves the heaviest child at the front of each list.
  const firstChild = new Int32Array(size + 1).fill(-1);
  const nextSibling = new Int32Array(size).fill(-1);
  for (const node of byWeight) {
    const above = parent[node]! < 0 ? size : parent[node]!;
    nextSibling[node] = firstChild[above]!;
    firstChild[above] = node;
  }
  const order = new Int32Array(size);
  const stack: number[] = [];
  let filled = 0;
  let node = firstChild[size]!;
  while (node >= 0 || stack.length > 0) {
    if (node < 0) {
      node = nextSibling[stack.pop()!]!;
      continue;
    }
    order[filled++] = node;
    stack.push(node);
    node = firstChild[node]!;
  }
  return order;
}

/** Independent roots: their noise adds in quadrature. */
function rootNoise(graph: FlameGraph): number {
  let squares = 0;
  for (let node = 1; node < graph.name.length; node = graph.end[node]!) squares += graph.noise![node]! ** 2;
  return Math.sqrt(squares);
}
