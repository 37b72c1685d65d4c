import type { Profile } from './columns.ts';
import { labelProfile } from './edit.ts';
import { mergeProfiles } from './merge.ts';
import { labelGroups } from './names.ts';
import { alignProfiles, columnOf, withValues } from './sample-types.ts';
import type { Weights } from './weigh.ts';

/** The two ways of `go tool pprof` to subtract a profile: `-base` and `-diff_base`. */
export type DiffReading = 'base' | 'diff-base';

/** The label by which `go tool pprof` knows the samples of `-diff_base` again. */
const BASE_LABEL = 'pprof::base';

/**
 * `head` minus `base` in one profile, as `go tool pprof` reads it: samples with equal stacks cancel (`base`), or those of the
 * base stay apart, negated and labelled, and set the total (`diff-base`). With `normalize`, head is first scaled to the
 * totals of base; unlike google/pprof, a sample is not lost when the ratio of one of its columns is 0 or 1.
 * This is for people who compare with pprof: it says nothing about invocations, and the gate does not use it.
 * @throws ProfileError if the profiles have no sample type in common.
 */
export function diffProfiles(base: Profile, head: Profile, reading: DiffReading, normalize = false): Profile {
  const [alignedHead, alignedBase] = alignProfiles([head, base]) as [Profile, Profile];
  const labelled = reading === 'base' ? alignedBase : labelProfile(alignedBase, BASE_LABEL, 'true');
  const scaled = normalize ? normalized(alignedHead, alignedBase) : alignedHead;
  return mergeProfiles([scaled, withValues(labelled, (value) => -value)]);
}

function normalized(profile: Profile, base: Profile): Profile {
  const ratios = profile.sampleTypes.map((_, column) => {
    const sum = Number(sumOf(profile, column));
    return sum === 0 ? 0 : Number(sumOf(base, column)) / sum;
  });
  return withValues(profile, (value, column) =>
    ratios[column] === 1 ? value : BigInt(roundAway(Number(value) * ratios[column]!)),
  );
}

function sumOf(profile: Profile, column: number): bigint {
  let sum = 0n;
  for (let i = 0; i < profile.sampleCount; i++) sum += profile.value(i, column);
  return sum;
}

/** Rounds halves away from zero. */
function roundAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/**
 * The total that `go tool pprof` computes percentages of: all values without their sign, or only those of the base if
 * there are any of `-diff_base`.
 */
export function reportTotal(profile: Profile, sampleType: string): bigint {
  const column = columnOf(profile, sampleType);
  const { values, ofLabelSet } = labelGroups(profile, BASE_LABEL);
  let total = 0n;
  let baseTotal = 0n;
  for (let i = 0; i < profile.sampleCount; i++) {
    const value = profile.value(i, column);
    const magnitude = value < 0n ? -value : value;
    total += magnitude;
    const labelSet = profile.stacks.words[profile.stacks.starts[i]!]!;
    if (values[ofLabelSet[labelSet]!] === 'true') baseTotal += magnitude;
  }
  return baseTotal > 0n ? baseTotal : total;
}

/** Self and total value of a function. */
export interface SelfAndTotal {
  self: number;
  total: number;
}

/** A function in two profiles. */
export interface FunctionDiff {
  name: string;
  file: string;
  line: number;
  /** `new` and `gone`: it has no value in base, or in head. */
  status: 'new' | 'gone' | 'changed' | 'same';
  base: SelfAndTotal;
  head: SelfAndTotal;
  /** head minus base. */
  delta: SelfAndTotal;
}

/**
 * Compares functions by name, per invocation if the invocations are given: lines and files move between builds. Sorted by the
 * size of the change of the self value, then of the total, then by name.
 */
export function diffFunctions(
  base: Weights,
  head: Weights,
  invocations: { base: number; head: number } = { base: 1, head: 1 },
): FunctionDiff[] {
  const functions = new Map<string, FunctionDiff>();
  addSide(functions, head, 'head', invocations.head);
  addSide(functions, base, 'base', invocations.base);
  const diffs = [...functions.values()];
  for (const diff of diffs) {
    diff.delta = { self: diff.head.self - diff.base.self, total: diff.head.total - diff.base.total };
    diff.status = statusOf(diff);
  }
  return diffs.sort(
    (a, b) =>
      Math.abs(b.delta.self) - Math.abs(a.delta.self) ||
      Math.abs(b.delta.total) - Math.abs(a.delta.total) ||
      (a.name < b.name ? -1 : 1),
  );
}

function addSide(
  functions: Map<string, FunctionDiff>,
  { names, files, lines, self, total }: Weights,
  side: 'base' | 'head',
  invocations: number,
): void {
  for (const [i, name] of names.entries()) {
    const sum = (values: Float64Array[]) => values.reduce((sum, group) => sum + group[i]!, 0) / invocations;
    const nothing = () => ({ self: 0, total: 0 });
    const diff: FunctionDiff = functions.get(name) ?? {
      ...{ name, file: files[i]!, line: lines[i]!, status: 'same' as const },
      ...{ base: nothing(), head: nothing(), delta: nothing() },
    };
    diff[side] = { self: sum(self), total: sum(total) };
    functions.set(name, diff);
  }
}

function statusOf({ base, head, delta }: FunctionDiff): FunctionDiff['status'] {
  const isIn = ({ self, total }: SelfAndTotal) => self !== 0 || total !== 0;
  if (isIn(base) !== isIn(head)) return isIn(head) ? 'new' : 'gone';
  return delta.self === 0 && delta.total === 0 ? 'same' : 'changed';
}
