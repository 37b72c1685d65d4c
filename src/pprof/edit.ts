import { appendText, LABEL_WORDS, Profile, Sequences } from './columns.ts';
import { Merge } from './merge.ts';
import { columnOf, withValues } from './sample-types.ts';

/**
 * The same profile with one more text label on every sample, in place of any with that key: it marks the instance a sample
 * came from.
 */
export function labelProfile(profile: Profile, key: string, value: string): Profile {
  const strings = copy(profile.strings);
  const keyNumber = appendText(strings, key);
  const valueNumber = appendText(strings, value);
  const labelSets = new Sequences();
  labelSets.close(0);
  const { words, starts, size } = profile.labelSets;
  const label = Int32Array.of(keyNumber, valueNumber, 0, 0, 0);
  for (let i = 0; i < size; i++) {
    const set: number[] = [];
    for (let at = starts[i]!; at < starts[i + 1]!; at += LABEL_WORDS)
      if (words[at + 1] === 0 || profile.text(words[at]!) !== key) set.push(...words.subarray(at, at + LABEL_WORDS));
    labelSets.append(Int32Array.of(...set, ...label), 0, set.length + LABEL_WORDS);
  }
  const stacks = copy(profile.stacks);
  for (let i = 0; i < stacks.size; i++) stacks.words[stacks.starts[i]!]! += 1;
  return Object.assign(new Profile(), profile, { strings, labelSets, stacks });
}

/** The same profile with these comments in place of its own. */
export function withComments(profile: Profile, comments: string[]): Profile {
  return Object.assign(new Profile(), profile, { header: { ...profile.header, comments: [...comments] } });
}

/**
 * What happened between two snapshots of cumulative counters: `later` minus `earlier` in the columns of these sample types;
 * other columns stay as in `later`. Samples with equal stack and labels (of Go's heap profiles: with equal `bytes`, too) are
 * added up first. A counter that went down counts as 0, and is counted in `clamped`: the process was restarted.
 * @throws ProfileError if the profiles have different sample types, or not these.
 */
export function subtractProfile(
  later: Profile,
  earlier: Profile,
  sampleTypes: string[],
): { profile: Profile; clamped: number } {
  const columns = sampleTypes.map((type) => columnOf(later, type));
  const merge = new Merge();
  merge.add(later);
  merge.add(withValues(earlier, (value, column) => (columns.includes(column) ? -value : 0n)));
  let clamped = 0;
  const difference = withValues(merge.result(), (value, column) => {
    if (value >= 0n || !columns.includes(column)) return value;
    clamped++;
    return 0n;
  });
  const compact = new Merge();
  compact.add(difference);
  return { profile: Object.assign(compact.result(), { header: later.header }), clamped };
}

function copy({ size, words, starts }: Sequences): Sequences {
  const end = starts[size]!;
  return Object.assign(new Sequences(), { size, words: words.slice(0, end), starts: starts.slice(0, size + 1) });
}
