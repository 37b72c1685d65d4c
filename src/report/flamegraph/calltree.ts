/** A merged call tree of both sides, in columns: what flame graphs are drawn from. Values are per invocation. */
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
}

/** The name of what was too small to be a frame of its own. */
export const otherName = '(other)';

/**
 * The tree that `pprof/calltree.ts` builds, in columns. Frames are named by their keys, so that a function is found
 * under the name the comparison gives it; what was pruned becomes `(other)`.
 */
export function flattenCallTree(
  tree: Pick<PprofCallTree, 'frames' | 'roots'>,
  about: Pick<CallTree, 'sampleType' | 'unit' | 'baseInvocations' | 'headInvocations'>,
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
