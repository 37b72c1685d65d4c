import {
  CreateFunctionCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients } from '../../src/aws-clients.ts';
import { systemClock } from '../../src/clock.ts';
import { createInvoke, type Invocation } from '../../src/lambda/invoke.ts';
import { type LoadPlan, type LoadSide, runLoad } from '../../src/lambda/load.ts';
import { parsePayloads } from '../../src/lambda/payloads.ts';
import { assertUnchanged, parseFunctionName, resolveTarget, type Target } from '../../src/lambda/target.ts';
import { parseSettings } from '../../src/settings.ts';
import { archive, lambdaClient, nodeFunction } from '../cloud/lambda/deployment.ts';
import { type LambdaServer, startLambda } from '../cloud/lambda/server.ts';

// What goes wrong in the middle of a load: one sentence, what to do, and nothing sent twice. The real client, and an
// endpoint that answers as AWS does.

let server: LambdaServer;
let client: LambdaClient;
let calls = 0;
/** Answer of call number n, as status, error code, message and reset; undefined: all is well. */
let trouble: (
  call: number,
) => { status: number; code: string; message?: string } | { version: string } | 'reset' | undefined;

beforeAll(async () => {
  server = await startLambda({
    region: 'eu-west-1',
    accountId: '123456789012',
    intercept: (request, response) => {
      const wrong = trouble(++calls);
      if (wrong === 'reset') {
        request.socket.destroy();
        return true;
      }
      const failed = wrong !== undefined && 'status' in wrong;
      response.writeHead(failed ? wrong.status : 200, {
        'X-Amzn-Requestid': `r-${calls}`,
        'X-Amz-Executed-Version': wrong && 'version' in wrong ? wrong.version : '7',
        ...(failed && { 'X-Amzn-Errortype': wrong.code }),
      });
      response.end(failed ? JSON.stringify({ message: wrong.message ?? '' }) : '{}');
      return true;
    },
  });
  client = new LambdaClient({
    region: 'eu-west-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'ASIALOOPBACK00000001', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

const target: Target = {
  functionName: 'orders',
  invokeName: 'orders',
  version: '7',
  region: 'eu-west-1',
  codeSha256: '',
  memoryMb: 512,
  timeoutSeconds: 3,
  architecture: 'arm64',
  runtime: 'nodejs24.x',
};
const plan: LoadPlan = {
  payloads: parsePayloads([{ name: 'a test', text: '{}' }], Math.random),
  invocations: 30,
  warmupInvocations: 0,
  concurrency: 3,
  seed: 's',
  maxDurationMs: 30_000,
};

async function load(wrong: typeof trouble) {
  trouble = wrong;
  calls = 0;
  const records: Invocation[] = [];
  const side: LoadSide = {
    label: 'orders:7',
    invoke: createInvoke(client, target, systemClock),
    run: 'r',
    commit: 'c',
    sent: () => {},
    record: (invocation) => records.push(invocation),
  };
  await runLoad([side], plan, systemClock, () => {});
  return records;
}

describe('a load that meets trouble', () => {
  it('ends when the credentials expire in the middle of it, and says how long they must last', async () => {
    const expired = { status: 403, code: 'ExpiredTokenException', message: 'The security token is expired' };
    await expect(load((call) => (call > 10 ? expired : undefined))).rejects.toMatchObject({
      message: 'Cannot invoke orders:7: the AWS credentials have expired.',
      next: expect.stringContaining('role-duration-seconds'),
    });
    // Each of the three in flight asked once more, signed anew: credentials may be renewed.
    expect(calls).toBeLessThan(20);
  });

  it('ends when the function is deleted in the middle of it', async () => {
    const gone = { status: 404, code: 'ResourceNotFoundException' };
    await expect(load((call) => (call > 10 ? gone : undefined))).rejects.toMatchObject({
      message: 'Cannot invoke orders:7: it does not exist any more.',
      next: 'Let nothing delete or replace the function while it is measured.',
    });
  });

  it('ends when another version answers than the one that is measured', async () => {
    await expect(load((call) => (call > 10 ? { version: '8' } : undefined))).rejects.toMatchObject({
      message: 'Cannot measure orders:7: Lambda ran version 8.',
      next: expect.stringContaining('give the version number as qualifier'),
    });
    expect(calls).toBeLessThan(16);
  });

  it('does not trust $LATEST when its code or its configuration was updated meanwhile', async () => {
    const lambda = await startLambda({ region: 'us-east-1', accountId: '123456789012' });
    const asker = lambdaClient(lambda.url);
    try {
      const files = { 'index.mjs': 'export const handler = () => 1;' };
      await asker.send(new CreateFunctionCommand(nodeFunction('orders', files)));
      const resolve = () => resolveTarget(asker, parseFunctionName('orders'), 'us-east-1', systemClock, 10_000);
      const before = await resolve();
      await expect(assertUnchanged(asker, before)).resolves.toBeUndefined();
      await asker.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'orders', MemorySize: 1024 }));
      await expect(assertUnchanged(asker, before)).rejects.toThrow('its configuration was changed while it ran');
      const between = await resolve();
      const ZipFile = archive({ 'index.mjs': 'export const handler = () => 2;' });
      await asker.send(new UpdateFunctionCodeCommand({ FunctionName: 'orders', ZipFile }));
      await expect(assertUnchanged(asker, between)).rejects.toThrow('its code was replaced while it ran');
    } finally {
      asker.destroy();
      await lambda.close();
    }
  });

  it('says that the clock of the machine is off', async () => {
    const skewed = {
      status: 403,
      code: 'InvalidSignatureException',
      message: 'Signature expired: 20261120T100000Z is now earlier than 20261120T101500Z (20261120T102000Z - 5 min.)',
    };
    await expect(load(() => skewed)).rejects.toMatchObject({
      message: 'Cannot invoke orders:7: the clock of this machine is off.',
      next: expect.stringContaining('within 5 minutes of that of AWS'),
    });
  });

  it('counts a reset connection as ambiguous, and does not run the function again', async () => {
    const records = await load((call) => (call % 10 === 5 ? 'reset' : undefined));
    expect(calls).toBe(30);
    expect(records.filter(({ status }) => status === 'ambiguous')).toHaveLength(3);
    expect(records.filter(({ status }) => status === 'succeeded')).toHaveLength(27);
  });
});

describe('a region that does not match', () => {
  const settings = parseSettings({
    'function-name': 'arn:aws:lambda:eu-west-1:123456789012:function:orders',
    's3-bucket': 'octo-profiles',
  });

  it('is that of the ARN, whatever the environment says', async () => {
    const clients = createClients(settings, { AWS_REGION: 'us-east-1' });
    expect(clients.region).toBe('eu-west-1');
    expect(await clients.lambda.config.region()).toBe('eu-west-1');
    expect(await clients.s3.config.region()).toBe('eu-west-1');
  });

  it('is named when a function is not found', async () => {
    const missing = {
      send: () =>
        Promise.reject(
          Object.assign(new Error(), { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } }),
        ),
    };
    await expect(
      resolveTarget(missing as never, parseFunctionName('orders'), 'us-east-1', systemClock, 1000),
    ).rejects.toMatchObject({
      message: 'Cannot find the function orders.',
      next: expect.stringContaining('It was looked for in us-east-1. Check the name, the region and the account'),
    });
  });
});
