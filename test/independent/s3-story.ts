/**
 * The gate's story on an S3 server that nobody here wrote: a push is recorded, a pull request with a regression fails,
 * the recording of a commit is kept when the job runs again. Same Action, same agent, same function; only the S3
 * endpoint differs.
 * Usage: node test/independent/s3-story.ts NAME URL ACCESS_KEY SECRET
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { JOB_TOKEN, REGION } from '../cloud/cloud.ts';
import { createDeployer, readFiles } from '../cloud/deploy.ts';
import { startGitHub } from '../cloud/github/server.ts';
import { startLambda } from '../cloud/lambda/server.ts';
import { type ActionResult, runAction } from '../cloud/runner.ts';

const [name = 'S3', url = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2);
const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 's3-story-'));
const bucket = 'octo-profiles';
const s3 = new S3Client({
  region: REGION,
  endpoint: url,
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});

const github = await startGitHub({
  tokens: [{ token: JOB_TOKEN, login: 'github-actions[bot]', type: 'Bot' }],
  repository: { owner: 'octo-org', name: 'shop' },
});
const lambda = await startLambda({
  region: REGION,
  accountId: '123456789012',
  functionEnvironment: {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL_S3: url,
  },
});
const environment: Record<string, string> = {
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_REGION: REGION,
  AWS_ENDPOINT_URL_S3: url,
  AWS_ENDPOINT_URL_LAMBDA: lambda.url,
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
  if (!right && result) console.log(result.log, result.stderr);
}

let runs = 0;
const run = (step: {
  eventName: string;
  event: Record<string, unknown>;
  sha: string;
  version: string;
  store: boolean;
}) =>
  runAction({
    main: join(root, 'dist/action.js'),
    inputs: {
      'function-name': 'orders',
      qualifier: step.version,
      's3-bucket': bucket,
      concurrency: '6',
      invocations: '240',
      'warmup-invocations': '90',
      'update-baseline': String(step.store),
      'github-token': JOB_TOKEN,
    },
    eventName: step.eventName,
    event: step.event,
    sha: step.sha,
    runId: ++runs,
    directory: join(directory, `run-${runs}`),
    environment,
  });

try {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const { zip: layer } = await buildLayer(join(directory, 'layer'));
  const deployer = createDeployer({ lambda, jobEnvironment: environment });
  const base = readFiles(join(root, 'examples/functions/node'));
  const head = { ...base, ...readFiles(join(root, 'examples/demo/pull-request')) };

  const tip = github.commit({ branch: 'main', files: base });
  const version = await deployer.deploy('orders', base, { layer, bucket });
  const push = { eventName: 'push', event: github.pushEvent('main'), sha: tip, version, store: true };
  const stored = await run(push);
  check('a push is recorded', stored.exitCode === 0 && stored.outputs.verdict === 'no-baseline', stored);
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: 'lambda-profile/recordings/' }),
  );
  check(
    'its recording is in the bucket',
    Contents.some(({ Key }) => Key?.endsWith(`${tip}/recording.json`)),
  );

  const again = await run(push);
  check('the recording is kept when the job runs again', again.log.includes('has one already: kept'), again);

  github.commit({ branch: 'change', parents: [tip], files: head });
  const { number, mergeSha } = github.openPullRequest({ head: 'change', base: 'main' });
  const pull = await run({
    eventName: 'pull_request',
    event: github.pullRequestEvent(number),
    sha: mergeSha,
    version: await deployer.deploy('orders', head, { layer, bucket }),
    store: false,
  });
  check('a pull request with a regression fails', pull.exitCode === 1 && pull.outputs.verdict === 'fail', pull);
  check('its baseline is the recording of the push', pull.outputs['baseline-commit'] === tip, pull);
  check('its comment names the function', github.comments(number)[0]?.body.includes('bestDiscount') === true, pull);
  deployer.close();
} finally {
  await Promise.all([lambda.close(), github.close()]);
  s3.destroy();
  rmSync(directory, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
