/**
 * A merged call tree of both sides, in columns: what flame graphs are drawn from. Values are per invocation, what there
 * is at one moment per instance.
 */
import type { CallNode, CallTree as PprofCallTree } from '../../pprof/calltree.ts';

export interface CallTree {
  /** e.g. `cpu`, `alloc_space`. */
  sampleType: string;
  /** e.g. `nanoseconds`, `bytes`, `count`. */
  unit: string;
  /** Names of functions; untrusted text. */
  names: string[];
  /** The file of each name, '' when unknown; untrusted text. */
  files: string[];
  nodes: {
    /** Index into `names` and `files`. */
    name: Int32Array;
    /** Preorder: a parent comes before its children; −1 for a root. */
    parent: Int32Array;
    baseSelf: Float64Array;
    headSelf: Float64Array;
    /** The largest change of the node's total that chance explains, in the unit; absent when it is not known. */
    noise?: Float64Array;
  };
  baseInvocations: number;
  headInvocations: number;
  /** What values are of, when that is not an invocation. */
  per?: 'instance';
  /** Time between samples in microseconds, for the noise of what is sampled by time; absent when it is not known. */
  intervalUs?: number;
  /** What each instance of a side adds to it, when the reader may look at one alone. */
  instances?: InstanceValues[];
}

/** One instance of a side: its own values, per its own invocations. */
export interface InstanceValues {
  side: 'base' | 'head';
  /** Untrusted text. */
  id: string;
  invocations: number;
  /** Nodes with a self value, ascending, and the values. */
  nodes: Int32Array;
  self: Float64Array;
}

/**
 * The tree with one instance in place of a side; an id that is '' or not known leaves the side as it is. Noise that was
 * given is of whole sides, so it goes.
 */
export function selectInstances(tree: CallTree, ids: { base: string; head: string }): CallTree {
  const find = (side: 'base' | 'head') => tree.instances?.find((one) => one.side === side && one.id === ids[side]);
  const base = find('base');
  const head = find('head');
  if (base === undefined && head === undefined) return tree;
  const { noise: _ofWholeSides, ...nodes } = tree.nodes;
  const spread = (one: InstanceValues) => {
    const self = new Float64Array(nodes.name.length);
    one.nodes.forEach((node, i) => {
      self[node] = one.self[i]!;
    });
    return self;
  };
  return {
    ...tree,
    nodes: { ...nodes, ...(base && { baseSelf: spread(base) }), ...(head && { headSelf: spread(head) }) },
    ...(base && { baseInvocations: base.invocations }),
    ...(head && { headInvocations: head.invocations }),
  };
}

/** The name of what was too small to be a frame of its own. */
export const otherName = '(other)';

/**
 * The tree that `pprof/calltree.ts` builds, in columns. Frames are named by their keys, so that a function is found
 * under the name the comparison gives it; what was pruned becomes `(other)`.
 */
export function flattenCallTree(
  tree: Pick<PprofCallTree, 'frames' | 'roots'>,
  about: Pick<CallTree, 'sampleType' | 'unit' | 'baseInvocations' | 'headInvocations' | 'per'>,
): CallTree {
  const name: number[] = [];
  const parent: number[] = [];
  const baseSelf: number[] = [];
  const headSelf: number[] = [];
  const other = tree.frames.length;
  const add = (frame: number, above: number, base: number, head: number) => {
    name.push(frame);
    parent.push(above);
    baseSelf.push(base);
    headSelf.push(head);
    return name.length - 1;
  };
  const stack: { node: CallNode; above: number }[] = tree.roots.map((node) => ({ node, above: -1 })).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, above } = next;
    const place = add(node.frame, above, node.self.base, node.self.head);
    const left = { base: node.total.base - node.self.base, head: node.total.head - node.self.head };
    for (const { total } of node.children) {
      left.base -= total.base;
      left.head -= total.head;
    }
    const rounding = 1e-9 * Math.max(node.total.base, node.total.head);
    if (left.base > rounding || left.head > rounding) add(other, place, Math.max(0, left.base), Math.max(0, left.head));
    for (const child of node.children.toReversed()) stack.push({ node: child, above: place });
  }
  return {
    ...about,
    names: [...tree.frames.map(({ key }) => key), otherName],
    files: [...tree.frames.map(({ file }) => file), ''],
    nodes: {
      name: Int32Array.from(name),
      parent: Int32Array.from(parent),
      baseSelf: Float64Array.from(baseSelf),
      headSelf: Float64Array.from(headSelf),
    },
  };
}
