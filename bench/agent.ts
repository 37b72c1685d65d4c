/**
 * What the agents cost and how true they are, on real processes that are frozen between invocations:
 * `npm run bench:agent`, or with `--short` a look. Prints a table, and ends `bench agent: K of N goals met`.
 * `--attribution` prints the error of the attribution only, on the Node.js that runs it, as JSON.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildGo, GO_FUNCTIONS, goVersion } from '../test/go/build.ts';
import { type Bench, type Language, startBench } from './agent/functions.ts';
import * as measures from './agent/measures.ts';
import { createQuota } from './agent/quota.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const isShort = process.argv.includes('--short');
const size = isShort ? measures.SHORT : measures.FULL;

interface Row {
  name: string;
  /** What was measured, or why it was not. */
  value: string;
  goal: string;
  /** Undefined when not measured. */
  met?: boolean;
}

const rows: Row[] = [];

function add(row: Row): void {
  rows.push(row);
  const sign = row.met === undefined ? ' ' : row.met ? '✓' : '✗';
  console.log(`${sign} ${row.name.padEnd(66)} ${row.value.padStart(16)}   ${row.goal}`);
}

/** Node.js 22 from the registry, in a cache of this checkout. */
async function node22(): Promise<string | undefined> {
  const directory = join(root, '.cache/node22');
  const name = `node-${process.platform}-${process.arch}`;
  const file = join(directory, 'node_modules', name, 'bin/node');
  if (!existsSync(file))
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', directory, `${name}@22`]).catch(
      () => {},
    );
  return existsSync(file) ? file : undefined;
}

const LABELS: Record<Language, string> = { node: `Node.js ${process.versions.node}, 1 kHz`, go: 'Go, 100 Hz' };
const LIMITS = { node: { overhead: 0.08, coldStartMs: 60 }, go: { overhead: 0.02, coldStartMs: 5 } };
/** Of Lambda at 256 MB: 1,769 MB have one core. */
const QUOTA = 256 / 1769;

async function measureLanguage(bench: Bench, language: Language): Promise<void> {
  const label = LABELS[language];
  const { overhead, coldStartMs } = LIMITS[language];
  const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

  addCaptured(label, 'at full speed', await measures.capturedCpu(bench, language, size));
  const quota = createQuota(QUOTA);
  if (quota) addCaptured(label, 'at 256 MB', await measures.capturedCpu(bench, language, size, quota));
  else add({ name: `${label}: captured CPU at 256 MB`, value: 'not measured', goal: 'no cgroup can be made here' });
  quota?.remove();

  const more = await measures.cpuOverhead(bench, language, size);
  add({ name: `${label}: CPU overhead`, value: percent(more), goal: `≤ ${overhead * 100} %`, met: more <= overhead });
  const { p50AddedMs, p99AddedMs, p99NoiseMs } = await measures.latencyAdded(bench, language, size);
  add({
    ...{ name: `${label}: latency added, p50`, value: `${p50AddedMs.toFixed(2)} ms`, goal: '≤ 0.5 ms' },
    met: p50AddedMs <= 0.5,
  });
  add({
    name: `${label}: latency added, p99`,
    value: `${p99AddedMs.toFixed(2)} ms`,
    goal: `within noise: ${p99NoiseMs.toFixed(2)} ms between two without, or 1 ms`,
    met: p99AddedMs <= Math.max(1, p99NoiseMs),
  });
  const cold = await measures.coldStartAdded(bench, language, size);
  add({
    ...{ name: `${label}: cold start added`, value: `${cold.toFixed(1)} ms`, goal: `≤ ${coldStartMs} ms` },
    met: cold <= coldStartMs,
  });
  const variation = await measures.allocationVariation(bench, language, size);
  add({
    ...{ name: `${label}: bytes allocated, variation from run to run`, value: percent(variation), goal: '≤ 3 %' },
    met: variation <= 0.03,
  });
  addAttribution(label, await measures.attributionError(bench, language, size));
}

/** Two views of it: the process is frozen between its invocations, but not at once. */
function addCaptured(label: string, speed: string, { ofRun, inside }: measures.Captured): void {
  for (const [what, ratio] of [
    ['captured / CPU of the run', ofRun],
    ['captured / getrusage inside calls', inside],
  ] as const) {
    if (ratio === undefined) continue;
    add({
      ...{ name: `${label}: ${what}, ${speed}`, value: ratio.toFixed(3), goal: '0.95-1.05' },
      met: ratio >= 0.95 && ratio <= 1.05,
    });
  }
}

function addAttribution(label: string, { points, chance }: measures.Attribution): void {
  const name = `${label}: attribution of 6 : 3 : 1, largest error`;
  const goal = `≤ 3 points; chance: ± ${chance.toFixed(1)} (95 %)`;
  add({ name, value: `${points.toFixed(1)} points`, goal, met: points <= 3 });
}

const go = await goVersion();
const bench = await startBench(
  go && !process.argv.includes('--attribution')
    ? { orders: await buildGo(GO_FUNCTIONS.orders), split: await buildGo(GO_FUNCTIONS.variants) }
    : undefined,
);
try {
  if (process.argv.includes('--attribution')) {
    console.log(JSON.stringify(await measures.attributionError(bench, 'node', size)));
  } else {
    console.log(`${go ?? 'Go is not on PATH'}, Node.js ${process.versions.node}${isShort ? ', short' : ''}\n`);
    await measureLanguage(bench, 'node');
    const other = await node22();
    const args = [fileURLToPath(import.meta.url), '--attribution', ...(isShort ? ['--short'] : [])];
    if (other) addAttribution('Node.js 22, 1 kHz', JSON.parse((await run(other, ['--no-warnings', ...args])).stdout));
    else add({ name: 'Node.js 22: attribution of 6 : 3 : 1', value: 'not measured', goal: 'it cannot be fetched' });
    if (go) await measureLanguage(bench, 'go');
    else add({ name: 'Go', value: 'not measured', goal: 'it is not on PATH' });
    const judged = rows.filter(({ met }) => met !== undefined);
    console.log(`\nbench agent: ${judged.filter(({ met }) => met).length} of ${judged.length} goals met`);
  }
} finally {
  await bench.close();
}
