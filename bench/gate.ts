/**
 * What the gate itself takes, with 8 instances a side on the loopback cloud: from the last measured invocation to the
 * verdict, from the start of the process to its first request, and the size of what is run.
 * Usage: node bench/gate.ts [--short]; `npm run build` first.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable } from 'markdown-table';
import { buildLayer } from '../agents/node/build/layer.ts';
import { JOB_TOKEN, startCloud } from '../test/cloud/cloud.ts';
import { createDeployer, readFiles } from '../test/cloud/deploy.ts';
import { runAction } from '../test/cloud/runner.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist/action.js');
if (!existsSync(main)) throw new Error('Cannot measure: dist/action.js is missing. Run npm run build.');
const runs = process.argv.includes('--short') ? 1 : 3;
const BUCKET = 'octo-profiles';

const directory = mkdtempSync(join(tmpdir(), 'bench-gate-'));
let firstRequestMs = 0;
/** Whichever service is asked first: GitHub for the config file, or Lambda. */
function noteFirst(): boolean {
  firstRequestMs ||= performance.now();
  return false;
}
const cloud = await startCloud({
  owner: 'octo-org',
  repository: 'shop',
  bucket: BUCKET,
  lambda: { intercept: noteFirst },
  github: { intercept: noteFirst },
});

interface Timing {
  startMs: number;
  steps: { step: string; ms: number }[];
}
const timings: Timing[] = [];
try {
  const { zip: layer } = await buildLayer(join(directory, 'layer'));
  const version = await createDeployer(cloud).deploy('orders', readFiles(join(root, 'examples/functions/node')), {
    layer,
    bucket: BUCKET,
  });
  const base = cloud.github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
  cloud.github.commit({ branch: 'change', parents: [base], files: { 'README.md': 'Prices all orders.\n' } });
  const { number, mergeSha } = cloud.github.openPullRequest({ head: 'change', base: 'main' });
  const step = (sha: string, eventName: string, event: Record<string, unknown>, run: number) => {
    firstRequestMs = 0;
    return runAction({
      main,
      inputs: {
        'function-name': 'orders',
        qualifier: version,
        's3-bucket': BUCKET,
        concurrency: '8',
        invocations: '400',
        'update-baseline': String(eventName === 'push'),
        'github-token': JOB_TOKEN,
      },
      eventName,
      event,
      sha,
      runId: 500 + run,
      directory: join(directory, String(run)),
      environment: cloud.jobEnvironment,
    });
  };
  await step(base, 'push', cloud.github.pushEvent('main'), 0);
  for (let run = 1; run <= runs; run++) {
    const startedMs = performance.now();
    const { outputs, stderr } = await step(mergeSha, 'pull_request', cloud.github.pullRequestEvent(number), run);
    if (!outputs['report-json']) throw new Error(`The gate did not report: ${stderr}`);
    const report = JSON.parse(readFileSync(outputs['report-json'], 'utf8')) as { timings: Timing['steps'] };
    timings.push({ startMs: firstRequestMs - startedMs, steps: report.timings });
  }
} finally {
  await cloud.close();
  rmSync(directory, { recursive: true, force: true });
}

/** Steps after the last measured invocation; a confirmation measures again, so it is not one of them. */
const after = ({ steps }: Timing): Timing['steps'] => {
  const invoked = steps.findLastIndex(({ step }) => step.startsWith('Invoke'));
  return steps.slice(invoked + 1).filter(({ step }) => !step.startsWith('Measure base and head again'));
};
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const verdictMs = median(timings.map((timing) => after(timing).reduce((sum, { ms }) => sum + ms, 0)));
const startMs = median(timings.map((timing) => timing.startMs));
const megabytes = statSync(main).size / 1e6;

const rows = [
  {
    what: 'last measured invocation to verdict, 8 instances a side',
    goal: '<= 3 s',
    measured: `${(verdictMs / 1000).toFixed(2)} s`,
    met: verdictMs <= 3000,
  },
  {
    what: 'start of the process to its first request',
    goal: '<= 300 ms',
    measured: `${startMs.toFixed(0)} ms`,
    met: startMs <= 300,
  },
  { what: 'size of dist/action.js', goal: '<= 1.6 MB', measured: `${megabytes.toFixed(2)} MB`, met: megabytes <= 1.6 },
];
console.log(`Node ${process.version}, median of ${runs}\n`);
console.log(
  markdownTable([
    ['what', 'goal', 'peer', 'measured', 'met'],
    ...rows.map(({ what, goal, measured, met }) => [what, goal, '–', measured, met ? 'yes' : 'NO']),
  ]),
);
console.log('\nWhere the time goes, last run:\n');
for (const { step, ms } of timings.at(-1)!.steps) console.log(`${String(ms).padStart(7)} ms  ${step}`);
console.log(`\nbench gate: ${rows.filter(({ met }) => met).length} of ${rows.length} goals met`);
