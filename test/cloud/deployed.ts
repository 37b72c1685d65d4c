/**
 * A loopback cloud with two versions of the sample function, the second slower, for a workflow that uses the Action from
 * the checkout: writes versions and endpoints as step outputs, prints `# ready`, and serves until it is killed. On a laptop,
 * prints what to export for the command line instead: `npx node test/cloud/deployed.ts`.
 */
import { appendFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { startCloud } from './cloud.ts';
import { createDeployer, readFiles } from './deploy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bucket = 'octo-profiles';
const cloud = await startCloud({ owner: 'octo-org', repository: 'shop', bucket });
const { zip: layer } = await buildLayer(mkdtempSync(join(tmpdir(), 'layer-')));
const deployer = createDeployer(cloud);
const files = readFiles(join(root, 'examples/functions/node'));
const version = await deployer.deploy('orders', files, { layer, bucket });
const slower = { ...files, ...readFiles(join(root, 'examples/demo/pull-request')) };
const slowerVersion = await deployer.deploy('orders', slower);
const { jobEnvironment: job } = cloud;
const outputs = {
  version,
  'slower-version': slowerVersion,
  bucket,
  s3: job.AWS_ENDPOINT_URL_S3,
  lambda: job.AWS_ENDPOINT_URL_LAMBDA,
  region: job.AWS_REGION,
  'access-key-id': job.AWS_ACCESS_KEY_ID,
  'secret-access-key': job.AWS_SECRET_ACCESS_KEY,
};
if (process.env.GITHUB_OUTPUT)
  for (const [name, value] of Object.entries(outputs)) appendFileSync(process.env.GITHUB_OUTPUT, `${name}=${value}\n`);
else {
  const aws = Object.entries(job).filter(([name]) => name.startsWith('AWS_'));
  for (const [name, value] of [...aws, ['LAMBDA_PROFILE_BUCKET', bucket]]) console.log(`export ${name}=${value}`);
  console.log(`# orders:${version} and orders:${slowerVersion}, which is slower. Ctrl-C ends it.`);
}
console.log('# ready');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cloud.close().then(() => process.exit(0)));
