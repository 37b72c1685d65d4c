import { readFileSync } from 'node:fs';
import { CreateFunctionCommand } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, test } from 'vitest';
import { invokeFunction, lambdaClient, nodeFunction, until } from './deployment.ts';
import { type LambdaServer, startLambda } from './server.ts';

// Counts timer ticks all the time; answers how many there were up to now.
const TICKING = {
  'index.mjs': `
    let ticks = 0;
    setInterval(() => { ticks++; }, 1);
    export const handler = async ({ waitForTicks = 0 }) => {
      const before = ticks;
      while (ticks < before + waitForTicks) await new Promise((resolve) => setTimeout(resolve, 1));
      return { before, after: ticks };
    };`,
};

let server: LambdaServer;
afterEach(() => server.close());

async function deploy(freeze?: boolean) {
  server = await startLambda({
    region: 'us-east-1',
    accountId: '123456789012',
    ...(freeze === undefined ? {} : { freeze }),
  });
  const client = lambdaClient(server.url);
  await client.send(new CreateFunctionCommand(nodeFunction('orders', TICKING)));
  const tick = async (options = {}) =>
    (await invokeFunction(client, 'orders', { waitForTicks: 5 }, options)).payload as { before: number; after: number };
  return { client, tick };
}

/** State letter of a process: T is stopped. */
const state = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];

/** Lets real time pass: far more than the 5 ticks that an invocation takes. */
const pass = () => new Promise((resolve) => setTimeout(resolve, 500));

describe('between invocations', () => {
  test('timers stand still', async () => {
    const { tick } = await deploy();
    const first = await tick();
    await pass();
    const second = await tick();
    // Overdue timers may fire once when the process goes on, but the 500 ms do not count.
    expect(second.before - first.after).toBeLessThan(250);
    expect(second.after).toBeGreaterThanOrEqual(second.before + 5);
    await until('the instance is frozen', () => server.instances()[0]?.frozen === true);
  });

  test.runIf(process.platform === 'linux')('the process is stopped, and goes on with the next invocation', async () => {
    const { tick } = await deploy();
    await tick({ LogType: 'None' });
    const { pid } = server.instances()[0]!;
    await until('the process is stopped', () => state(pid) === 'T');
    const { before, after } = await tick({ LogType: 'None' });
    expect(after).toBeGreaterThanOrEqual(before + 5);
    await until('the process is stopped again', () => state(pid) === 'T');
    expect(server.instances()).toMatchObject([{ pid, invocations: 2 }]);
  });

  test('with freeze: false timers go on', async () => {
    const { client, tick } = await deploy(false);
    const { after } = await tick();
    expect(server.instances()).toMatchObject([{ frozen: false }]);
    await until('50 more ticks have passed', async () => {
      const { payload } = await invokeFunction(client, 'orders');
      return payload.before > after + 50;
    });
  });
});
