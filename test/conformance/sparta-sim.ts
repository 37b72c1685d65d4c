/**
 * Reads what two builds of a function published in Sparta's layout, whose invocations were counted, through the gate's
 * own collecting, folding, recording and comparing, and checks it against the counts:
 * `node test/conformance/sparta-sim.ts DIRECTORY`. Ends `N passed, N failed`; exits 1 on failure.
 * DIRECTORY has a folder for each case, with `sparta/` (the bucket at the end), `archive/` (every snapshot ever
 * published, `{instance}.seq{NN}.{type}.pb.gz`), `events.jsonl` and `run.json`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { compareSides } from '../../src/compare/compare.ts';
import { createAccount } from '../../src/lambda/account.ts';
import type { Target } from '../../src/lambda/target.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import { createRecording, type Recording } from '../../src/recordings/recording.ts';
import { sideOf, weighRecording } from '../../src/recordings/side.ts';
import { PROFILE_TYPES, parseSnapshotKey } from '../../src/snapshots/layout.ts';
import { foldSnapshots, type Snapshot } from '../../src/snapshots/window.ts';
import { Outcomes } from './outcomes.ts';

const directory = process.argv[2];
if (directory === undefined) {
  console.error('Usage: node test/conformance/sparta-sim.ts DIRECTORY');
  process.exit(2);
}

interface Event {
  instance: string;
  slot: number;
  seq: number;
  inv_before_cpu: number;
  inv_after_cpu: number;
}

/** Sum of a column of a profile file, by the profile's own totals. */
const totalOf = (file: string, column: string): number =>
  weighProfile(decodeProfile(readFileSync(file)), column).totals[0] ?? 0;

const SUMS = { cpu: 'cpu' };
const COUNTERS = { heap: 'alloc_space', allocs: 'alloc_space', block: 'delay', mutex: 'delay' };
const STATES = { heap: 'inuse_space', goroutine: 'goroutine', threadcreate: 'threadcreate' };

/** One case of the corpus, as the gate reads it from the bucket. */
function readCase(name: string): { events: Event[]; archive: string; snapshots: Snapshot[]; invocations: number } {
  const root = join(directory!, name);
  const bucket = join(root, 'sparta');
  const files = readdirSync(bucket, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const snapshots = files.flatMap((entry): Snapshot[] => {
    const file = join(entry.parentPath, entry.name);
    const place = parseSnapshotKey(join('sparta', relative(bucket, file)), 'sparta/pprof', 'orders-stack');
    if (!place) throw new Error(`Cannot read the key of ${file}.`);
    const body = readFileSync(file);
    // Nothing but the profile tells when it was written: the times of these files are those of a copy.
    return [{ ...place, etag: place.key, bytes: body.length, lastModifiedMs: 0, profile: decodeProfile(body) }];
  });
  const runs = JSON.parse(readFileSync(join(root, 'run.json'), 'utf8')) as { invocations: number }[];
  return {
    archive: join(root, 'archive'),
    snapshots,
    events: readFileSync(join(root, 'events.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event),
    invocations: runs.reduce((sum, { invocations }) => sum + invocations, 0),
  };
}

const target = (version: string): Target => ({
  functionName: 'orders',
  invokeName: 'orders',
  version,
  region: 'eu-west-1',
  codeSha256: version,
  memoryMb: 512,
  timeoutSeconds: 10,
  architecture: 'x86_64',
  runtime: 'provided.al2023',
});

function record(name: string, snapshots: Snapshot[], invocations: number): Recording {
  const account = { ...createAccount(), sent: invocations, succeeded: invocations };
  const commit = `${name.replaceAll(/[^a-z]/g, '')}`;
  return createRecording({
    ...{ tool: 'conformance', key: '', run: 'run', measuredAt: '2026-11-20T00:00:00Z', commit },
    ...{ target: target(name), snapshots, account },
  });
}

const outcomes = new Outcomes();
const recordings = new Map<string, Recording>();
const cases = readdirSync(directory).filter((name) => name.startsWith('base') || name === 'head');
for (const name of cases) {
  const { events, archive, snapshots, invocations } = readCase(name);
  const instances = [...new Set(events.map(({ instance }) => instance))].sort();
  const inBucket = (instance: string): Event[] => events.filter((event) => event.instance === instance).slice(-3);
  const file = (instance: string, seq: number, type: string): string =>
    join(archive, `${instance}.seq${String(seq).padStart(2, '0')}.${type}.pb.gz`);

  outcomes.check(`${name}: instances and slots are read from the keys`, () => {
    const seen = [...new Set(snapshots.map(({ instance }) => instance))].sort();
    const differences = seen.join() === instances.join() ? [] : [`instances ${seen}, expected ${instances}`];
    for (const instance of instances) {
      const slots = snapshots.filter((one) => one.instance === instance && one.type === 'cpu').map(({ slot }) => slot);
      const expected = inBucket(instance).map(({ slot }) => slot);
      if (slots.sort().join() !== expected.sort().join()) differences.push(`slots ${slots}, expected ${expected}`);
    }
    return differences;
  });

  for (const type of PROFILE_TYPES.filter((one) => snapshots.some((snapshot) => snapshot.type === one))) {
    const folded = foldSnapshots(snapshots.filter((snapshot) => snapshot.type === type));
    const check = (rule: string, column: string, expect: (instance: string) => number): void =>
      outcomes.check(`${name}: ${type}/${column} of an instance is ${rule}`, () =>
        folded.flatMap(({ instance, profile }) => {
          const found = weighProfile(profile, column).totals[0] ?? 0;
          const expected = expect(instance);
          return Math.abs(found - expected) <= 1e-3 * Math.abs(expected)
            ? []
            : [`${instance}: ${found}, expected ${expected}`];
        }),
      );
    const read = (instance: string, column: string): number[] =>
      inBucket(instance).map(({ seq }) => totalOf(file(instance, seq, type), column));
    if (type in SUMS) {
      const column = SUMS[type as keyof typeof SUMS];
      check('the sum of its windows', column, (instance) => read(instance, column).reduce((a, b) => a + b, 0));
    }
    if (type in COUNTERS) {
      const column = COUNTERS[type as keyof typeof COUNTERS];
      check('the last less the first', column, (instance) => {
        const values = read(instance, column);
        return values.at(-1)! - values[0]!;
      });
    }
    if (type in STATES) {
      const column = STATES[type as keyof typeof STATES];
      check('the last', column, (instance) => read(instance, column).at(-1)!);
    }
  }
  recordings.set(name, record(name, snapshots, invocations));

  outcomes.check(`${name}: a recording has every instance and an even share of the invocations`, () => {
    const { manifest } = recordings.get(name)!;
    const found = manifest.instances.map(({ id }) => id);
    const counted = manifest.instances.reduce((sum, one) => sum + one.invocations, 0);
    const differences = found.join() === instances.join() ? [] : [`instances ${found}`];
    return Math.abs(counted - invocations) <= instances.length
      ? differences
      : [...differences, `${counted} of ${invocations}`];
  });
}

/** CPU in ms of a function in the windows of the bucket, for each invocation that these windows saw. */
function cpuMsOf(name: string, key: string): number {
  const weights = weighRecording(recordings.get(name)!)!;
  const owner = weights.owners.findIndex((one) => one.key === key);
  if (owner < 0) throw new Error(`${name} has no ${key}: ${weights.owners.map((one) => one.key)}`);
  const { events } = readCase(name);
  const ids = [...new Set(events.map(({ instance }) => instance))];
  const covered = ids
    .flatMap((id) => events.filter(({ instance }) => instance === id).slice(-3))
    .reduce((sum, event) => sum + event.inv_after_cpu - event.inv_before_cpu, 0);
  return weights.counts.reduce((sum, counts) => sum + counts[owner]!, 0) / 1e6 / covered;
}

outcomes.check('head: the function that compresses harder costs more, the untouched one does not', () => {
  const ratio = (key: string): number => cpuMsOf('head', key) / cpuMsOf('base', key);
  const [encode, score] = [ratio('main.encodeOrders'), ratio('main.scoreItems')];
  const differences = encode > 1.5 ? [] : [`main.encodeOrders is ${encode} times as slow`];
  return score > 0.7 && score < 1.4 ? differences : [...differences, `main.scoreItems is ${score} times as slow`];
});

outcomes.check('the comparison puts the slower function first, and does not fail on two instances', () => {
  const [base, head] = [sideOf(recordings.get('base')!).side, sideOf(recordings.get('head')!).side];
  const { functions } = compareSides(base, head, {
    seed: 'base head',
    alpha: 0.05,
    minRegression: 0.1,
    changedFiles: [],
  });
  const differences: string[] = [];
  const encode = functions.find(({ key }) => key === 'main.encodeOrders');
  if (!encode || encode.rawRatio < 1.3) differences.push(`main.encodeOrders: ${encode?.rawRatio}`);
  if (functions.some(({ change }) => change === 'slower' || change === 'faster'))
    differences.push('two instances a side decided something');
  return differences;
});

console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exit(outcomes.failed === 0 ? 0 : 1);
