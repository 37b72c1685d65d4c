import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { clipConcurrency, fetchLimits } from '../../src/lambda/limits.ts';
import type { Target } from '../../src/lambda/target.ts';

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
const clock: Clock & { atMs: number } = {
  atMs: 0,
  nowMs: () => clock.atMs,
  monotonicMs: () => clock.atMs,
  sleep: async (ms) => {
    clock.atMs += ms;
  },
};
const awsError = (name: string, status: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
const none = awsError('ProvisionedConcurrencyConfigNotFoundException', 404);

type Answer = Record<string, unknown> | Error;
function client(answers: Record<string, Answer[]>) {
  return {
    send: (async (command: { constructor: { name: string } }) => {
      const list = answers[command.constructor.name.replace(/Command$/, '')] ?? [{}];
      const answer = list.length > 1 ? list.shift()! : list[0]!;
      if (answer instanceof Error) throw answer;
      return answer;
    }) as never,
  };
}
const ask = (answers: Record<string, Answer[]>) => fetchLimits(client(answers), target, clock, 60_000);
const account = (unreserved: number) => [{ AccountLimit: { UnreservedConcurrentExecutions: unreserved } }];

describe('fetchLimits()', () => {
  it('reads provisioned, reserved and account concurrency', async () => {
    const limits = await ask({
      GetProvisionedConcurrencyConfig: [{ Status: 'READY', AvailableProvisionedConcurrentExecutions: 6 }],
      GetFunctionConcurrency: [{ ReservedConcurrentExecutions: 20 }],
      GetAccountSettings: account(900),
    });
    expect(limits).toEqual({ provisioned: 6, reserved: 20, unreserved: 900, denied: [] });
  });

  it('waits until provisioned concurrency is ready, and reports that it failed', async () => {
    const before = clock.atMs;
    const ready = { Status: 'READY', AvailableProvisionedConcurrentExecutions: 4 };
    expect(await ask({ GetProvisionedConcurrencyConfig: [{ Status: 'IN_PROGRESS' }, ready] })).toMatchObject({
      provisioned: 4,
    });
    expect(clock.atMs - before).toBe(2000);
    await expect(ask({ GetProvisionedConcurrencyConfig: [{ Status: 'FAILED' }] })).rejects.toThrow(
      'Cannot measure orders:7: its provisioned concurrency is not available.',
    );
  });

  it('goes on without a limit the role may not ask for, and names the permission', async () => {
    const denied = awsError('AccessDeniedException', 403);
    expect(
      await ask({
        GetProvisionedConcurrencyConfig: [none],
        GetFunctionConcurrency: [denied],
        GetAccountSettings: [denied],
      }),
    ).toEqual({ denied: ['lambda:GetAccountSettings', 'lambda:GetFunctionConcurrency'] });
  });
});

describe('clipConcurrency()', () => {
  it('leaves what was asked for when there is room', () => {
    expect(clipConcurrency({ denied: [], unreserved: 1000 }, 8, 2, 'orders')).toEqual({ concurrency: 8 });
  });

  it('lowers a concurrency above what the account allows, and says by what', () => {
    expect(clipConcurrency({ denied: [], unreserved: 10 }, 8, 1, 'orders')).toEqual({
      concurrency: 5,
      warning:
        "concurrency was lowered from 8 to 5: half of the account's unreserved concurrency (10) is 5. Raise it to measure more instances.",
    });
    expect(clipConcurrency({ denied: [], reserved: 8, unreserved: 1000 }, 8, 2, 'orders')).toEqual({
      concurrency: 4,
      warning:
        'concurrency was lowered from 8 to 4: its reserved concurrency allows 4 for each of 2 versions. Raise it to measure more instances.',
    });
    expect(clipConcurrency({ denied: [], provisioned: 3 }, 8, 1, 'orders').concurrency).toBe(3);
  });

  it('refuses a function that may not run at all', () => {
    expect(() => clipConcurrency({ denied: [], reserved: 0 }, 8, 1, 'orders')).toThrow(
      'Cannot measure orders: its reserved concurrency allows 0, so Lambda would run nothing.',
    );
  });
});
