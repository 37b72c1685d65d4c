import {
  CreateFunctionCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { systemClock } from '../../src/clock.ts';
import { gate, type Outcome } from '../../src/gate.ts';
import { type Policies, type PolicyDocument, type PolicyInput, renderPolicies } from '../../src/iam.ts';
import { parseSettings } from '../../src/settings.ts';
import { archive } from '../cloud/lambda/deployment.ts';
import { type LambdaServer, startLambda } from '../cloud/lambda/server.ts';
import { type S3Server, startS3 } from '../cloud/s3/server.ts';
import { isAllowed } from './evaluate.ts';

export const INPUT: PolicyInput = {
  functionName: 'orders',
  region: 'eu-west-1',
  accountId: '123456789012',
  bucket: 'octo-profiles',
  prefix: 'sparta/pprof',
  stack: 'orders',
  baselinePrefix: 'lambda-profile/recordings',
  repository: 'octo-org/shop',
  branch: 'main',
};

/** Whose policies a gate run has: the function's role, and the role of the job. */
export interface Roles {
  function: PolicyDocument;
  job: PolicyDocument;
}

/** A function and a bucket on loopback whose users may do exactly what policies say. */
export interface GuardedGate {
  lambda: LambdaServer;
  s3: S3Server;
  policies: Policies;
  /** One run of the gate; what it noted besides its outcome is in `notes`. */
  run(
    commit: string,
    roles: Roles,
    options: { store: boolean; baselines: string[] },
  ): Promise<Outcome & { notes: string[] }>;
  close(): Promise<void>;
}

const SECRET = { secretAccessKey: 'secret-of-the-loopback-cloud' };
const KEYS = { deployer: 'ASIADEPLOYER', job: 'ASIAJOB', function: 'ASIAFUNCTION' };
const HANDLER = `
  export const handler = async () => {
    let sum = 0;
    for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
    return sum;
  };`;

/** Deploys a function with the layer; `roles` of each run decide what AWS allows. */
export async function startGuardedGate(layer: Uint8Array): Promise<GuardedGate> {
  const policies = renderPolicies(INPUT);
  let roles: Roles = { function: policies.function, job: policies.store };
  const may =
    (role: keyof Roles) =>
    (action: string, resource: string): boolean =>
      isAllowed([roles[role]], { action, resource });
  const inS3 =
    (role: keyof Roles) =>
    (action: string, resource: string): boolean =>
      may(role)(action, `arn:aws:s3:::${resource}`);
  const s3 = await startS3({
    accounts: [
      { accessKeyId: KEYS.job, ...SECRET, allows: inS3('job') },
      { accessKeyId: KEYS.function, ...SECRET, allows: inS3('function') },
    ],
  });
  s3.createBucket(INPUT.bucket);
  const lambda = await startLambda({
    region: INPUT.region,
    accountId: INPUT.accountId,
    credentials: [
      { accessKeyId: KEYS.deployer, ...SECRET },
      { accessKeyId: KEYS.job, ...SECRET, allows: may('job') },
    ],
    functionEnvironment: {
      AWS_ACCESS_KEY_ID: KEYS.function,
      AWS_SECRET_ACCESS_KEY: SECRET.secretAccessKey,
      AWS_ENDPOINT_URL_S3: s3.url,
    },
  });
  const clientOf = (accessKeyId: string): LambdaClient =>
    new LambdaClient({
      region: INPUT.region,
      endpoint: lambda.url,
      credentials: { accessKeyId, ...SECRET },
      maxAttempts: 1,
    });
  const deployer = clientOf(KEYS.deployer);
  const published = await deployer.send(
    new PublishLayerVersionCommand({ LayerName: 'lambda-profile', Content: { ZipFile: layer } }),
  );
  await deployer.send(
    new CreateFunctionCommand({
      FunctionName: INPUT.functionName,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: `arn:aws:iam::${INPUT.accountId}:role/orders`,
      Layers: [published.LayerVersionArn!],
      Environment: {
        Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/lambda-profile', LAMBDA_PROFILE_BUCKET: INPUT.bucket },
      },
      Code: { ZipFile: archive({ 'index.mjs': HANDLER }) },
    }),
  );
  const { Version } = await deployer.send(new PublishVersionCommand({ FunctionName: INPUT.functionName }));
  deployer.destroy();
  const job = clientOf(KEYS.job);
  const bucket = new S3Client({
    region: INPUT.region,
    endpoint: s3.url,
    credentials: { accessKeyId: KEYS.job, ...SECRET },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  let runs = 0;
  return {
    lambda,
    s3,
    policies,
    async run(commit, given, { store, baselines }) {
      roles = given;
      const notes: string[] = [];
      const settings = parseSettings({
        'function-name': INPUT.functionName,
        qualifier: Version!,
        's3-bucket': INPUT.bucket,
        concurrency: '1',
        invocations: '3',
        'warmup-invocations': '1',
        'update-baseline': String(store),
      });
      const run = `run-${++runs}`;
      const outcome = await gate(commit, settings, {
        ...{
          lambda: job,
          createInvoker: () => job,
          s3: bucket,
          clock: systemClock,
          run,
          workflowRun: run,
          region: INPUT.region,
        },
        ...{ baseBranch: 'main', changedFiles: [] },
        fetchBaselineCommits: async () => ({ relation: 'parent commit', commits: baselines }),
        progress: { step() {}, load() {}, note: (note) => notes.push(note), done: () => [] },
      });
      return { ...outcome, notes };
    },
    async close() {
      job.destroy();
      bucket.destroy();
      await lambda.close();
      await s3.close();
    },
  };
}
