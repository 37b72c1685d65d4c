import { LABEL_WORDS, LINE_WORDS, LOCATION_WORDS, type Profile, wide } from '../../src/pprof/columns.ts';

/**
 * What a profile says, whatever the numbers and the order of its tables: every different sample with its values, in order
 * of text. Samples with equal stacks and labels are added up; those that are zero are left out.
 */
export function canonical(profile: Profile): string[] {
  const sums = new Map<string, bigint[]>();
  for (let i = 0; i < profile.sampleCount; i++) {
    const key = sampleKey(profile, i);
    const values = sums.get(key) ?? profile.sampleTypes.map(() => 0n);
    sums.set(
      key,
      values.map((value, type) => value + profile.value(i, type)),
    );
  }
  return [...sums]
    .filter(([, values]) => values.some((value) => value !== 0n))
    .map(([key, values]) => `${values.join(',')} ${key}`)
    .sort();
}

/** The values of one sample type by sample. */
export function valuesBySample(profile: Profile, column: number): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (let i = 0; i < profile.sampleCount; i++) {
    const key = sampleKey(profile, i);
    sums.set(key, (sums.get(key) ?? 0n) + profile.value(i, column));
  }
  return sums;
}

function sampleKey(profile: Profile, sample: number): string {
  const { words, starts } = profile.stacks;
  const stack = [...words.subarray(starts[sample]! + 1, starts[sample + 1]!)];
  return JSON.stringify([
    labelKey(profile, words[starts[sample]!]!),
    stack.map((location) => locationKey(profile, location)),
  ]);
}

// Text before numbers, by key; values of one key in their order.
function labelKey(profile: Profile, labelSet: number): unknown[] {
  const { words, starts } = profile.labelSets;
  const labels: [boolean, string, string, string, string][] = [];
  for (let at = starts[labelSet]!; at < starts[labelSet + 1]!; at += LABEL_WORDS)
    labels.push([
      words[at + 1] === 0,
      profile.text(words[at]!),
      profile.text(words[at + 1]!),
      String(wide(words, at + 2)),
      profile.text(words[at + 4]!),
    ]);
  return labels.sort((a, b) => Number(a[0]) - Number(b[0]) || Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])));
}

function locationKey(profile: Profile, location: number): unknown[] {
  const { words, starts } = profile.locations;
  const from = starts[location]!;
  const mapping = profile.mappings[(words[from]! >>> 1) - 1];
  const lines: unknown[] = [];
  for (let at = from + LOCATION_WORDS; at < starts[location + 1]!; at += LINE_WORDS)
    lines.push([functionKey(profile, words[at]!), String(wide(words, at + 1)), String(wide(words, at + 3))]);
  const where = mapping && [
    String((BigInt.asUintN(64, mapping.limit - mapping.start) + 0xfffn) >> 12n),
    String(mapping.offset),
    profile.text(mapping.buildId) || profile.text(mapping.file),
  ];
  return [where ?? null, words[from]! & 1, String(wide(words, from + 1)), lines];
}

function functionKey(profile: Profile, fn: number): unknown[] {
  const { words } = profile.functions;
  const at = fn * 5;
  return [...words.subarray(at, at + 3)].map((string) => profile.text(string)).concat(String(wide(words, at + 3)));
}
