/** The sandwich: everything that calls a function, merged, above everything it calls, merged. */
import type { CallTree } from './calltree.ts';
import { computeFlameGraph, type FlameGraph } from './layout.ts';

export interface Sandwich {
  /** Rooted at the function: its callees. */
  callees: FlameGraph;
  /** Rooted at the function: its callers, nearest first. */
  callers: FlameGraph;
}

/** Both halves for the function `name` (index into `names`). Recursive calls count once, in their outermost frame. */
export function computeSandwich(graph: FlameGraph, name: number): Sandwich {
  const callees = new TreeBuilder();
  const callers = new TreeBuilder();
  for (let node = 0; node < graph.name.length; ) {
    if (graph.name[node] !== name) {
      node++;
      continue;
    }
    addCallees(graph, node, callees);
    addCallers(graph, node, callers);
    node = graph.end[node]!;
  }
  return { callees: callees.build(graph), callers: callers.build(graph) };
}

function addCallees(graph: FlameGraph, top: number, tree: TreeBuilder): void {
  const merged = new Map<number, number>();
  for (let node = top; node < graph.end[top]!; node++) {
    const above = node === top ? -1 : merged.get(graph.parent[node]!)!;
    const place = tree.child(above, graph.name[node]!);
    merged.set(node, place);
    tree.add(place, graph.baseSelf[node]!, graph.headSelf[node]!, graph.noise?.[node] ?? 0);
  }
}

/** The whole total of the frame belongs to its outermost caller, so that every caller on the way is that wide. */
function addCallers(graph: FlameGraph, top: number, tree: TreeBuilder): void {
  let place = -1;
  const noise = graph.noise?.[top] ?? 0;
  for (let node = top; node > 0; node = graph.parent[node]!) {
    place = tree.child(place, graph.name[node]!);
    tree.add(place, 0, 0, noise);
  }
  tree.add(place, graph.base[top]!, graph.head[top]!, 0);
}

/** Nodes in the order they were first seen; a parent is always seen before its children. */
class TreeBuilder {
  readonly #name: number[] = [];
  readonly #parent: number[] = [];
  readonly #base: number[] = [];
  readonly #head: number[] = [];
  readonly #noiseSquares: number[] = [];
  readonly #children: Map<number, number>[] = [new Map()];

  child(parent: number, name: number): number {
    const siblings = this.#children[parent + 1]!;
    const known = siblings.get(name);
    if (known !== undefined) return known;
    const node = this.#name.length;
    siblings.set(name, node);
    this.#children.push(new Map());
    this.#name.push(name);
    this.#parent.push(parent);
    this.#base.push(0);
    this.#head.push(0);
    this.#noiseSquares.push(0);
    return node;
  }

  add(node: number, base: number, head: number, noise: number): void {
    this.#base[node] = this.#base[node]! + base;
    this.#head[node] = this.#head[node]! + head;
    this.#noiseSquares[node] = this.#noiseSquares[node]! + noise ** 2;
  }

  build(of: FlameGraph): FlameGraph {
    const tree: CallTree = {
      sampleType: of.sampleType,
      unit: of.unit,
      names: of.names,
      files: of.files,
      nodes: {
        name: Int32Array.from(this.#name),
        parent: Int32Array.from(this.#parent),
        baseSelf: Float64Array.from(this.#base),
        headSelf: Float64Array.from(this.#head),
        ...(of.noise && { noise: Float64Array.from(this.#noiseSquares, Math.sqrt) }),
      },
      baseInvocations: 0,
      headInvocations: of.headInvocations,
      ...(of.per && { per: of.per }),
    };
    return computeFlameGraph(tree);
  }
}
