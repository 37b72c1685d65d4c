/** A call tree that is too large for a page, cut where it matters least. */
import { type CallTree, type InstanceValues, otherName } from './calltree.ts';

export interface PrunedTree {
  tree: CallTree;
  /** Nodes left out, and how much of base and head they held; their values are in frames named `(other)`. */
  prunedNodes: number;
  prunedBase: number;
  prunedHead: number;
}

/**
 * The tree with at most about `maxNodes` nodes: the lightest subtrees of each node become one `(other)` child, so that
 * every total stays what it was.
 */
export function pruneTree(tree: CallTree, maxNodes: number): PrunedTree {
  const { nodes } = tree;
  const size = nodes.name.length;
  if (size <= maxNodes) return { tree, prunedNodes: 0, prunedBase: 0, prunedHead: 0 };

  const base = totals(nodes.parent, nodes.baseSelf);
  const head = totals(nodes.parent, nodes.headSelf);
  const weight = base.map((value, node) => Math.max(value, head[node]!));
  // Half the places are for frames, the other half for the `(other)` children they may need.
  const threshold = weight.toSorted((a, b) => b - a)[Math.floor(maxNodes / 2)]!;

  const other = tree.names.length;
  const name: number[] = [];
  const parent: number[] = [];
  const baseSelf: number[] = [];
  const headSelf: number[] = [];
  const noise: number[] = [];
  const placeOf = new Int32Array(size).fill(-1);
  /** Where the value of a node ends up: in its own place, or in an `(other)`. */
  const landing = new Int32Array(size);
  const otherOf = new Map<number, number>();
  const result: PrunedTree = { tree, prunedNodes: 0, prunedBase: 0, prunedHead: 0 };

  // `(other)` children come after all kept nodes: then every parent still precedes its children.
  for (let node = 0; node < size; node++) {
    const above = nodes.parent[node]!;
    if (weight[node]! <= threshold || (above >= 0 && placeOf[above]! < 0)) continue;
    placeOf[node] = name.length;
    landing[node] = name.length;
    name.push(nodes.name[node]!);
    parent.push(above < 0 ? -1 : placeOf[above]!);
    baseSelf.push(nodes.baseSelf[node]!);
    headSelf.push(nodes.headSelf[node]!);
    noise.push(nodes.noise?.[node] ?? 0);
  }
  for (let node = 0; node < size; node++) {
    if (placeOf[node]! >= 0) continue;
    result.prunedNodes++;
    const above = nodes.parent[node]!;
    if (above >= 0 && placeOf[above]! < 0) {
      landing[node] = landing[above]!; // inside a subtree that was pruned as a whole
      continue;
    }
    const under = above < 0 ? -1 : placeOf[above]!;
    let place = otherOf.get(under);
    if (place === undefined) {
      place = name.length;
      otherOf.set(under, place);
      name.push(other);
      parent.push(under);
      baseSelf.push(0);
      headSelf.push(0);
      noise.push(0);
    }
    landing[node] = place;
    baseSelf[place] = baseSelf[place]! + base[node]!;
    headSelf[place] = headSelf[place]! + head[node]!;
    noise[place] = Math.hypot(noise[place]!, nodes.noise?.[node] ?? 0);
    result.prunedBase += base[node]!;
    result.prunedHead += head[node]!;
  }
  const ordered = preorder({
    name: Int32Array.from(name),
    parent: Int32Array.from(parent),
    baseSelf: Float64Array.from(baseSelf),
    headSelf: Float64Array.from(headSelf),
    ...(nodes.noise && { noise: Float64Array.from(noise) }),
  });
  const moved = landing.map((place) => ordered.place[place]!);
  result.tree = {
    ...tree,
    names: [...tree.names, otherName],
    files: [...tree.files, ''],
    nodes: ordered.nodes,
    ...(tree.instances && { instances: tree.instances.map((one) => move(one, moved)) }),
  };
  return result;
}

/** An instance whose nodes are now at other places, several of them maybe at one. */
function move(one: InstanceValues, placeOf: Int32Array): InstanceValues {
  const sums = new Map<number, number>();
  one.nodes.forEach((node, i) => {
    const place = placeOf[node]!;
    sums.set(place, (sums.get(place) ?? 0) + one.self[i]!);
  });
  const nodes = Int32Array.from([...sums.keys()].sort((a, b) => a - b));
  return { ...one, nodes, self: Float64Array.from(nodes, (node) => sums.get(node)!) };
}

function totals(parent: Int32Array, self: Float64Array): Float64Array {
  const total = Float64Array.from(self);
  for (let node = parent.length - 1; node >= 0; node--) {
    const above = parent[node]!;
    if (above >= 0) total[above] = total[above]! + total[node]!;
  }
  return total;
}

/** The same nodes in preorder, and where each of them is now. */
function preorder(nodes: CallTree['nodes']): { nodes: CallTree['nodes']; place: Int32Array } {
  const size = nodes.name.length;
  const children: number[][] = Array.from({ length: size + 1 }, () => []);
  for (let node = size - 1; node >= 0; node--) children[nodes.parent[node]! + 1]!.push(node);
  const order: number[] = [];
  const stack = [...children[0]!];
  while (stack.length > 0) {
    const node = stack.pop()!;
    order.push(node);
    stack.push(...children[node + 1]!);
  }
  const place = new Int32Array(size);
  order.forEach((node, index) => {
    place[node] = index;
  });
  const pick = (values: Float64Array) => Float64Array.from(order, (node) => values[node]!);
  const ordered = {
    name: Int32Array.from(order, (node) => nodes.name[node]!),
    parent: Int32Array.from(order, (node) => (nodes.parent[node]! < 0 ? -1 : place[nodes.parent[node]!]!)),
    baseSelf: pick(nodes.baseSelf),
    headSelf: pick(nodes.headSelf),
    ...(nodes.noise && { noise: pick(nodes.noise) }),
  };
  return { nodes: ordered, place };
}
