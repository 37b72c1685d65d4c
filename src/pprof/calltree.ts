import { type Profile, wideNumber } from './columns.ts';
import type { FrameClass, FrameName } from './frames.ts';
import { type Frames, framesOf, reportName } from './names.ts';
import { columnOf } from './sample-types.ts';

/** A value on both sides of a comparison. */
export interface BaseAndHead {
  base: number;
  head: number;
}

/** A frame below its callers; values are of the samples that pass through here. */
export interface CallNode {
  /** Number in the list of frames. */
  frame: number;
  /** Value of samples that end here. */
  self: BaseAndHead;
  /** Value of samples that end here or below. */
  total: BaseAndHead;
  children: CallNode[];
}

/** All stacks of two profiles as one tree, as a flame graph draws it. */
export interface CallTree {
  frames: FrameClass[];
  /** The values of all samples. */
  total: BaseAndHead;
  /** The outermost frames. */
  roots: CallNode[];
  /** How many nodes were left out because they were too small; their value stays in the totals of their callers. */
  pruned: number;
}

export interface CallTreeOptions {
  /** Invocations that each side is divided by. */
  invocations?: BaseAndHead;
  /** Smallest share of the total, on either side, that a node needs; 0 keeps all. */
  minShare?: number;
}

/**
 * One tree of canonical frames for a base and a head profile (base may be absent). Frames with the same kind and key are one
 * frame, and a frame that calls itself directly is one node. Children are sorted by name, so that base and head line up.
 * @throws ProfileError if a profile lacks the sample type.
 */
export function buildCallTree(
  base: Profile | undefined,
  head: Profile,
  sampleType: string,
  classify: (frame: FrameName) => FrameClass,
  { invocations = { base: 1, head: 1 }, minShare = 0 }: CallTreeOptions = {},
): CallTree {
  const growing = new GrowingTree(classify);
  if (base !== undefined) growing.add(base, sampleType, 'base');
  growing.add(head, sampleType, 'head');
  return growing.finish(invocations, minShare);
}

/** Deeper stacks and larger trees are cut: the value then ends at the last node. */
const MAX_DEPTH = 1000;
const MAX_NODES = 1_000_000;

interface GrowingNode {
  frame: number;
  self: BaseAndHead;
  total: BaseAndHead;
  children: Map<number, GrowingNode>;
}

class GrowingTree {
  readonly #classify: (frame: FrameName) => FrameClass;
  readonly #frames: FrameClass[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #root: GrowingNode = newNode(-1);
  #nodes = 0;

  constructor(classify: (frame: FrameName) => FrameClass) {
    this.#classify = classify;
  }

  add(profile: Profile, sampleType: string, side: keyof BaseAndHead): void {
    const column = columnOf(profile, sampleType);
    const width = profile.sampleTypes.length * 2;
    const frames = framesOf(profile, (frame) => `${reportName(frame)}\n${frame.file}\n${frame.mapping}`);
    const numbers = Int32Array.from(frames.names, (frame) => this.#numberOf(this.#classify(frame)));
    const { words, starts, size } = profile.stacks;
    for (let i = 0; i < size; i++) {
      const value = wideNumber(profile.values, i * width + column * 2);
      if (value !== 0) this.#addStack(words, starts[i]! + 1, starts[i + 1]!, frames, numbers, value, side);
    }
  }

  finish(invocations: BaseAndHead, minShare: number): CallTree {
    const scaled = ({ base, head }: BaseAndHead) => ({ base: base / invocations.base, head: head / invocations.head });
    const smallest = { base: this.#root.total.base * minShare, head: this.#root.total.head * minShare };
    let pruned = 0;
    const finished = ({ frame, self, total, children }: GrowingNode): CallNode => ({
      ...{ frame, self: scaled(self), total: scaled(total) },
      children: this.#sorted(children)
        .filter((child) => {
          const large = isLarge(child.total.base, smallest.base) || isLarge(child.total.head, smallest.head);
          if (!large) pruned += size(child);
          return large;
        })
        .map(finished),
    });
    const { children, total } = finished(this.#root);
    return { frames: this.#frames, total, roots: children, pruned };
  }

  #sorted(children: Map<number, GrowingNode>): GrowingNode[] {
    const name = ({ frame }: GrowingNode) => this.#frames[frame]!.key;
    return [...children.values()].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  }

  #numberOf(frame: FrameClass): number {
    const key = `${frame.kind} ${frame.key}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#frames.length);
    return this.#frames.push(frame) - 1;
  }

  // From the root, which is the last location of a stack and the last frame of each location.
  #addStack(
    stacks: Int32Array,
    from: number,
    to: number,
    { ofLocation: { words, starts } }: Frames,
    numbers: Int32Array,
    value: number,
    side: keyof BaseAndHead,
  ): void {
    let node = this.#root;
    node.total[side] += value;
    let depth = 0;
    for (let i = to - 1; i >= from && depth < MAX_DEPTH; i--) {
      const location = stacks[i]!;
      for (let at = starts[location + 1]! - 1; at >= starts[location]!; at--) {
        const frame = numbers[words[at]!]!;
        if (frame === node.frame) continue;
        let child = node.children.get(frame);
        if (child === undefined) {
          if (++this.#nodes > MAX_NODES) break;
          child = newNode(frame);
          node.children.set(frame, child);
        }
        depth++;
        child.total[side] += value;
        node = child;
      }
    }
    node.self[side] += value;
  }
}

function newNode(frame: number): GrowingNode {
  return { frame, self: { base: 0, head: 0 }, total: { base: 0, head: 0 }, children: new Map() };
}

function isLarge(value: number, smallest: number): boolean {
  return value > 0 && value >= smallest;
}

function size(node: GrowingNode): number {
  let count = 1;
  for (const child of node.children.values()) count += size(child);
  return count;
}
