import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateFunctionCommand } from '@aws-sdk/client-lambda';
import { describe, expect, test } from 'vitest';
import { invokeFunction, lambdaClient, nodeFunction, until } from './deployment.ts';
import { startLambda } from './server.ts';

// Starts a child that would survive its parent.
const WITH_CHILD = {
  'index.mjs': `
    import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    export const handler = async ({ hang }) => {
      if (hang) await new Promise(() => setInterval(() => {}, 1000));
      return { pids: [process.pid, child.pid], directory: process.env.LAMBDA_TASK_ROOT };
    };`,
};

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const noneRuns = (pids: number[]) => until('no process is left', () => !pids.some(isRunning));

describe('close()', () => {
  test('leaves no process, no directory and no socket, also of busy instances', async () => {
    const server = await startLambda({ region: 'us-east-1', accountId: '123456789012' });
    const client = lambdaClient(server.url);
    await client.send(new CreateFunctionCommand(nodeFunction('orders', WITH_CHILD, { Timeout: 60 })));
    const { pids, directory } = (await invokeFunction(client, 'orders')).payload;
    await client.send(new CreateFunctionCommand(nodeFunction('hanging', WITH_CHILD, { Timeout: 60 })));
    const hanging = invokeFunction(client, 'hanging', { hang: true });
    const outcome = expect(hanging).rejects.toThrow();
    await until('both have an instance', () => server.instances().length === 2);
    const running = server.instances().map(({ pid }) => pid);
    expect(existsSync(directory)).toBe(true);
    await server.close();
    await outcome;
    await noneRuns([...pids, ...running]);
    expect(existsSync(directory)).toBe(false);
    expect(server.instances()).toEqual([]);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test('leaves nothing of an instance that is just being started', async () => {
    let arrived = false;
    const server = await startLambda({
      region: 'us-east-1',
      accountId: '123456789012',
      intercept: (_request, _response, operation) => {
        arrived = operation === 'Invoke';
        return false;
      },
    });
    const client = lambdaClient(server.url);
    await client.send(new CreateFunctionCommand(nodeFunction('orders', WITH_CHILD)));
    const outcome = expect(invokeFunction(client, 'orders')).rejects.toThrow();
    await until('the invocation has arrived', () => arrived);
    await server.close();
    await outcome;
    expect(server.instances()).toEqual([]);
  });
});

describe('when the parent ends', () => {
  // A process of its own that starts a server, invokes a function, prints what exists, and then does nothing.
  const parent = `
    const { startLambda } = await import(process.argv[1] + '/server.ts');
    const { invokeFunction, lambdaClient, nodeFunction } = await import(process.argv[1] + '/deployment.ts');
    const { CreateFunctionCommand } = await import('@aws-sdk/client-lambda');
    const server = await startLambda({ region: 'us-east-1', accountId: '123456789012' });
    const client = lambdaClient(server.url);
    await client.send(new CreateFunctionCommand(nodeFunction('orders', ${JSON.stringify(WITH_CHILD)})));
    console.log(JSON.stringify((await invokeFunction(client, 'orders')).payload));
    if (process.argv[2] === 'exit') process.exit(7);`;

  test.each([
    ['SIGTERM', null, 'SIGTERM'],
    ['SIGINT', null, 'SIGINT'],
    ['exit', 7, null],
  ] as const)('by %s, its instances and directories end, too', async (how, exitCode, exitSignal) => {
    const here = fileURLToPath(new URL('.', import.meta.url));
    const child = spawn(process.execPath, ['--input-type=module', '-e', parent, here, how], {
      cwd: here,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { pids, directory } = JSON.parse(line);
    if (how !== 'exit') child.kill(how);
    expect(await ended).toEqual([exitCode, exitSignal]);
    await noneRuns(pids);
    expect(existsSync(directory)).toBe(false);
  });
});
