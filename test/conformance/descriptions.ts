import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LINE_WORDS, LOCATION_WORDS, labelsOf, type Profile } from '../../src/pprof/columns.ts';
import { decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { Merge } from '../../src/pprof/merge.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import type { Outcomes } from './outcomes.ts';

interface Row {
  Name: string;
  Inline?: string;
  Flat: number;
  Cum: number;
}

/** What google/pprof says of one file. */
export interface Description {
  File: string;
  Error?: string;
  SampleTypes?: string[];
  Default: number;
  PeriodType?: string;
  Period: number;
  TimeNanos?: string;
  DurationNanos?: string;
  Samples: number;
  Locations: number;
  Functions: number;
  Mappings: number;
  MaxStack: number;
  MaxLines: number;
  LabelKeys?: string[];
  BuildIDs?: string[];
  Comments?: string[];
  SumValues?: string[];
  Totals?: string[];
  MergeSelf?: { Samples: number; Locations: number; Functions: number; Mappings: number };
  Top?: Record<string, Row[] | null>;
  TopCum?: Record<string, Row[] | null>;
}

/** Files that google/pprof merges differently, and why. */
const ON_PURPOSE = new Map<string, string>([
  [
    'quirk-inlined-leaf-column-collides-in-go-merge.pb.gz',
    'google/pprof drops the column of inlined lines from the identity of a location, so that two locations become one',
  ],
]);

/** Every file is read, or refused, as google/pprof does, and gives the same counts, sums, and top functions. */
export function checkDescriptions(directory: string, descriptions: Description[], outcomes: Outcomes): void {
  for (const expected of descriptions)
    outcomes.check(expected.File, () => {
      const bytes = readFileSync(join(directory, expected.File));
      return expected.Error === undefined ? described(bytes, expected) : refused(bytes, expected);
    });
}

function refused(bytes: Uint8Array, { File, Error: expected }: Description): string[] {
  try {
    decodeProfile(bytes);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const where = / at byte \d+ |gzip data is damaged|is empty|no string table/;
    if (File.includes('own-nasty/bad-') && !where.test(error.message))
      return [`does not say where it is broken: ${error.message}`];
    if (process.env.VERBOSE) console.log(`${basename(File)}: ${error.message}`);
    return [];
  }
  return [`was read, but google/pprof refuses it: ${expected}`];
}

function described(bytes: Uint8Array, expected: Description): string[] {
  const profile = decodeProfile(bytes);
  const types = profile.sampleTypes.map(({ type, unit }) => `${type}/${unit}`);
  const differences: string[] = [];
  const same = (what: string, found: unknown, wanted: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      differences.push(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`);
  };
  same('sample types', types, expected.SampleTypes);
  same('period type', `${profile.periodType.type}/${profile.periodType.unit}`, expected.PeriodType);
  same('period', Number(profile.period), expected.Period);
  same('time', String(profile.timeNanos), expected.TimeNanos);
  same('duration', String(profile.durationNanos), expected.DurationNanos);
  same('samples', profile.sampleCount, expected.Samples);
  same('locations', profile.locations.size, expected.Locations);
  same('functions', profile.functions.size, expected.Functions);
  same('mappings', profile.mappings.length, expected.Mappings);
  same('deepest stack', deepest(profile), expected.MaxStack);
  same('most lines', mostLines(profile), expected.MaxLines);
  same('label keys', labelKeys(profile), expected.LabelKeys ?? []);
  same('comments', profile.comments, expected.Comments ?? []);
  same('build ids', buildIds(profile), [...new Set(expected.BuildIDs ?? [])].sort());
  same('sums', sums(profile), expected.SumValues);
  if (!ON_PURPOSE.has(basename(expected.File))) same('merged with itself', mergedSizes(profile), expected.MergeSelf);
  differences.push(...topDifferences(profile, expected));
  const again = encodeProfile(profile);
  if (Buffer.compare(again, encodeProfile(decodeProfile(again))) !== 0)
    differences.push('changes when written and read');
  return differences;
}

function deepest({ stacks: { starts, size } }: Profile): number {
  let deepest = 0;
  for (let i = 0; i < size; i++) deepest = Math.max(deepest, starts[i + 1]! - starts[i]! - 1);
  return deepest;
}

function mostLines({ locations: { starts, size } }: Profile): number {
  let most = 0;
  for (let i = 0; i < size; i++) most = Math.max(most, (starts[i + 1]! - starts[i]! - LOCATION_WORDS) / LINE_WORDS);
  return most;
}

function labelKeys(profile: Profile): string[] {
  const keys = new Set<string>();
  for (let i = 0; i < profile.labelSets.size; i++)
    for (const label of labelsOf(profile, i)) keys.add('text' in label ? label.key : `#${label.key}`);
  return [...keys].sort();
}

function buildIds(profile: Profile): string[] {
  return [...new Set(profile.mappings.map(({ buildId }) => profile.text(buildId)))].filter((id) => id !== '').sort();
}

function sums(profile: Profile): string[] {
  return profile.sampleTypes.map((_, type) => {
    let sum = 0n;
    for (let i = 0; i < profile.sampleCount; i++) sum += profile.value(i, type);
    return String(BigInt.asIntN(64, sum));
  });
}

function mergedSizes(profile: Profile): Description['MergeSelf'] {
  const merge = new Merge();
  merge.add(profile);
  const merged = decodeProfile(encodeProfile(merge.result()));
  return {
    Functions: merged.functions.size,
    Locations: merged.locations.size,
    Mappings: merged.mappings.length,
    Samples: merged.sampleCount,
  };
}

function topDifferences(profile: Profile, { Top, TopCum, Totals }: Description): string[] {
  const differences: string[] = [];
  for (const [label, rows] of [...Object.entries(Top ?? {}), ...Object.entries(TopCum ?? {})]) {
    const type = label.slice(label.indexOf(':') + 1);
    if (rows === null || profile.sampleTypes.filter((known) => known.type === type).length > 1) continue;
    if (!Number.isSafeInteger(Number(Totals![Number.parseInt(label, 10)]))) continue; // weights are exact or refused
    const { names, self, total } = weighProfile(profile, type);
    const numbers = new Map(names.map((name, i) => [name, i]));
    for (const { Name, Flat, Cum } of rows) {
      const i = numbers.get(Name);
      if (i === undefined) differences.push(`${label}: ${Name} is missing`);
      else if (self[0]![i] !== Flat || total[0]![i] !== Cum)
        differences.push(`${label}: ${Name} has ${self[0]![i]}/${total[0]![i]}, expected ${Flat}/${Cum}`);
    }
  }
  return differences;
}
