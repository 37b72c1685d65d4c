/**
 * The whole gate on one machine: Lambda, S3 and GitHub on loopback, a real function in real processes, the built
 * Action. Deploys a sample function, records it for a push to main, then judges two pull requests: one that makes a
 * function slower, and one that changes nothing. `--function go` takes the Go function instead of the Node.js one.
 * Exits 1 when any of the three runs ends in another way than it must.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { type Cloud, JOB_TOKEN, startCloud } from '../../test/cloud/cloud.ts';
import { createDeployer } from '../../test/cloud/deploy.ts';
import { type ActionResult, runAction } from '../../test/cloud/runner.ts';
import { readableComment } from './readable-comment.ts';
import { SAMPLES, writeCheckout } from './samples.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = join(root, '.lambda-profile', 'demo');
const FUNCTION = 'orders';
const BUCKET = 'octo-profiles';
const SERVICE = `services/${FUNCTION}`;

const { values } = parseArgs({ options: { function: { type: 'string', default: 'node' } }, strict: true });
const sample = SAMPLES[values.function]?.();
if (sample === undefined) {
  console.error(`Cannot run the demo with --function ${values.function}: it must be node or go.`);
  process.exit(2);
}
const missing = await sample.missing();
if (missing !== undefined) {
  console.error(`Cannot run the demo with --function ${values.function}: ${missing}.`);
  process.exit(2);
}

interface Expected {
  exitCode: number;
  verdict: string;
  /** The only functions the run may call slower. */
  slower: string[];
}

const startedMs = performance.now();
const took: { step: string; ms: number }[] = [];

async function timed<T>(step: string, work: () => Promise<T>): Promise<T> {
  console.log(`\n${pc.bold(step)}`);
  const from = performance.now();
  const result = await work();
  took.push({ step, ms: performance.now() - from });
  return result;
}

function say(line: string): void {
  console.log(`  ${line}`);
}

let runId = 7000;

async function runGate(
  cloud: Cloud,
  name: string,
  workspace: string,
  step: { eventName: string; event: Record<string, unknown>; sha: string; version: string; updateBaseline: boolean },
): Promise<ActionResult> {
  const result = await runAction({
    main: join(root, 'dist/action.js'),
    inputs: {
      'function-name': FUNCTION,
      qualifier: step.version,
      's3-bucket': BUCKET,
      ...sample!.inputs,
      'update-baseline': String(step.updateBaseline),
      'github-token': JOB_TOKEN,
    },
    eventName: step.eventName,
    event: step.event,
    sha: step.sha,
    runId: ++runId,
    directory: join(output, name),
    workspace,
    environment: cloud.jobEnvironment,
    onOutput: (text) => {
      for (const line of text.split('\n')) if (line.trim() && !line.startsWith('::')) say(pc.dim(line));
    },
  });
  if (result.stderr) console.error(result.stderr);
  return result;
}

function check(name: string, result: ActionResult, expected: Expected): boolean {
  const report = result.outputs['report-json'] ? JSON.parse(readFileSync(result.outputs['report-json'], 'utf8')) : {};
  const slower: string[] = (report.comparison?.functions ?? [])
    .filter((one: { change: string; kind: string }) => one.change === 'slower' && one.kind === 'own')
    .map((one: { display: string }) => one.display);
  const right =
    result.exitCode === expected.exitCode &&
    result.outputs.verdict === expected.verdict &&
    slower.join() === expected.slower.join();
  const found = `exit ${result.exitCode}, ${result.outputs.verdict ?? 'no verdict'}${slower.length ? `, slower: ${slower.join(', ')}` : ''}`;
  say(
    right
      ? pc.green(`✓ ${found}`)
      : pc.red(`✗ ${found}: this should be exit ${expected.exitCode}, ${expected.verdict} ${expected.slower.join()}`),
  );
  if (!right) process.exitCode = 1;
  writeFileSync(join(output, name, 'summary.md'), result.summary);
  return right;
}

function showComment(cloud: Cloud, number: number, name: string): void {
  const [comment] = cloud.github.comments(number);
  if (!comment) {
    say(pc.red('no comment was posted'));
    return;
  }
  writeFileSync(join(output, name, 'comment.md'), comment.body);
  console.log(`\n${readableComment(comment.body, 80).replace(/^/gm, '  │ ')}`);
}

const work = join(output, 'checkout');
rmSync(output, { recursive: true, force: true });
const cloud = await timed('Lambda, S3 and GitHub start on loopback', async () => {
  const started = await startCloud({ owner: 'octo-org', repository: 'shop', bucket: BUCKET });
  say(`Lambda ${started.lambda.url}  S3 ${started.s3.url}  GitHub ${started.github.url}`);
  return started;
});
// The processes of the functions must not outlive it.
process.once('SIGINT', () => void cloud.close().finally(() => process.exit(130)));
try {
  const { github } = cloud;
  const deployer = createDeployer(cloud);
  const checkout = (withPullRequest: boolean) => writeCheckout(work, SERVICE, sample, withPullRequest);
  const deploy = async (): Promise<string> => {
    const { files, options } = await sample.build(join(work, SERVICE));
    const version = await deployer.deploy(FUNCTION, files, { ...options, bucket: BUCKET });
    say(`deployed as version ${version}`);
    return version;
  };

  const base = checkout(false);
  let mainTip = '';
  await timed('The agent', async () => say(await sample.prepare(output)));

  await timed('A push to main: its recording is stored', async () => {
    mainTip = github.commit({ branch: 'main', files: base, message: 'Price orders' });
    const version = await deploy();
    const event = github.pushEvent('main');
    const result = await runGate(cloud, 'push', work, {
      eventName: 'push',
      event,
      sha: mainTip,
      version,
      updateBaseline: true,
    });
    check('push', result, { exitCode: 0, verdict: 'no-baseline', slower: [] });
  });

  await timed(`A pull request: ${sample.change}`, async () => {
    const head = checkout(true);
    const deleted = Object.fromEntries(
      Object.keys(base)
        .filter((path) => !(path in head))
        .map((path) => [path, null]),
    );
    github.commit({
      branch: 'fair-discounts',
      parents: [mainTip],
      files: { ...head, ...deleted },
      message: 'Make discounts fair',
    });
    const { number, mergeSha } = github.openPullRequest({
      head: 'fair-discounts',
      base: 'main',
      title: 'Make discounts fair',
    });
    const version = await deploy();
    const event = github.pullRequestEvent(number);
    const result = await runGate(cloud, 'slower', work, {
      eventName: 'pull_request',
      event,
      sha: mergeSha,
      version,
      updateBaseline: false,
    });
    check('slower', result, { exitCode: 1, verdict: 'fail', slower: [sample.slower] });
    showComment(cloud, number, 'slower');
  });

  await timed('A pull request that changes nothing the function runs', async () => {
    checkout(false);
    github.commit({
      branch: 'readme',
      parents: [mainTip],
      files: { 'README.md': 'Prices orders.\n' },
      message: 'Say what it does',
    });
    const { number, mergeSha } = github.openPullRequest({ head: 'readme', base: 'main', title: 'Say what it does' });
    const version = await deploy();
    const event = github.pullRequestEvent(number);
    const result = await runGate(cloud, 'unchanged', work, {
      eventName: 'pull_request',
      event,
      sha: mergeSha,
      version,
      updateBaseline: false,
    });
    check('unchanged', result, { exitCode: 0, verdict: 'pass', slower: [] });
    showComment(cloud, number, 'unchanged');
  });

  console.log(`\n${pc.bold('Files')}`);
  for (const name of ['slower', 'unchanged'])
    for (const file of readdirSync(join(output, name, 'temp', 'lambda-profile')).sort())
      say(relative(process.cwd(), join(output, name, 'temp', 'lambda-profile', file)));
  console.log(`\n${pc.bold('Time')}`);
  for (const { step, ms } of took) say(`${(ms / 1000).toFixed(1).padStart(6)} s  ${step}`);
  say(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  in all`);
  if (github.violations.length > 0) {
    console.error(
      pc.red(`Requests or responses that GitHub's description does not allow:\n${github.violations.join('\n')}`),
    );
    process.exitCode = 1;
  }
} finally {
  await cloud.close();
}
