import type { Merge } from './merge.ts';
import { type Frames, framesOf, reportName } from './names.ts';
import { columnOf } from './sample-types.ts';
import { emptyWeights, requireExact, type Weights } from './weigh.ts';

/**
 * Weighs a merge whose sides are the groups (instances, for example), without making a profile of each: the frames of a
 * stack are looked at once, for all sides that have it.
 * @throws ProfileError if the merge lacks the sample type.
 */
export function weighSides(merge: Merge, sampleType: string, groups: string[]): Weights {
  const profile = merge.stacks();
  const column = columnOf(profile, sampleType);
  const frames = framesOf(profile, reportName);
  const sums = new SideSums(frames, groups.length);
  const { words, starts, size } = profile.stacks;
  for (let i = 0; i < size; i++) {
    merge.valuesOf(i, column, sums.values);
    sums.add(words, starts[i]! + 1, starts[i + 1]!);
  }
  return sums.weights(groups);
}

/** Self and total by frame and side: the sides of a frame are neighbours in memory. */
class SideSums {
  /** Values of the stack that is added next, by side. */
  readonly values: Float64Array;
  readonly #frames: Frames;
  readonly #self: Float64Array;
  readonly #total: Float64Array;
  readonly #totals: Float64Array;
  readonly #active: Int32Array; // sides that have the stack
  readonly #seen: Int32Array; // of frames: the last stack they were in
  #stack = 0;

  constructor(frames: Frames, sides: number) {
    const count = frames.names.length;
    this.values = new Float64Array(sides);
    this.#frames = frames;
    this.#self = new Float64Array(count * sides);
    this.#total = new Float64Array(count * sides);
    this.#totals = new Float64Array(sides);
    this.#active = new Int32Array(sides);
    this.#seen = new Int32Array(count);
  }

  /** Adds the values to the frames of the locations stacks[from] up to stacks[to], leaf first. */
  add(stacks: Int32Array, from: number, to: number): void {
    const { words, starts } = this.#frames.ofLocation;
    const active = this.#activeSides();
    this.#stack++;
    this.#addTo(this.#totals, 0, active);
    if (from < to) this.#addTo(this.#self, words[starts[stacks[from]!]!]!, active);
    for (let i = from; i < to; i++) {
      const location = stacks[i]!;
      for (let at = starts[location]!; at < starts[location + 1]!; at++) {
        const frame = words[at]!;
        if (this.#seen[frame] === this.#stack) continue;
        this.#seen[frame] = this.#stack;
        this.#addTo(this.#total, frame, active);
      }
    }
  }

  weights(groups: string[]): Weights {
    const weights = emptyWeights(this.#frames, groups);
    weights.totals.set(this.#totals);
    for (const sum of weights.totals) requireExact(sum);
    const sides = groups.length;
    for (let side = 0; side < sides; side++)
      for (let frame = 0; frame < weights.names.length; frame++) {
        weights.self[side]![frame] = this.#self[frame * sides + side]!;
        weights.total[side]![frame] = this.#total[frame * sides + side]!;
      }
    return weights;
  }

  #activeSides(): number {
    let count = 0;
    for (let side = 0; side < this.values.length; side++) if (this.values[side] !== 0) this.#active[count++] = side;
    return count;
  }

  #addTo(sums: Float64Array, frame: number, active: number): void {
    const from = frame * this.values.length;
    for (let i = 0; i < active; i++) {
      const side = this.#active[i]!;
      sums[from + side]! += this.values[side]!;
    }
  }
}
