import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateFunctionCommand, type LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { invokeFunction, lambdaClient, nodeFunction, until } from './deployment.ts';
import { type LambdaServer, startLambda } from './server.ts';

// Runs until the file exists, if the event names one.
const WAITING = {
  'index.mjs': `
    import { existsSync } from 'node:fs';
    export const handler = async ({ file }) => {
      while (file && !existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
    };`,
};

let server: LambdaServer;
let client: LambdaClient;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'scheduler-'));
  server = await startLambda({ region: 'us-east-1', accountId: '123456789012', accountConcurrency: 10 });
  client = lambdaClient(server.url);
  for (const name of ['orders', 'other']) {
    await client.send(new CreateFunctionCommand(nodeFunction(name, WAITING, { Timeout: 30 })));
  }
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const instancesOf = (name: string) => server.instances().filter((instance) => instance.functionName === name);

const reserve = (FunctionName: string, ReservedConcurrentExecutions: number) =>
  client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));

/** Starts an invocation that lasts until `end()` is called. */
async function longInvocation(name: string) {
  const file = join(directory, 'end');
  const invoked = invokeFunction(client, name, { file });
  await until('the invocation runs', () => instancesOf(name).length === 1);
  return { invoked, end: () => writeFileSync(file, '') };
}

describe('throttling', () => {
  test('reserved concurrency limits the function', async () => {
    const name = 'orders';
    await reserve(name, 1);
    const { invoked, end } = await longInvocation(name);
    await expect(invokeFunction(client, name)).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      $metadata: { httpStatusCode: 429 },
    });
    end();
    await invoked;
    expect((await invokeFunction(client, name)).status).toBe(200);
    await reserve(name, 0);
    await expect(invokeFunction(client, name)).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  });

  test('an Event waits for concurrency instead', async () => {
    const name = 'orders';
    await reserve(name, 1);
    const { invoked, end } = await longInvocation(name);
    expect((await invokeFunction(client, name, {}, { InvocationType: 'Event' })).status).toBe(202);
    expect(instancesOf(name)).toMatchObject([{ invocations: 1 }]);
    end();
    await invoked;
    await until('the event was handled', () => instancesOf(name)[0]?.invocations === 2);
  });

  test('what is left of the account limits functions without a reservation', async () => {
    const [name, other] = ['orders', 'other'];
    await reserve(other, 9);
    const { invoked, end } = await longInvocation(name);
    await expect(invokeFunction(client, name)).rejects.toMatchObject({ Reason: 'ConcurrentInvocationLimitExceeded' });
    expect((await invokeFunction(client, other)).status).toBe(200);
    end();
    await invoked;
  });
});
