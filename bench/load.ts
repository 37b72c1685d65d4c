/**
 * The load generator beside vegeta on the same loopback Invoke endpoint: latencies it reports, the rate it keeps, its
 * ceiling, its CPU per call, its memory. Usage: node bench/load.ts [--short]
 * vegeta is installed with Go into `.cache/go/bin` when it is not there; without Go its rows are not measured.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { markdownTable } from 'markdown-table';
import { type Attack, attack, installVegeta } from './load/vegeta.ts';

const short = process.argv.includes('--short');
const seconds = short ? 5 : 10;
const rounds = 3;
const WAIT_MS = 10;
const file = (name: string): string => fileURLToPath(new URL(`load/${name}`, import.meta.url));

interface Row {
  what: string;
  goal: string;
  peer: string;
  measured: string;
  /** Undefined: shown, not judged. Null: could not be measured. */
  met: boolean | null | undefined;
}
const rows: Row[] = [];

async function startResponder(waitMs: number): Promise<{ url: string; process: ChildProcess }> {
  const process_ = spawn(process.execPath, [file('responder.ts'), String(waitMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve) =>
    process_.stdout!.once('data', (data: Buffer) => resolve(data.toString().trim())),
  );
  return { url, process: process_ };
}

function generate(url: string, rate: number, concurrency: number): Attack {
  const args = [file('generator.ts'), url, String(rate), String(seconds), String(concurrency)];
  return JSON.parse(execFileSync(process.execPath, args).toString()) as Attack;
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
const vegeta = installVegeta();
const peerOf = (measure: (path: string) => Attack): Attack | undefined =>
  'path' in vegeta ? measure(vegeta.path) : undefined;

const slow = await startResponder(WAIT_MS);
try {
  for (const rate of [50, 200]) {
    // Turn by turn, and the median of each: what disturbs the machine disturbs both.
    const pairs = Array.from({ length: rounds }, () => ({
      peer: peerOf((path) => attack(path, slow.url, rate, seconds, 32)),
      ours: generate(slow.url, rate, 32),
    }));
    const median = (pick: (pair: (typeof pairs)[number]) => number): number =>
      pairs.map(pick).sort((a, b) => a - b)[rounds >> 1]!;
    for (const quantile of ['p50Ms', 'p99Ms'] as const) {
      const ours = median((pair) => pair.ours[quantile]);
      const peer = median((pair) => pair.peer?.[quantile] ?? Number.NaN);
      rows.push({
        what: `${quantile.slice(0, 3)} latency at ${rate} calls/s`,
        goal: 'within 1 ms and 10 % of vegeta',
        peer: Number.isNaN(peer) ? 'not measured' : ms(peer),
        measured: ms(ours),
        met: Number.isNaN(peer) ? null : Math.abs(ours - peer) <= Math.min(1, 0.1 * peer),
      });
    }
    rows.push(rateRow(rate, pairs[0]!.ours, pairs[0]!.peer));
  }
  const peer = peerOf((path) => attack(path, slow.url, 300, seconds, 32));
  rows.push(rateRow(300, generate(slow.url, 300, 32), peer));
} finally {
  slow.process.kill();
}

function rateRow(rate: number, ours: Attack, peer: Attack | undefined): Row {
  return {
    what: `achieved rate of ${rate} calls/s`,
    goal: 'within 1 %',
    peer: peer ? `${peer.ratePerSecond.toFixed(2)}/s` : 'not measured',
    measured: `${ours.ratePerSecond.toFixed(2)}/s`,
    met: Math.abs(ours.ratePerSecond / rate - 1) <= 0.01,
  };
}

const fast = await startResponder(0);
try {
  const peer = peerOf((path) => attack(path, fast.url, 0, seconds, 32));
  const ours = generate(fast.url, 0, 32);
  rows.push({
    what: 'throughput ceiling, 32 in flight',
    goal: 'shown',
    peer: peer ? `${peer.throughputPerSecond.toFixed(0)}/s` : 'not measured',
    measured: `${ours.throughputPerSecond.toFixed(0)}/s`,
    met: undefined,
  });
  rows.push({
    what: 'CPU of the client per call, signed with SigV4 every 20 s (vegeta: unsigned)',
    goal: 'shown',
    peer: peer ? ms(peer.cpuMsPerCall) : 'not measured',
    measured: ms(ours.cpuMsPerCall),
    met: undefined,
  });
} finally {
  fast.process.kill();
}

const million = JSON.parse(execFileSync(process.execPath, [file('million.ts'), '1000000']).toString()) as {
  sent: number;
  startMb: number;
  peakMb: number;
};
rows.push({
  what: `memory that ${million.sent.toLocaleString('en-US')} recorded invocations add (peak of the process: ${million.peakMb.toFixed(0)} MB)`,
  goal: 'below 200 MB',
  peer: '–',
  measured: `${(million.peakMb - million.startMb).toFixed(0)} MB`,
  met: million.peakMb - million.startMb < 200,
});

const said = (met: Row['met']): string => (met === undefined ? '' : met === null ? 'not measured' : met ? 'yes' : 'NO');
console.log(
  `Node ${process.version}, ${availableParallelism()} processors, endpoint waits ${WAIT_MS} ms, ${seconds} s a run\n`,
);
console.log(
  markdownTable([
    ['what', 'goal', 'vegeta', 'measured', 'met'],
    ...rows.map(({ what, goal, peer, measured, met }) => [what, goal, peer, measured, said(met)]),
  ]),
);
if ('missing' in vegeta) console.log(`\nRows beside vegeta could not be measured: ${vegeta.missing}.`);
const judged = rows.filter(({ met }) => met !== undefined);
console.log(`\nbench load: ${judged.filter(({ met }) => met === true).length} of ${judged.length} goals met`);
