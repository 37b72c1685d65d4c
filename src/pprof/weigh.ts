import { type Profile, wideNumber } from './columns.ts';
import { ProfileError } from './limits.ts';
import { type Frames, framesOf, labelGroups, reportName } from './names.ts';
import { columnOf } from './sample-types.ts';

export { type Owner, type OwnerWeights, weighOwners } from './owners.ts';
export { weighSides } from './weigh-sides.ts';

/** Values of functions. Values are exact: weighing refuses a profile whose sum exceeds 2^53. */
export interface Weights {
  /** Function names, in order of appearance. */
  names: string[];
  files: string[];
  /** Lines of the definitions, or else the first line seen; 0 if unknown. */
  lines: Int32Array;
  /** Values of the label; one group, '', without a label. */
  groups: string[];
  /** [group][name]: value of samples in which the function is the innermost frame. */
  self: Float64Array[];
  /** [group][name]: value of samples in which the function occurs, once per sample. */
  total: Float64Array[];
  /** Per group: value of all samples. */
  totals: Float64Array;
}

/**
 * Self and total value of every function (by name, inlined functions expanded, recursion once per sample) for one sample
 * type, separately for each value of the text label `by` ('' puts all samples into one group).
 * @throws ProfileError if the profile lacks the sample type.
 */
export function weighProfile(profile: Profile, sampleType: string, by = ''): Weights {
  const frames = framesOf(profile, reportName);
  const { values: groups, ofLabelSet } = labelGroups(profile, by);
  const weights = emptyWeights(frames, groups);
  addSamples(profile, columnOf(profile, sampleType), frames, ofLabelSet, weights);
  return weights;
}

/** Room for the weights of these frames in these groups. */
export function emptyWeights({ names }: Frames, groups: string[]): Weights {
  return {
    names: names.map(reportName),
    files: names.map(({ file }) => file),
    lines: Int32Array.from(names, ({ line }) => line),
    groups,
    self: groups.map(() => new Float64Array(names.length)),
    total: groups.map(() => new Float64Array(names.length)),
    totals: new Float64Array(groups.length),
  };
}

function addSamples(
  profile: Profile,
  column: number,
  frames: Frames,
  ofLabelSet: Int32Array,
  { self, total, totals }: Weights,
): void {
  const { words, starts, size } = profile.stacks;
  const width = profile.sampleTypes.length * 2;
  const seen = new Int32Array(frames.names.length).fill(-1); // the last sample that a frame was counted for
  for (let i = 0; i < size; i++) {
    const value = wideNumber(profile.values, i * width + column * 2);
    if (value === 0) continue;
    const group = ofLabelSet[words[starts[i]!]!]!;
    totals[group]! += value;
    addStack(words, starts[i]! + 1, starts[i + 1]!, i, value, frames, seen, self[group]!, total[group]!);
  }
  for (const sum of totals) requireExact(sum);
}

function addStack(
  stacks: Int32Array,
  from: number,
  to: number,
  sample: number,
  value: number,
  frames: Frames,
  seen: Int32Array,
  self: Float64Array,
  total: Float64Array,
): void {
  const { words, starts } = frames.ofLocation;
  if (from < to) self[words[starts[stacks[from]!]!]!]! += value;
  for (let i = from; i < to; i++) {
    const location = stacks[i]!;
    for (let at = starts[location]!; at < starts[location + 1]!; at++) {
      const frame = words[at]!;
      if (seen[frame] === sample) continue;
      seen[frame] = sample;
      total[frame]! += value;
    }
  }
}

/** @throws ProfileError if a sum of values may have been rounded. */
export function requireExact(sum: number): void {
  if (!Number.isSafeInteger(sum))
    throw new ProfileError('Cannot weigh the profile: its values add up to more than 2^53.');
}
