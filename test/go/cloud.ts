import { readdirSync, readFileSync } from 'node:fs';
import { CreateFunctionCommand, LambdaClient, PublishVersionCommand } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { systemClock } from '../../src/clock.ts';
import { createInvoke, type Invoke } from '../../src/lambda/invoke.ts';
import { parsePayloads } from '../../src/lambda/payloads.ts';
import { resolveTarget, type Target } from '../../src/lambda/target.ts';
import { type Measurement, measure } from '../../src/measurement.ts';
import { createRecording, type Recording } from '../../src/recordings/recording.ts';
import { seededRandom } from '../../src/seeded-random.ts';
import type { SnapshotSource } from '../../src/snapshots/collect.ts';
import type { ProfileType } from '../../src/snapshots/layout.ts';
import { type Cloud, type CloudOptions, REGION, startCloud } from '../cloud/cloud.ts';
import { archive } from '../cloud/lambda/deployment.ts';

export const BUCKET = 'octo-profiles';

/** What is measured of a deployed function: the gate's own measurement, without a repository around it. */
export interface MeasureOptions {
  invocations: number;
  warmupInvocations?: number;
  concurrency?: number;
  types?: ProfileType[];
  payload?: string;
  waitTimeoutMs?: number;
  run?: string;
  stack?: string;
}

/** Functions of provided.al2023 on a loopback cloud, with the clients of a job. */
export interface GoCloud {
  cloud: Cloud;
  /** Creates a function of this executable, publishes a version and resolves it. */
  deploy(name: string, bootstrap: Uint8Array, variables?: Record<string, string>): Promise<Target>;
  invokeOf(target: Target): Invoke;
  measure(target: Target, options: MeasureOptions): Promise<Measurement>;
  close(): Promise<void>;
}

/** Starts a cloud whose functions may be executables; instances are frozen between invocations. */
export async function startGoCloud(options: Partial<CloudOptions> = {}): Promise<GoCloud> {
  const cloud = await startCloud({ owner: 'octo-org', repository: 'shop', bucket: BUCKET, ...options });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = cloud.jobEnvironment;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! };
  const lambda = new LambdaClient({ region: REGION, endpoint: cloud.lambda.url, credentials, maxAttempts: 1 });
  const s3 = new S3Client({ region: REGION, endpoint: cloud.s3.url, credentials, forcePathStyle: true });
  const invokeOf = (target: Target): Invoke => createInvoke(lambda, target, systemClock);
  return {
    cloud,
    async deploy(name, bootstrap, variables = {}) {
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Runtime: 'provided.al2023',
          Handler: 'bootstrap',
          Role: 'arn:aws:iam::123456789012:role/orders',
          MemorySize: 512,
          Timeout: 10,
          Environment: { Variables: { LAMBDA_PROFILE_BUCKET: BUCKET, ...variables } },
          Code: { ZipFile: archive({ bootstrap: { contents: bootstrap, mode: 0o755 } }) },
        }),
      );
      const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
      return resolveTarget(lambda, { name, qualifier: Version! }, REGION, systemClock, 10_000);
    },
    invokeOf,
    measure(target, { types = ['cpu'], payload = '{}', run = 'run-1', ...options }) {
      const source: SnapshotSource = {
        bucket: BUCKET,
        prefix: 'sparta/pprof',
        stack: options.stack ?? target.functionName,
        types,
      };
      const version = { target, invoke: invokeOf(target), source, commit: '0123abc' };
      const plan = {
        warmupInvocations: 2,
        concurrency: 1,
        waitTimeoutMs: 10_000,
        ...options,
        payloads: parsePayloads([{ name: 'the test', text: payload }], seededRandom('payload')),
        seed: 'load',
        maxDurationMs: 60_000,
        run,
      };
      return measure(version, plan, s3, systemClock, { step() {}, load() {} });
    },
    async close() {
      lambda.destroy();
      s3.destroy();
      await cloud.close();
    },
  };
}

/** A measurement as the recording that the gate makes of it. */
export const recordingOf = (target: Target, measurement: Measurement, run = 'run-1'): Recording =>
  createRecording({
    tool: 'lambda-profile',
    target,
    key: '',
    commit: '0123abc',
    run,
    measuredAt: '2026-11-20T12:00:00Z',
    ...measurement,
  });

/** CPU of a process so far in milliseconds, all threads, from the scheduler's own count in nanoseconds (Linux). */
export function processCpuMs(pid: number): number {
  let nanos = 0;
  for (const task of readdirSync(`/proc/${pid}/task`))
    nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return nanos / 1e6;
}
