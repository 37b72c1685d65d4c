import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { mergeProfiles } from '../../src/pprof/merge.ts';
import { canonical } from '../pprof/canonical.ts';
import type { Outcomes } from './outcomes.ts';

/** Profiles that google/pprof merged come out the same, in any order and grouping. */
export function checkMerges(directory: string, outcomes: Outcomes): void {
  const golden = join(directory, 'golden', 'merged');
  for (const name of readdirSync(golden))
    outcomes.check(`merge ${name}`, () => {
      const expected = decodeProfile(readFileSync(join(golden, name)));
      const profiles = sourcesOf(directory, name).map((file) => decodeProfile(readFileSync(file)));
      const merged = mergeProfiles(profiles);
      const grouped = mergeProfiles([mergeProfiles(profiles.slice(1)), profiles[0]!]);
      const reversed = mergeProfiles(profiles.toReversed());
      const differences: string[] = [];
      const wanted = canonical(expected).join('\n');
      for (const [how, profile] of Object.entries({ merged, grouped, reversed })) {
        if (canonical(profile).join('\n') !== wanted) differences.push(`${how}: other samples`);
        if (profile.timeNanos !== expected.timeNanos) differences.push(`${how}: other time`);
        if (profile.durationNanos !== expected.durationNanos) differences.push(`${how}: other duration`);
      }
      if (encodeProfile(merged).length !== encodeProfile(expected).length) differences.push('other length');
      return differences;
    });
}

// sim-base-heap-latest-per-instance.pb.gz: of the side `base`, the last snapshot of type `heap` of each instance.
function sourcesOf(directory: string, name: string): string[] {
  const [, side, type, what] = /^sim-([a-z]+)-([a-z]+)-(.*)\.pb\.gz$/.exec(name)!;
  const simulation = join(directory, 'own-sparta-sim', side!);
  if (what === 'rolling3-sparta-style') {
    const slots = join(simulation, 'sparta', 'pprof', 'orders-stack', 'profiles', type!);
    return readdirSync(slots).map((file) => join(slots, file));
  }
  const archive = join(simulation, 'archive');
  const files = readdirSync(archive).filter((file) => file.includes(`.${type}.`));
  if (what === 'all') return files.map((file) => join(archive, file));
  const latest = new Map(files.sort().map((file) => [file.slice(0, file.indexOf('.seq')), file]));
  return [...latest.values()].map((file) => join(archive, file));
}
