/**
 * What much of everything costs the gate: 500 functions' recordings in one bucket, 10,000 snapshots below one prefix,
 * 5,000 ancestors, 2,000 comments on a pull request, 100 MB of profiles in one run. Each at a tenth, a third and all of
 * it, in a process of its own, against the loopback cloud: time, largest memory, requests.
 * Usage: node bench/scale.ts [SCENARIO] [--short]. Short: at most a tenth of it.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { markdownTable } from 'markdown-table';
import { bundle } from '../build/bundle.ts';
import { encodeProfile } from '../src/pprof/encode.ts';
import { type Cloud, JOB_TOKEN, startCloud } from '../test/cloud/cloud.ts';
import { sampleRecording } from '../test/recordings/sample.ts';
import { cpuProfiles, published } from './scale/snapshots.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const client = join(root, 'bench/scale/client.ts');
const scale = process.argv.includes('--short') ? 0.1 : 1;
const BUCKET = 'octo-profiles';
const MAX_MEMORY_MB = 512;
const directory = mkdtempSync(join(tmpdir(), 'bench-scale-'));
const run = promisify(execFile);
await bundle('cli', directory);
const cli = join(directory, 'cli.js');

interface Measured {
  units: number;
  seconds: number;
  memoryMb: number;
  requests: number;
  found: string;
}

interface Scenario {
  /** What there is much of, and what is done with it. */
  what: string;
  unit: string;
  full: number;
  /** Fills the cloud; returns the arguments of the process to measure, and more of its environment. */
  fill(cloud: Cloud, units: number): Promise<{ args: string[]; env?: Record<string, string> }>;
}

/** The time on GitHub. */
let nowMs = Date.now();

const commit = (i: number): string => i.toString(16).padStart(40, '0');

function putRecording(cloud: Cloud, functionName: string, at: number): void {
  const { manifest, profiles } = sampleRecording(commit(at), { functionName });
  const path = `lambda-profile/recordings/${functionName}/${commit(at)}/`;
  cloud.s3.put(BUCKET, `${path}cpu.0123456789abcdef.pb.gz`, gzipSync(encodeProfile(profiles.get('cpu')!)));
  cloud.s3.put(BUCKET, `${path}recording.json`, JSON.stringify(manifest));
}

/** Instances of three rolling slots each, as agents publish. */
function putSnapshots(cloud: Cloud, snapshots: number, body: (instance: string, sequence: number) => Uint8Array): void {
  for (let i = 0; i < snapshots; i++) {
    const instance = `i-${String(Math.floor(i / 3)).padStart(6, '0')}`;
    cloud.s3.put(BUCKET, `sparta/pprof/orders/profiles/cpu/${i % 3}-cpu.${instance}.profile`, body(instance, i % 3));
  }
}

const scenarios: Scenario[] = [
  {
    what: 'recordings of functions (20 commits each) in one bucket: `recordings list`',
    unit: 'functions',
    full: 500,
    async fill(cloud, units) {
      for (let i = 0; i < units; i++) for (let at = 0; at < 20; at++) putRecording(cloud, `orders-${i}`, at);
      return { args: [cli, 'recordings', 'list', '--s3-bucket', BUCKET, '--json'] };
    },
  },
  {
    what: 'snapshots below one prefix, of earlier runs: listed before and after a run',
    unit: 'snapshots',
    full: 10_000,
    async fill(cloud, units) {
      const small = cpuProfiles(50, 20).next().value!;
      putSnapshots(cloud, units, (instance, sequence) => published(small, instance, sequence));
      return { args: [client, 'list', BUCKET] };
    },
  },
  {
    what: 'the same, downloaded and folded: `profile`',
    unit: 'snapshots',
    full: 10_000,
    async fill(cloud, units) {
      const profiles = cpuProfiles(400, 100);
      const some = Array.from({ length: 16 }, () => profiles.next().value!);
      putSnapshots(cloud, units, (instance, sequence) => published(some[sequence]!, instance, sequence));
      const output = join(directory, 'profile.html');
      return { args: [cli, 'profile', 'orders', '--type', 'cpu', '--s3-bucket', BUCKET, '-o', output, '--no-open'] };
    },
  },
  {
    what: 'ancestors without a recording: the search for a baseline',
    unit: 'ancestors',
    full: 5_000,
    async fill({ github }, units) {
      let sha = '';
      for (let i = 0; i < units; i++) sha = github.commit({ branch: 'main', files: { 'README.md': `${i}\n` } });
      return { args: [client, 'baseline', BUCKET], env: { GITHUB_SHA: sha } };
    },
  },
  {
    what: 'comments on a pull request: ours is found and written',
    unit: 'comments',
    full: 2_000,
    async fill({ github }, units) {
      github.commit({ branch: 'main', files: { 'README.md': 'Orders.\n' } });
      github.commit({ branch: 'change', files: { 'README.md': 'All orders.\n' } });
      const { number } = github.openPullRequest({ head: 'change', base: 'main' });
      for (let i = 0; i < units; i++) {
        nowMs += 60_000; // GitHub lets nobody write so many comments at once
        const { status } = await fetch(`${github.url}/repos/octo-org/shop/issues/${number}/comments`, {
          method: 'POST',
          headers: { authorization: `token ${JOB_TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify({ body: `Comment ${i}: ${'long '.repeat(200)}` }),
        });
        if (status !== 201) throw new Error(`Cannot comment: ${status}.`);
      }
      return { args: [client, 'comment', BUCKET], env: { PULL_REQUEST: String(number) } };
    },
  },
  {
    what: 'profiles (profile.proto; as gzip a third) of one run: collected, folded, merged, stored',
    unit: 'MB',
    full: 100,
    async fill(cloud, units) {
      const profiles = cpuProfiles(4000, 6000);
      const some = Array.from({ length: 8 }, () => profiles.next().value!);
      const count = Math.ceil((units * 1e6) / some[0]!.length);
      let next = 0;
      putSnapshots(cloud, count, (instance, sequence) => published(some[next++ % 8]!, instance, sequence));
      return { args: [client, 'collect', BUCKET] };
    },
  },
];

async function measure(scenario: Scenario, units: number): Promise<Measured> {
  const github = { now: () => new Date(nowMs) };
  const cloud = await startCloud({ owner: 'octo-org', repository: 'shop', bucket: BUCKET, github });
  try {
    const { args, env } = await scenario.fill(cloud, units);
    const requests = () => cloud.s3.requests.length + cloud.github.requests.length;
    const before = requests();
    const usage = join(directory, 'usage');
    const startedMs = performance.now();
    const { stdout, stderr } = await run(process.execPath, ['--import', join(root, 'bench/scale/usage.ts'), ...args], {
      cwd: directory,
      env: { ...process.env, ...cloud.jobEnvironment, INPUT_TOKEN: JOB_TOKEN, ...env, USAGE_FILE: usage },
      maxBuffer: 2 ** 28,
    });
    return {
      units,
      seconds: (performance.now() - startedMs) / 1000,
      memoryMb: Number(readFileSync(usage, 'utf8')) / 1e6,
      requests: requests() - before,
      found: (stdout.length < 200 ? stdout : stderr).trim().split('\n').at(-1) ?? '',
    };
  } finally {
    await cloud.close();
    rmSync(join(directory, '.lambda-profile'), { recursive: true, force: true });
  }
}

const only = process.argv[2]?.startsWith('--') ? undefined : process.argv[2];
const rows: string[][] = [];
const goals: { what: string; goal: string; measured: string; met: boolean }[] = [];
try {
  for (const scenario of scenarios.filter(({ what }) => only === undefined || what.includes(only))) {
    const full = scenario.full * scale;
    const steps: Measured[] = [];
    for (const units of [full / 10, full / 3, full].map(Math.ceil)) steps.push(await measure(scenario, units));
    for (const { units, seconds, memoryMb, requests, found } of steps)
      rows.push([
        ...[scenario.what, `${units.toLocaleString('en')} ${scenario.unit}`, `${seconds.toFixed(2)} s`],
        ...[`${memoryMb.toFixed(0)} MB`, String(requests), found],
      ]);
    const [first, , last] = steps as [Measured, Measured, Measured];
    const memoryMb = Math.max(...steps.map((step) => step.memoryMb));
    const growth = last.seconds / first.seconds;
    goals.push({
      what: `${last.units.toLocaleString('en')} ${scenario.unit}: ${scenario.what}`,
      goal: `<= ${MAX_MEMORY_MB} MB, time at most x10 for x10`,
      measured: `${memoryMb.toFixed(0)} MB, ${last.seconds.toFixed(1)} s, x${growth.toFixed(1)}`,
      met: memoryMb <= MAX_MEMORY_MB && growth <= 12,
    });
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

console.log(`Node ${process.version}; processes with the AWS SDK loaded\n`);
console.log(markdownTable([['what', 'how much', 'time', 'memory', 'requests', 'found'], ...rows]));
console.log();
console.log(
  markdownTable([
    ['what', 'goal', 'peer', 'measured', 'met'],
    ...goals.map(({ what, goal, measured, met }) => [what, goal, '–', measured, met ? 'yes' : 'NO']),
  ]),
);
console.log(`\nbench scale: ${goals.filter(({ met }) => met).length} of ${goals.length} goals met`);
