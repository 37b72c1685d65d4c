import type { Profile } from './pprof/columns.ts';
import { wideNumber } from './pprof/columns.ts';
import type { FrameClass, FrameName } from './pprof/frames.ts';
import { framesOf, labelGroups, reportName } from './pprof/names.ts';
import { columnOf } from './pprof/sample-types.ts';
import { INSTANCE_LABEL } from './recordings/recording.ts';
import { type CallTree, type InstanceValues, otherName } from './report/flamegraph/calltree.ts';

/** One side of a tree: its profile, and how much each of its instances did. */
export interface TreeSide {
  side: 'base' | 'head';
  profile: Profile;
  /** What the values of an instance are divided by. */
  divisors: Map<string, number>;
}

/** What to call a frame: one number for all frames of one kind and key. */
export type NumberOf = (frame: FrameName) => number | undefined;

/** Numbers of the frames of a tree, for `computeInstanceValues()`. */
export function frameNumbers(frames: FrameClass[], classify: (frame: FrameName) => FrameClass): NumberOf {
  const numbers = new Map(frames.map(({ kind, key }, number) => [`${kind} ${key}`, number]));
  return (frame) => {
    const { kind, key } = classify(frame);
    return numbers.get(`${kind} ${key}`);
  };
}

/**
 * The self values of every instance in the nodes of a tree that was built from the same profile. What was too small for
 * a node of its own is in `(other)` here too.
 */
export function computeInstanceValues(
  tree: CallTree,
  { side, profile, divisors }: TreeSide,
  numberOf: NumberOf,
): InstanceValues[] {
  const { values: ids, ofLabelSet } = labelGroups(profile, INSTANCE_LABEL);
  const sums = ids.map(() => new Map<number, number>());
  const walk = createWalk(tree);
  const frames = framesOf(profile, (frame) => `${reportName(frame)}\n${frame.file}\n${frame.mapping}`);
  const numbers = frames.names.map(numberOf);
  const column = columnOf(profile, tree.sampleType);
  const width = profile.sampleTypes.length * 2;
  const { words, starts, size } = profile.stacks;
  for (let i = 0; i < size; i++) {
    const value = wideNumber(profile.values, i * width + column * 2);
    if (value === 0) continue;
    const path: (number | undefined)[] = [];
    for (let at = starts[i + 1]! - 1; at > starts[i]!; at--) {
      const location = words[at]!;
      const { words: inlined, starts: from } = frames.ofLocation;
      for (let line = from[location + 1]! - 1; line >= from[location]!; line--) path.push(numbers[inlined[line]!]);
    }
    const node = walk(path);
    const sum = sums[ofLabelSet[words[starts[i]!]!]!]!;
    if (node >= 0) sum.set(node, (sum.get(node) ?? 0) + value);
  }
  return ids.flatMap((id, group) => {
    const invocations = divisors.get(id) ?? 0;
    const nodes = Int32Array.from([...sums[group]!.keys()].sort((a, b) => a - b));
    if (id === '' || invocations === 0 || nodes.length === 0) return [];
    return [
      { side, id, invocations, nodes, self: Float64Array.from(nodes, (n) => sums[group]!.get(n)! / invocations) },
    ];
  });
}

/** Leads a path of frame numbers, outermost first, to the node where its value is; −1 when it is in none. */
function createWalk({ names, nodes }: CallTree): (path: (number | undefined)[]) => number {
  const children = new Map<number, Map<number, number>>();
  nodes.name.forEach((name, node) => {
    const above = nodes.parent[node]!;
    const siblings = children.get(above) ?? new Map<number, number>();
    children.set(above, siblings.set(name, node));
  });
  const other = names.lastIndexOf(otherName);
  return (path) => {
    let node = -1;
    for (const number of path) {
      if (node >= 0 && number === nodes.name[node]) continue; // direct recursion is one node
      const below = children.get(node);
      const next = number === undefined ? undefined : below?.get(number);
      if (next === undefined) return below?.get(other) ?? node;
      node = next;
    }
    return node;
  };
}
