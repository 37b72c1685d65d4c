/**
 * `npm run test:kill`: ends the built Action at random moments, as GitHub (SIGTERM) or a machine that dies (SIGKILL)
 * does, in runs of a push and of a pull request. Afterwards S3 holds whole recordings only, the comment shows what the
 * run had found out, nothing is left running, and the next run of the same commit works.
 *
 * --moments N   how many, 200 when not given
 * --short       16 moments
 * --seed TEXT   of the moments
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/seeded-random.ts';
import { type Lane, prepare, startLane } from '../faults/lane.ts';
import { checkEnded, checkNextRun, type Ended } from './check.ts';

const { values } = parseArgs({
  options: {
    moments: { type: 'string' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: 'kill' },
  },
});
const count = values.moments !== undefined ? Number(values.moments) : values.short ? 16 : 200;
const LANES = 2;
const INPUTS = { invocations: '60', 'warmup-invocations': '5' };

interface Moment {
  index: number;
  signal: 'SIGTERM' | 'SIGKILL';
  event: 'push' | 'pull_request';
  /** Share of the time that an undisturbed run takes. */
  at: number;
}

const random = seededRandom(values.seed);
// Signals and events take turns; the moments are spread over the run, one in each of its parts.
const moments = Array.from({ length: count }, (_, index): Moment => {
  const at = (((index * 7919) % count) + random()) / count;
  return { index, signal: index % 2 ? 'SIGKILL' : 'SIGTERM', event: index % 4 < 2 ? 'pull_request' : 'push', at };
});

async function run(lane: Lane, { index, signal, event, at }: Moment, wholeMs: number): Promise<string[]> {
  const name = `moment-${index}`;
  const branch = { branch: name, files: { [`docs/${name}.md`]: `${name}\n` } };
  const commit =
    event === 'pull_request' ? { pullRequest: lane.openPullRequest(name) } : { sha: lane.cloud.github.commit(branch) };
  const before = lane.stored();
  let endedMs = 0;
  const result = await lane.run({
    name,
    ...commit,
    inputs: INPUTS,
    onStart: (child) => {
      const timer = setTimeout(() => {
        endedMs = performance.now();
        child.kill(signal);
      }, at * wholeMs);
      child.on('close', () => clearTimeout(timer));
    },
  });
  const comments = () =>
    commit.pullRequest ? lane.cloud.github.comments(commit.pullRequest.number).map(({ body }) => body) : [];
  const ended: Ended = {
    result,
    signal: endedMs > 0 ? signal : undefined,
    lastedMs: endedMs > 0 ? performance.now() - endedMs : 0,
    comments: comments(),
    invocations: Number(INPUTS.invocations),
  };
  const problems = checkEnded(ended, lane, before);
  const again = await lane.run({ name: `${name}-again`, ...commit, inputs: INPUTS });
  problems.push(...checkNextRun(again, lane, before, comments(), commit.pullRequest?.mergeSha ?? commit.sha ?? ''));
  const reached =
    result.log
      .trimEnd()
      .split('\n')
      .findLast((line) => line.endsWith(' …')) ?? 'nothing yet';
  const told = [
    `${Math.round((at * wholeMs) / 10) / 100} s`.padStart(7),
    (endedMs > 0 ? signal : 'too late').padEnd(8),
    event.padEnd(12),
    `exit ${result.exitCode}`.padEnd(9),
    reached.replace(' …', '').slice(0, 40).padEnd(40),
    problems.length === 0 ? 'ok' : 'FAILED',
  ];
  console.log(told.join('  '));
  for (const problem of problems) console.log(`    ${problem}`);
  return problems;
}

const directory = mkdtempSync(join(tmpdir(), 'kill-'));
console.log(`${count} moments, seed ${values.seed}.`);
const built = await prepare(directory);
let passed = 0;
let failed = 0;

async function work(name: string): Promise<void> {
  const lane = await startLane(join(directory, name), built);
  try {
    let wholeMs = 0;
    for (let moment = moments.shift(); moment; moment = moments.shift()) {
      // As the machine is now: others may have become busy.
      if (wholeMs === 0) {
        const sha = lane.cloud.github.commit({ branch: 'whole', files: { whole: '1\n' } });
        wholeMs = (await lane.run({ name: 'whole', sha, inputs: INPUTS })).seconds * 1000;
      }
      if ((await run(lane, moment, wholeMs)).length === 0) passed++;
      else failed++;
    }
  } finally {
    await lane.close();
  }
}

try {
  await Promise.all(Array.from({ length: LANES }, (_, i) => work(`lane-${i}`)));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
