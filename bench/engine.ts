/**
 * Measures merging, comparing and weighing profiles beside `go tool pprof` and gunzip: whole processes, one after the other
 * in turn, medians. `node bench/engine.ts [--short] [--rounds N] [--pprof PATH]`. Profiles are generated once, into
 * `.cache/bench/`; those of real Go processes need Go. Goals that need a peer that is missing are left out.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { writeSynthetic } from './profiles/synthetic.ts';

interface Measured {
  /** Median wall time. */
  seconds: number;
  /** Largest resident memory of all runs; 0 where the system does not tell. */
  peakBytes: number;
}

interface Row {
  what: string;
  goal: string;
  peer: string;
  measured: string;
  met: boolean;
}

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    pprof: { type: 'string' },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '..', '.cache', 'bench');
const rounds = Number(options.rounds ?? (options.short ? 3 : 9));
const program = join(cache, 'command.cjs');
const out = join(cache, 'out');
const rows: Row[] = [];

mkdirSync(cache, { recursive: true });
await bundle();
const pprof = options.pprof ?? findPprof();
const synthetic = {
  snapshots: options.short ? 60 : 200,
  stacks: 2000,
  pool: 8000,
  functions: 5000,
  depth: 34,
  seed: 42,
};
const head = generated('head', (directory) => writeSynthetic(directory, { ...synthetic, sampling: 1 }));
const base = generated('base', (directory) => writeSynthetic(directory, { ...synthetic, sampling: 2 }));
await measureMerge(`merge ${head.length} x 250 KB`, head, { pprof: 0.28, gunzip: 1.5, memory: 0.3 });
await measureDiff();
await measureWeights();
if (!options.short) {
  const shape = { snapshots: 50, stacks: 48_000, pool: 300_000, functions: 8000, depth: 36, seed: 7, sampling: 1 };
  const large = generated('large', (directory) => writeSynthetic(directory, shape));
  await measureMerge('merge 50 x 2.5 MB', large, { pprof: 0.25, gunzip: 2 });
}
if (hasGo()) {
  const cpu = generated('cpu', (directory) => runService('cpu', directory, 238));
  await measureMerge(`merge ${cpu.length} real CPU profiles`, cpu, { pprof: 1 });
  if (!options.short) {
    const heap = generated('heap', (directory) => runService('heap', directory, 40));
    await measureMerge(`merge ${heap.length} real heap profiles`, heap, { pprof: 0.2 });
  }
}
print();

async function measureMerge(
  what: string,
  files: string[],
  goals: { pprof: number; gunzip?: number; memory?: number },
): Promise<void> {
  const peers: Record<string, string[][]> = {
    ours: [[process.execPath, program, 'merge', out, ...files]],
    'gunzip -c': [['gunzip', '-c', ...files]],
    'gunzip in Node': [[process.execPath, program, 'gunzip', ...files]],
  };
  if (pprof !== undefined) peers.pprof = [[pprof, '-proto', '-symbolize=none', `-output=${out}`, ...files]];
  const measured = await inTurn(peers);
  const ours = measured.ours!;
  const theirs = measured.pprof;
  if (theirs !== undefined) {
    addRatio(what, goals.pprof, 'pprof -proto', ours.seconds, theirs.seconds, 's');
    if (goals.memory !== undefined && theirs.peakBytes > 0)
      addRatio(
        `${what}: peak memory`,
        goals.memory,
        'pprof -proto',
        ours.peakBytes / 2 ** 20,
        theirs.peakBytes / 2 ** 20,
        'MB',
      );
    else note(what, 'peak memory', ours, theirs);
  }
  if (goals.gunzip !== undefined)
    addRatio(what, goals.gunzip, 'gunzip -c', ours.seconds, measured['gunzip -c']!.seconds, 's');
  const node = measured['gunzip in Node']!.seconds;
  const times = (ours.seconds / node).toFixed(2);
  console.log(`${what}: ${times}x of gunzip of the same bytes in Node (${node.toFixed(2)} s)`);
}

function note(what: string, of: string, ours: Measured, theirs: Measured): void {
  const megabytes = ({ peakBytes }: Measured) => `${Math.round(peakBytes / 2 ** 20)} MB`;
  console.log(`${what}: ${of} ${megabytes(ours)}, pprof ${megabytes(theirs)}`);
}

// pprof takes one base: it has to merge the base profiles first.
async function measureDiff(): Promise<void> {
  if (pprof === undefined) return;
  const merged = join(cache, 'base.pb.gz');
  const { ours, theirs } = await inTurn({
    ours: [[process.execPath, program, 'diff', out, ...base, '--', ...head]],
    theirs: [
      [pprof, '-proto', '-symbolize=none', `-output=${merged}`, ...base],
      [pprof, '-top', '-nodecount=1000000', '-symbolize=none', `-diff_base=${merged}`, `-output=${out}`, ...head],
    ],
  });
  const what = `compare ${base.length} with ${head.length} per function`;
  addRatio(what, 0.25, 'pprof -proto, -diff_base', ours!.seconds, theirs!.seconds, 's');
}

async function measureWeights(): Promise<void> {
  const { sum, weigh } = await inTurn({
    sum: [[process.execPath, program, 'sum', ...head]],
    weigh: [[process.execPath, program, 'weigh', ...head]],
  });
  addRatio(`self and total in each of ${head.length}`, 1.15, 'merge alone', weigh!.seconds, sum!.seconds, 's');
}

function addRatio(what: string, goal: number, peer: string, ours: number, theirs: number, unit: string): void {
  const ratio = ours / theirs;
  const measured = `${ratio.toFixed(2)}x (${ours.toFixed(2)} ${unit} of ${theirs.toFixed(2)} ${unit})`;
  rows.push({ what, goal: `<= ${goal}x`, peer, measured, met: ratio <= goal });
}

/** Runs every peer once in each round, so that what else the machine does falls on all of them. */
async function inTurn(peers: Record<string, string[][]>): Promise<Record<string, Measured>> {
  const times = new Map<string, number[]>();
  const peaks = new Map<string, number>();
  for (let round = 0; round < rounds; round++)
    for (const [name, commands] of Object.entries(peers)) {
      let seconds = 0;
      for (const command of commands) {
        const run = await timed(command);
        seconds += run.seconds;
        peaks.set(name, Math.max(peaks.get(name) ?? 0, run.peakBytes));
      }
      times.set(name, [...(times.get(name) ?? []), seconds]);
    }
  return Object.fromEntries(
    Object.keys(peers).map((name) => [name, { seconds: median(times.get(name)!), peakBytes: peaks.get(name)! }]),
  );
}

async function timed([command, ...args]: string[]): Promise<Measured> {
  const started = performance.now();
  const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(child));
  }, 10);
  const code = await new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  clearInterval(watch);
  if (code !== 0) throw new Error(`Cannot measure ${command}: it exits with ${code}.`);
  return { seconds: (performance.now() - started) / 1000, peakBytes };
}

// The kernel keeps the peak, so that looking from time to time is enough.
function residentBytes({ pid }: ChildProcess): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function bundle(): Promise<void> {
  const built = await rolldown({ input: join(here, 'command.ts'), platform: 'node' });
  await built.write({ file: program, format: 'cjs', minify: true });
}

/** The files of a directory of the cache, written by `generate` if it is not there. */
function generated(name: string, generate: (directory: string) => void): string[] {
  const directory = join(cache, options.short ? `${name}-short` : name);
  if (!existsSync(directory)) {
    console.log(`Generating ${name} profiles ...`);
    generate(directory);
  }
  return readdirSync(directory).map((file) => join(directory, file));
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// The program itself, without the `go` command before it.
function findPprof(): string | undefined {
  if (!hasGo()) return undefined;
  return execFileSync('go', ['tool', '-n', 'pprof'], { encoding: 'utf8' }).trim().split(/\s+/)[0];
}

function runService(kind: string, directory: string, count: number): void {
  const cwd = join(here, 'profiles', 'go-service');
  execFileSync('go', ['run', '.', kind, directory, String(count)], { cwd, stdio: 'inherit' });
}

function print(): void {
  const table = [
    { what: 'what', goal: 'goal', peer: 'beside', measured: 'measured', met: 'met' },
    ...rows.map((row) => ({ ...row, met: row.met ? 'yes' : 'NO' })),
  ];
  const columns = ['what', 'goal', 'peer', 'measured', 'met'] as const;
  const widths = columns.map((column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    console.log(
      columns
        .map((column, i) => row[column].padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    );
  console.log(`bench engine: ${rows.filter(({ met }) => met).length} of ${rows.length} goals met`);
}
