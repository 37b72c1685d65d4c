import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { diffProfiles, reportTotal } from '../../src/pprof/diff.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import type { Outcomes } from './outcomes.ts';

interface Row {
  Name: string;
  Flat: number;
  Cum: number;
}

/** What google/pprof says of one difference, for one sample type. */
export interface GoldenDiff {
  Base: string;
  Head: string;
  Mode: 'base' | 'diff_base' | 'diff_base+normalize';
  SampleType: string;
  Total: number;
  MergedSamples: number;
  MergedLocations: number;
  MergedMappings: number;
  TopCum: Row[] | null;
  TopFlat: Row[] | null;
}

/** Differences have the same total, size, and top functions as in google/pprof. */
export function checkDiffs(directory: string, diffs: GoldenDiff[], outcomes: Outcomes): void {
  for (const diff of diffs)
    outcomes.check(`${diff.Mode} ${diff.SampleType} of ${diff.Base} and ${diff.Head}`, () => {
      const [base, head] = [diff.Base, diff.Head].map((file) => decodeProfile(readFileSync(join(directory, file))));
      const reading = diff.Mode === 'base' ? 'base' : 'diff-base';
      const profile = decodeProfile(
        encodeProfile(diffProfiles(base!, head!, reading, diff.Mode.endsWith('+normalize'))),
      );
      const found = [
        ['total', Number(reportTotal(profile, diff.SampleType)), diff.Total],
        ['samples', profile.sampleCount, diff.MergedSamples],
        ['locations', profile.locations.size, diff.MergedLocations],
        ['mappings', profile.mappings.length, diff.MergedMappings],
      ] as const;
      const differences = found
        .filter(([, ours, theirs]) => ours !== theirs)
        .map(([what, ours, theirs]) => `${what}: ${ours}, expected ${theirs}`);
      const { names, self, total } = weighProfile(profile, diff.SampleType);
      for (const { Name, Flat, Cum } of [...(diff.TopCum ?? []), ...(diff.TopFlat ?? [])]) {
        const i = names.indexOf(Name);
        if (self[0]![i] !== Flat || total[0]![i] !== Cum)
          differences.push(`${Name}: ${self[0]![i]}/${total[0]![i]}, expected ${Flat}/${Cum}`);
      }
      return differences;
    });
}
