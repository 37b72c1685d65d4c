/**
 * The gate's story on a Lambda and an S3 that nobody here wrote. The function starts the agent from its code, for a
 * stand-in for Lambda may know neither layers nor exec wrappers.
 * Usage: node test/independent/lambda-story.ts NAME URL ACCESS_KEY SECRET
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { JOB_TOKEN, REGION } from '../cloud/cloud.ts';
import { createDeployer, readFiles } from '../cloud/deploy.ts';
import { startGitHub } from '../cloud/github/server.ts';
import { type ActionResult, runAction } from '../cloud/runner.ts';

const [name = 'Lambda', url = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2);
const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'lambda-story-'));
const bucket = 'octo-lambda-profiles';

const github = await startGitHub({
  tokens: [{ token: JOB_TOKEN, login: 'github-actions[bot]', type: 'Bot' }],
  repository: { owner: 'octo-org', name: 'shop' },
});
const environment: Record<string, string> = {
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_REGION: REGION,
  AWS_ENDPOINT_URL_S3: url,
  AWS_ENDPOINT_URL_LAMBDA: url,
  GITHUB_API_URL: github.url,
  GITHUB_SERVER_URL: 'https://github.example.com',
  GITHUB_REPOSITORY: 'octo-org/shop',
};

let passed = 0;
let failed = 0;
function check(what: string, right: boolean, result?: ActionResult): void {
  if (right) passed++;
  else failed++;
  console.log(`${right ? 'ok  ' : 'FAIL'} ${name}: ${what}`);
  if (!right && result) console.log(result.log, result.stderr, result.summary);
}

/** The sample function, with the agent around its handler. */
function profiled(agent: string, files: Record<string, string>): Record<string, string> {
  const { 'index.mjs': app = '', ...others } = files;
  return {
    ...others,
    'app.mjs': app,
    'index.mjs': `import { scheduleProfileLoop } from ${JSON.stringify(agent)};
const profiled = scheduleProfileLoop(${JSON.stringify(bucket)}, 'cpu');
const { handler: run } = await import('./app.mjs');
export const handler = profiled(run);
`,
  };
}

let runs = 0;
const run = (version: string, step: { eventName: string; event: Record<string, unknown>; sha: string }) =>
  runAction({
    main: join(root, 'dist/action.js'),
    inputs: {
      'function-name': 'orders',
      qualifier: version,
      's3-bucket': bucket,
      concurrency: '6',
      invocations: '240',
      'warmup-invocations': '90',
      'wait-timeout': '10s',
      'update-baseline': String(step.eventName === 'push'),
      'github-token': JOB_TOKEN,
    },
    ...step,
    runId: ++runs,
    directory: join(directory, `run-${runs}`),
    environment,
  });

try {
  const s3 = new S3Client({
    region: REGION,
    endpoint: url,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  s3.destroy();
  const layer = await buildLayer(join(directory, 'layer'));
  const agent = join(layer.directory, 'nodejs/lambda-profile/index.mjs');
  const deployer = createDeployer({ lambda: { url }, jobEnvironment: environment });
  const options = { environment: { AWS_ENDPOINT_URL_S3: url, LAMBDA_PROFILE_BUCKET: bucket } };
  const base = readFiles(join(root, 'examples/functions/node'));
  const head = { ...base, ...readFiles(join(root, 'examples/demo/pull-request')) };

  const tip = github.commit({ branch: 'main', files: base });
  const version = await deployer.deploy('orders', profiled(agent, base), options);
  const stored = await run(version, { eventName: 'push', event: github.pushEvent('main'), sha: tip });
  check('a push is recorded', stored.exitCode === 0 && stored.outputs.verdict === 'no-baseline', stored);

  github.commit({ branch: 'change', parents: [tip], files: head });
  const { number, mergeSha } = github.openPullRequest({ head: 'change', base: 'main' });
  const pull = await run(await deployer.deploy('orders', profiled(agent, head), options), {
    eventName: 'pull_request',
    event: github.pullRequestEvent(number),
    sha: mergeSha,
  });
  check('a pull request with a regression fails', pull.exitCode === 1 && pull.outputs.verdict === 'fail', pull);
  check('its comment names the function', github.comments(number)[0]?.body.includes('bestDiscount') === true, pull);
  deployer.close();
} finally {
  await github.close();
  rmSync(directory, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
