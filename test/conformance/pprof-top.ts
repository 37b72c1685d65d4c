/**
 * Lists profiles with this project and with `go tool pprof -top`, and compares the lines:
 * `node test/conformance/pprof-top.ts [--all] [--seed 1] DIRECTORY`, where the directory is searched for profiles. Each is
 * listed by its sample types, sorted and filtered in several ways, and as a difference with its neighbour in the folder;
 * without --all, every profile once and the rest as a sample. Needs Go. Prints what differs and ends
 * `N passed, N failed`; exits 1 on failure.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { inert } from '../../src/cli/shell.ts';
import { renderTop } from '../../src/cli/top-text.ts';
import type { Profile } from '../../src/pprof/columns.ts';
import { decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { diffProfiles } from '../../src/pprof/diff.ts';
import type { Filter } from '../../src/pprof/filter.ts';
import { computeTop } from '../../src/pprof/top.ts';
import { seededRandom } from '../../src/seeded-random.ts';
import { Outcomes } from './outcomes.ts';

const { values: options, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const [directory] = positionals;
if (directory === undefined) {
  console.error('Usage: node test/conformance/pprof-top.ts [--all] [--seed N] DIRECTORY');
  process.exit(2);
}
/** Share of the further listings that are compared without --all. */
const SAMPLED = 0.12;
const AT_ONCE = 3;
const random = seededRandom(options.seed);

/** One listing, in our words and in those of pprof. */
interface Listing {
  file: string;
  base?: { file: string; reading: 'base' | 'diff-base' };
  sampleType: string;
  sort: 'self' | 'total';
  filter: Filter;
}

function listingsOf(file: string, previous: string | undefined): Listing[] {
  const profile = readable(file);
  const plain = { file, sampleType: '', sort: 'self', filter: {} } as const;
  // What is no profile here must be none for google/pprof either.
  if (profile === undefined || profile.sampleTypes.length === 0) return [plain];
  const further: Listing[] = [{ ...plain, sort: 'total' }];
  for (const [i, { type }] of profile.sampleTypes.entries())
    for (const sort of ['self', 'total'] as const) further.push({ ...plain, sampleType: type || String(i), sort });
  for (const filter of filtersOf(profile)) further.push({ ...plain, filter });
  if (previous !== undefined && sameTypes(profile, previous))
    for (const reading of ['diff-base', 'base'] as const)
      further.push(
        { ...plain, base: { file: previous, reading } },
        { ...plain, base: { file: previous, reading }, sort: 'total' },
      );
  return [plain, ...further.filter(() => options.all || random() < SAMPLED)];
}

/** Patterns of names that are in the profile, as people write them. */
function filtersOf(profile: Profile): Filter[] {
  const { rows } = computeTop(profile, { sampleType: '', sort: 'total', filter: {}, trim: false });
  const words = rows.map(({ name }) => /[A-Za-z_]\w{3,60}/.exec(name)?.[0]).filter((word) => word !== undefined);
  const pick = (): string => words[Math.floor(random() * words.length)] ?? 'none';
  return [
    { focus: pick() },
    { ignore: pick() },
    { focus: `^${pick()}|${pick()}`, ignore: pick() },
    { hide: pick() },
    { show: pick() },
  ];
}

function readable(file: string): Profile | undefined {
  try {
    return decodeProfile(readFileSync(file));
  } catch (error) {
    if (error instanceof ProfileError) return undefined;
    throw error;
  }
}

function sameTypes(profile: Profile, other: string): boolean {
  const types = (profile: Profile) => JSON.stringify([profile.sampleTypes, profile.periodType]);
  const known = readable(other);
  return known !== undefined && types(known) === types(profile);
}

function ours({ file, base, sampleType, sort, filter }: Listing): string[] {
  const head = decodeProfile(readFileSync(file));
  const profile = base ? diffProfiles(decodeProfile(readFileSync(base.file)), head, base.reading) : head;
  return renderTop(computeTop(profile, { sampleType, sort, filter, trim: true }), filter).split('\n');
}

const pprof = execFileSync('go', ['tool', '-n', 'pprof'], { encoding: 'utf8' }).trim();

function theirs({ file, base, sampleType, sort, filter }: Listing): Promise<string[] | undefined> {
  const flags = [
    '-top',
    `-${sort === 'self' ? 'flat' : 'cum'}`,
    `-sample_index=${sampleType}`,
    ...Object.entries(filter).map(([name, value]) => `-${name}=${value}`),
    ...(base ? [`-${base.reading === 'base' ? 'base' : 'diff_base'}=${base.file}`] : []),
  ];
  const environment = { ...process.env, TZ: 'UTC', PPROF_BINARY_PATH: '/nonexistent' };
  return new Promise((resolve) => {
    execFile(pprof, [...flags, file], { env: environment, maxBuffer: 2 ** 28, encoding: 'buffer' }, (error, stdout) =>
      resolve(error ? undefined : new TextDecoder().decode(stdout).split('\n').map(inert)),
    );
  });
}

function describe({ file, base, sampleType, sort, filter }: Listing): string {
  return [file, base ? `${base.reading} ${base.file}` : '', sampleType, sort, JSON.stringify(filter)].join(' ');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesBelow(path) : [path];
    });
}

process.env.TZ = 'UTC';
const outcomes = new Outcomes();
let unread = 0;
let neither = 0;
const files = filesBelow(directory);
const queue = files.flatMap((file, i) => {
  const previous = files[i - 1];
  return listingsOf(file, previous !== undefined && dirname(previous) === dirname(file) ? previous : undefined);
});
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let listing = queue.shift(); listing; listing = queue.shift()) {
      const wanted = await theirs(listing);
      const isRead = readable(listing.file) !== undefined;
      if (wanted === undefined && !isRead) neither++;
      else if (wanted === undefined) unread++;
      else outcomes.check(describe(listing), () => differences(ours(listing), wanted));
    }
  }),
);
console.log(
  `${neither} files are profiles for neither; ${unread} listings that go tool pprof does not make were left out`,
);
console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exit(outcomes.failed === 0 ? 0 : 1);

// A name with a line feed in it is one line here, and several in google/pprof: then the text is compared as a whole.
function differences(found: string[], wanted: string[]): string[] {
  const text = (lines: string[]): string => lines.join('').replaceAll('\u{FFFD}', '');
  if (found.length < wanted.length && text(found) === text(wanted)) return [];
  const lines = Array.from({ length: Math.max(found.length, wanted.length) }, (_, i) => i);
  return lines
    .filter((i) => found[i]?.trimEnd() !== wanted[i]?.trimEnd())
    .map((i) => `line ${i + 1}: ${JSON.stringify(found[i])}, expected ${JSON.stringify(wanted[i])}`);
}
