/**
 * Merges sets of profiles with this project and with `go tool pprof -proto`, and compares the bytes:
 * `node test/conformance/pprof-proto.ts [--sets 500] [DIRECTORY…]`, where each directory is searched for profiles, merged
 * one folder at a time. Needs Go. Prints what differs and ends `N passed, N failed`; exits 1 on failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { LINE_WORDS, LOCATION_WORDS, type Sequences } from '../../src/pprof/columns.ts';
import { DEFAULT_LIMITS, decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { inflate } from '../../src/pprof/inflate.ts';
import { decodeLegacy } from '../../src/pprof/legacy.ts';
import { mergeProfiles } from '../../src/pprof/merge.ts';
import { generateProfiles } from './generate.ts';
import { Outcomes } from './outcomes.ts';

const { values, positionals } = parseArgs({
  options: { sets: { type: 'string', default: '500' } },
  allowPositionals: true,
});
const work = mkdtempSync(join(tmpdir(), 'pprof-proto-'));
const outcomes = new Outcomes();
try {
  for (let seed = 1; seed <= Number(values.sets); seed++)
    outcomes.check(`generated set ${seed}`, () => compare(written(generateProfiles(seed))));
  checkDifferencesOnPurpose();
  for (const directory of positionals)
    for (const files of folders(directory)) outcomes.check(files[0]!, () => compareReal(files));
} finally {
  rmSync(work, { recursive: true });
}
console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exit(outcomes.failed === 0 ? 0 : 1);

/** What google/pprof does differently, case by case: if it stops doing so, this fails and should be deleted. */
function checkDifferencesOnPurpose(): void {
  outcomes.check('columns of inlined lines belong to a location here, and not in google/pprof', () => {
    let differing = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const files = written(generateProfiles(seed, { columns: true }));
      const [ours, theirs] = [decodeProfile(merged(files)), decodeProfile(pprof(files)!)];
      if (ours.locations.size < theirs.locations.size) return [`set ${seed}: fewer locations than google/pprof`];
      if (ours.locations.size > theirs.locations.size) differing++;
    }
    return differing > 0 ? [] : ['no set differs: google/pprof has been corrected'];
  });
  outcomes.check('a profile without a time does not reset the time here, as it does in google/pprof', () => {
    let differing = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const files = written(generateProfiles(seed, { timeless: true }));
      const times = files.map((file) => decodeProfile(readFileSync(file)).timeNanos).filter((time) => time !== 0n);
      const earliest = times.sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n;
      const ours = decodeProfile(merged(files));
      const theirs = decodeProfile(pprof(files)!);
      if (ours.timeNanos !== earliest) return [`set ${seed}: ${ours.timeNanos} is not the earliest time`];
      if (theirs.timeNanos !== earliest) differing++;
      const corrected = { ...theirs.header, timeNanos: earliest };
      const same = encodeProfile(Object.assign(theirs, { header: corrected }));
      if (Buffer.compare(encodeProfile(ours), same) !== 0) return [`set ${seed}: differs in more than the time`];
    }
    return differing > 0 ? [] : ['no set differs: google/pprof has been corrected'];
  });
}

function written(profiles: Uint8Array[]): string[] {
  const files = profiles.map((bytes, i) => {
    const file = join(work, `${i}.pb`);
    writeFileSync(file, bytes);
    return file;
  });
  return atLeastTwo(files);
}

// google/pprof does not merge a single profile, it writes it as it is.
function atLeastTwo(files: string[]): string[] {
  return files.length === 1 ? [files[0]!, files[0]!] : files;
}

function merged(files: string[]): Uint8Array {
  return encodeProfile(mergeProfiles(files.map((file) => decodeProfile(readFileSync(file)))));
}

function pprof(files: string[]): Uint8Array | undefined {
  const out = join(work, 'out.pb.gz');
  rmSync(out, { force: true });
  const { status } = spawnSync('go', ['tool', 'pprof', '-proto', '-symbolize=none', `-output=${out}`, ...files]);
  return status === 0 ? gunzipSync(readFileSync(out)) : undefined;
}

function compare(files: string[]): string[] {
  const theirs = pprof(files);
  if (theirs === undefined) return ['go tool pprof refuses the set'];
  const ours = merged(files);
  if (Buffer.compare(ours, theirs) === 0) return [];
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  return [`${ours.length} bytes differ from ${theirs.length} of google/pprof at byte ${at}`];
}

// Real profiles that both accept; a sum of more than 64 bits is refused here and wraps around in google/pprof.
function compareReal(files: string[]): string[] {
  const theirs = pprof(atLeastTwo(files));
  if (theirs === undefined) return [];
  let ours: Uint8Array;
  try {
    ours = merged(atLeastTwo(files));
  } catch (error) {
    if (error instanceof ProfileError && error.message.includes('64 bits')) return [];
    throw error;
  }
  const same =
    Buffer.compare(ours, theirs) === 0 || Buffer.compare(withoutInvented(ours), withoutInvented(theirs)) === 0;
  return same ? [] : [`${ours.length} bytes differ from ${theirs.length} of google/pprof`];
}

function withoutInvented(bytes: Uint8Array): Uint8Array {
  const profile = decodeProfile(bytes);
  const { words, starts, size } = profile.locations;
  const invented = profile.mappings.length === 1 && profile.mappings[0]!.limit === 0n;
  if (invented) {
    for (let i = 0; i < size; i++) words[starts[i]!]! &= 1;
    profile.mappings = [];
  }
  return encodeProfile(profile);
}

function hasInlinedColumns({ words, starts, size }: Sequences): boolean {
  for (let i = 0; i < size; i++)
    for (let at = starts[i]! + LOCATION_WORDS; at < starts[i + 1]! - LINE_WORDS; at += LINE_WORDS)
      if (words[at + 3] !== 0 || words[at + 4] !== 0) return true;
  return false;
}

/**
 * The readable profiles of each folder below a directory, in sets that can be merged. Left out are old formats (as first of
 * several arguments, google/pprof takes them for a program) and what it is known to merge differently: see
 * checkDifferencesOnPurpose. Profiles without any mapping are a set of their own, because google/pprof invents one.
 */
function* folders(directory: string): Generator<string[]> {
  const sets = new Map<string, string[]>();
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* folders(path);
    else if (statSync(path).size < 2_000_000) {
      const key = typesOf(path);
      if (key !== undefined) sets.set(key, [...(sets.get(key) ?? []), path]);
    }
  }
  yield* sets.values();
}

function typesOf(file: string): string | undefined {
  try {
    const bytes = readFileSync(file);
    if (decodeLegacy(inflate(bytes), DEFAULT_LIMITS) !== undefined) return undefined;
    const { sampleTypes, periodType, stacks, timeNanos, mappings, locations } = decodeProfile(bytes);
    if (stacks.size === 0 || hasInlinedColumns(locations)) return undefined;
    return JSON.stringify([sampleTypes, periodType, timeNanos === 0n, mappings.length === 0]);
  } catch {
    return undefined;
  }
}
