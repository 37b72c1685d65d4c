/**
 * `npm run test:faults`: the built Action against Lambda, S3 and GitHub on loopback, with one fault in one phase of
 * each run. Prints what came of every cell of `cells.ts`.
 *
 * --short         a seeded sample of 30 cells
 * --sample N      of N cells
 * --seed TEXT     of the sample
 * --only TEXT     cells whose name has the text, e.g. `s3 store` or `hang`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/seeded-random.ts';
import { CELLS, type Cell } from './cells.ts';
import { type Aftermath, checkInvariants, compareWithExpectation } from './check.ts';
import { createInjection } from './faults.ts';
import { type Lane, prepare, startLane } from './lane.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    sample: { type: 'string' },
    seed: { type: 'string', default: 'faults' },
    only: { type: 'string', default: '' },
  },
});
const size = values.sample !== undefined ? Number(values.sample) : values.short ? 30 : CELLS.length;
/** Of a sample, so many may mostly wait. */
const MOST_PATIENT = values.short ? 2 : CELLS.length;
const BUSY_LANES = 2;
const PATIENT_LANES = 2;

const nameOf = ({ service, phase, fault }: Cell): string => `${service} ${phase}: ${fault}`;

function sampleOf(cells: readonly Cell[]): Cell[] {
  const random = seededRandom(values.seed);
  const shuffled = cells
    .map((cell) => ({ cell, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ cell }) => cell);
  const patient = shuffled.filter((cell) => cell.patient).slice(0, MOST_PATIENT);
  const busy = shuffled.filter((cell) => !cell.patient);
  return [...patient, ...busy].slice(0, size);
}

/** What is not as it must be, and whether it is more than another outcome than expected. */
interface Problems {
  texts: string[];
  grave: boolean;
}

async function runCell(lane: Lane, cell: Cell, name: string): Promise<Problems> {
  const before = lane.stored();
  const pullRequest = lane.openPullRequest(name);
  const { service, phase, fault } = cell;
  const result = await lane.run({
    name,
    pullRequest,
    fault: { service, phase, injection: (refuse) => createInjection(service, fault, refuse) },
    onStart: (child) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), (cell.deadlineSeconds + 30) * 1000);
      child.on('close', () => clearTimeout(timer));
    },
  });
  const aftermath: Aftermath = {
    result,
    before,
    after: lane.stored(),
    commit: pullRequest.mergeSha,
    comments: lane.cloud.github.comments(pullRequest.number).map(({ body }) => body),
    reached: lane.reached(),
    received: lane.received(),
  };
  const violations = checkInvariants(aftermath, lane, cell.deadlineSeconds);
  const problems = [...compareWithExpectation(cell, aftermath), ...violations];
  const verdict = result.outputs.verdict ?? '';
  const told = [
    nameOf(cell).padEnd(42),
    (verdict || 'not started').padEnd(12),
    `exit ${result.exitCode}`,
    `${cell.expected.stored ? 'stored' : 'kept'}`.padEnd(6),
    `${result.seconds.toFixed(1).padStart(5)} s`,
    problems.length === 0 ? 'ok' : 'FAILED',
  ];
  console.log(told.join('  '));
  for (const problem of problems) console.log(`    ${problem}`);
  return { texts: problems, grave: violations.length > 0 };
}

const directory = mkdtempSync(join(tmpdir(), 'faults-'));
const chosen = sampleOf(CELLS.filter((cell) => nameOf(cell).includes(values.only)));
const queues = { busy: chosen.filter(({ patient }) => !patient), patient: chosen.filter(({ patient }) => patient) };
console.log(`${chosen.length} of ${CELLS.length} cells, seed ${values.seed}.`);
const built = await prepare(directory);
let passed = 0;
let failed = 0;
let started = 0;

async function work(name: string, queue: Cell[]): Promise<void> {
  if (queue.length === 0) return;
  const lane = await startLane(join(directory, name), built);
  try {
    for (let cell = queue.shift(); cell; cell = queue.shift()) {
      const name = `cell-${++started}`;
      let { texts, grave } = await runCell(lane, cell, name);
      // A machine that is busy with others can cost an instance, and so a verdict; but never a thing that must hold.
      if (texts.length > 0 && !grave) ({ texts, grave } = await runCell(lane, cell, `${name}-again`));
      if (texts.length === 0) passed++;
      else failed++;
    }
  } finally {
    await lane.close();
  }
}

try {
  await Promise.all([
    ...Array.from({ length: BUSY_LANES }, (_, i) => work(`busy-${i}`, queues.busy)),
    ...Array.from({ length: PATIENT_LANES }, (_, i) => work(`patient-${i}`, queues.patient)),
  ]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
