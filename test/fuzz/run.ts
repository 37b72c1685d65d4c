/**
 * Fuzzes the profile decoder, guided by coverage: any bytes must end in a profile or in one ProfileError, in bounded time
 * and memory. What a profile is written to must read the same, and merge and weigh.
 * Usage: node test/fuzz/run.ts [--executions N] [--seed N] [--short]; findings go to .cache/fuzz.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { EDGES } from './counters.ts';
import { instrumentedTarget } from './instrument.ts';
import { MAX_BYTES } from './mutate.ts';
import { seedInputs } from './seeds.ts';
import { BASE_BYTES, BYTES_PER_BYTE, type Message, type Task } from './task.ts';

const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
  },
});
const executions = values.short ? 200_000 : Number(values.executions);
const THREADS = 2;
/** A thread that makes no progress for so long hangs. */
const HANG_MS = 20_000;
/** Heap of one thread: beyond it, an input has used more memory than any decoder of it may. */
const HEAP_MB = 256;

const findings = join(fileURLToPath(new URL('../..', import.meta.url)), '.cache/fuzz');
const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
const seeds = seedInputs();
const { code, branches } = await instrumentedTarget();
const target = join(directory, 'target.mjs');
writeFileSync(target, code);
const seen = new Uint8Array(new SharedArrayBuffer(EDGES));
const found = new Map<string, { of: string; file: string; text: string }>();
let kept = 0;
let profiles = 0;
let largestBytesPerByte = 0;
let peakBytes = 0;

/** Keeps one input for every different failure. */
function keep(of: string, bytes: Uint8Array, text: string): void {
  const where = text.split('\n').slice(0, 3).join(' ').replace(/\d+/g, 'N');
  const key = of === 'crash' ? where : of;
  const known = found.get(key);
  if (known !== undefined) return;
  mkdirSync(findings, { recursive: true });
  const file = join(findings, `${of}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.bin`);
  writeFileSync(file, bytes);
  found.set(key, { of, file, text });
  console.log(`${of}: ${file}\n${text}\n`);
}

interface Thread {
  worker: Worker;
  progress: Int32Array;
}
const threads: Thread[] = [];

function startThread(seed: number, count: number): Promise<void> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const input = new Uint8Array(new SharedArrayBuffer(MAX_BYTES + 1024));
  const workerData: Task = {
    target: pathToFileURL(target).href,
    seed,
    seeds,
    executions: count,
    seen,
    progress,
    input,
  };
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 64 },
  });
  const thread = { worker, progress };
  threads.push(thread);
  const current = () => input.slice(0, progress[1]);
  return new Promise((resolve) => {
    let done = -1;
    const watch = setInterval(() => {
      if (progress[0] === done && done > 0) {
        keep('hang', current(), `no end within ${HANG_MS / 1000} s`);
        worker.terminate();
      }
      done = progress[0]!;
    }, HANG_MS);
    worker.on('message', (message: Message) => {
      if (message.kind === 'finding') keep(message.of, message.bytes, message.text);
      else if (message.kind === 'interesting') {
        kept++;
        for (const other of threads) if (other !== thread) other.worker.postMessage(message.bytes);
      } else {
        profiles += message.profiles;
        largestBytesPerByte = Math.max(largestBytesPerByte, message.largestBytesPerByte);
      }
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      keep(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crash', current(), error.stack ?? error.message);
    });
    worker.on('exit', () => {
      clearInterval(watch);
      resolve();
    });
  });
}

const edges = () => seen.reduce((count, bits) => count + (bits === 0 ? 0 : 1), 0);
const done = () => threads.reduce((sum, { progress }) => sum + progress[0]!, 0);
const startedMs = performance.now();
const seconds = () => (performance.now() - startedMs) / 1000;
console.log(`${branches} branches instrumented, ${seeds.length} seeds, seed ${values.seed}\n`);
console.log('  executions   per second     edges   kept inputs');
const number = (value: number) => Math.round(value).toLocaleString('en');
function report(): void {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  const cells = [number(done()), number(done() / seconds()), number(edges()), number(kept)];
  console.log(cells.map((cell, i) => cell.padStart([12, 13, 10, 14][i]!)).join(''));
}
const timer = setInterval(report, values.short ? 5_000 : 30_000);
const memory = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 500);
await Promise.all(
  Array.from({ length: THREADS }, (_, i) =>
    startThread(Number(values.seed) * 7919 + i, Math.ceil(executions / THREADS)),
  ),
);
clearInterval(timer);
clearInterval(memory);
report();
rmSync(directory, { recursive: true, force: true });

const of = (...kinds: string[]) => [...found.values()].filter((finding) => kinds.includes(finding.of)).length;
const checks: [string, boolean, string][] = [
  [`${number(executions)} executions`, done() >= executions, number(done())],
  ['no crash: a profile or one ProfileError', of('crash') === 0, `${of('crash')} different`],
  ['no hang: each ends within 1 s', of('hang', 'slow') === 0, `${of('hang', 'slow')}`],
  [
    `memory: typed arrays of at most ${BASE_BYTES / 1024} KiB and ${BYTES_PER_BYTE} bytes for each of the input's`,
    of('memory') === 0,
    `${Math.max(0, largestBytesPerByte).toFixed(0)} bytes for each`,
  ],
];
console.log(
  `\n${number(profiles)} inputs were profiles; ${number(seconds())} s; process of at most ${number(peakBytes / 2 ** 20)} MiB`,
);
for (const [what, right, value] of checks) console.log(`${right ? 'ok  ' : 'FAIL'} ${what}: ${value}`);
const failed = checks.filter(([, right]) => !right).length;
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
