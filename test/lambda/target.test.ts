import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { assertUnchanged, parseFunctionName, resolveTarget } from '../../src/lambda/target.ts';

const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';

describe('parseFunctionName()', () => {
  it('reads names, partial ARNs and full ARNs, with and without a version or alias', () => {
    expect(parseFunctionName('orders')).toEqual({ name: 'orders' });
    expect(parseFunctionName('orders:7')).toEqual({ name: 'orders', qualifier: '7' });
    expect(parseFunctionName('orders', 'live')).toEqual({ name: 'orders', qualifier: 'live' });
    expect(parseFunctionName('123456789012:function:orders:live')).toEqual({
      name: 'orders',
      accountId: '123456789012',
      qualifier: 'live',
    });
    expect(parseFunctionName(`${ARN}:$LATEST`)).toEqual({
      name: 'orders',
      region: 'eu-west-1',
      accountId: '123456789012',
      qualifier: '$LATEST',
    });
    expect(parseFunctionName(`${ARN}:7`, '7').qualifier).toBe('7');
  });

  it.each([
    ['arn:aws:s3:::bucket', /has 7 or 8 parts/],
    ['arn:aws:lambda:nowhere:123456789012:function:orders', /'nowhere' is not a region/],
    ['arn:aws:lambda:eu-west-1:12:function:orders', /account id must be 12 digits/],
    ['arn:aws:sqs:eu-west-1:123456789012:function:orders', /not the ARN of a Lambda function/],
    ['orders/../x', /a name has 1 to 64 letters/],
    ['a:b:c', /too many colons/],
  ])('refuses %s', (input, message) => {
    expect(() => parseFunctionName(input)).toThrow(message);
  });

  it('refuses two different qualifiers, and never repeats an account id', () => {
    expect(() => parseFunctionName(`${ARN}:7`, 'live')).toThrow(/names '7', but qualifier is 'live'/);
    expect(() => parseFunctionName(`${ARN}:7`, 'live')).not.toThrow(/123456789012/);
  });
});

/** A clock that passes only while somebody sleeps. */
function sleepyClock(): Clock & { sleptMs: number } {
  const clock = {
    sleptMs: 0,
    nowMs: () => clock.sleptMs,
    monotonicMs: () => clock.sleptMs,
    sleep: async (ms: number) => {
      clock.sleptMs += ms;
    },
  };
  return clock;
}

type Answer = Record<string, unknown> | Error;

/** A client that gives the answers listed for each command, the last one for ever. */
function client(answers: Record<string, Answer[]>) {
  const calls: { name: string; input: Record<string, unknown> }[] = [];
  const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    const name = command.constructor.name.replace(/Command$/, '');
    calls.push({ name, input: command.input });
    const list = answers[name] ?? [];
    const answer = list.length > 1 ? list.shift()! : list[0]!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { calls, send: send as never };
}

function awsError(name: string, status: number, message = ''): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

const ready = {
  Version: '7',
  State: 'Active',
  LastUpdateStatus: 'Successful',
  CodeSha256: 'abc=',
  MemorySize: 512,
  Timeout: 10,
  Architectures: ['arm64'],
  Runtime: 'nodejs24.x',
};
const resolve = (answers: Record<string, Answer[]>, name = 'orders:7', clock = sleepyClock()) =>
  resolveTarget(client(answers), parseFunctionName(name), 'eu-west-1', clock, 60_000);

describe('resolveTarget()', () => {
  it('resolves an alias to its version', async () => {
    const service = client({ GetAlias: [{ FunctionVersion: '7' }], GetFunctionConfiguration: [ready] });
    const target = await resolveTarget(service, parseFunctionName('orders:live'), 'eu-west-1', sleepyClock(), 1000);
    expect(target).toMatchObject({ functionName: 'orders', version: '7', memoryMb: 512, architecture: 'arm64' });
    expect(service.calls.at(-1)!.input).toEqual({ FunctionName: 'orders', Qualifier: '7' });
  });

  it('refuses an alias that splits its traffic', async () => {
    const alias = { FunctionVersion: '7', RoutingConfig: { AdditionalVersionWeights: { '8': 0.1 } } };
    await expect(resolve({ GetAlias: [alias] }, 'orders:live')).rejects.toThrow(
      /splits its traffic between version 7 and version 8 \(10 %\)/,
    );
  });

  it('waits while the function is pending or an update is in progress, for the old code still answers', async () => {
    const clock = sleepyClock();
    const answers = [{ ...ready, State: 'Pending' }, { ...ready, LastUpdateStatus: 'InProgress' }, ready];
    await resolve({ GetFunctionConfiguration: answers }, 'orders:7', clock);
    expect(clock.sleptMs).toBe(2000);
  });

  it('waits until the SnapStart snapshot of a published version is taken', async () => {
    const clock = sleepyClock();
    const taking = { ...ready, SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' } };
    const taken = { ...ready, SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' } };
    await resolve({ GetFunctionConfiguration: [taking, taken] }, 'orders:7', clock);
    expect(clock.sleptMs).toBe(1000);
    await expect(resolve({ GetFunctionConfiguration: [taking] })).rejects.toThrow(/SnapStart without a snapshot/);
    const latest = { ...taking, Version: '$LATEST' };
    await expect(resolve({ GetFunctionConfiguration: [latest] }, 'orders')).resolves.toMatchObject({ memoryMb: 512 });
  });

  it.each([
    ['DurableConfig', /is a durable function/],
    ['TenancyConfig', /isolates tenants/],
  ])('answers plainly for %s', async (field, message) => {
    await expect(resolve({ GetFunctionConfiguration: [{ ...ready, [field]: {} }] })).rejects.toThrow(message);
  });

  it('gives up at the deadline and says in which state the function is', async () => {
    await expect(resolve({ GetFunctionConfiguration: [{ ...ready, State: 'Pending' }] })).rejects.toThrow(
      /orders was not ready within 60 s: State Pending/,
    );
  });

  it('says at once that the function does not exist, or which permission is missing', async () => {
    await expect(resolve({ GetFunctionConfiguration: [awsError('ResourceNotFoundException', 404)] })).rejects.toThrow(
      'Cannot find the function orders:7.',
    );
    await expect(resolve({ GetFunctionConfiguration: [awsError('AccessDeniedException', 403)] })).rejects.toMatchObject(
      {
        message: 'Cannot read the configuration of orders:7: the role lacks lambda:GetFunctionConfiguration.',
        next: 'Add lambda:GetFunctionConfiguration to the policy of the role, as in docs/iam.md.',
      },
    );
  });

  it('reports a failed deployment, and kinds of functions whose instances cannot be told apart', async () => {
    await expect(
      resolve({ GetFunctionConfiguration: [{ ...ready, State: 'Failed', StateReason: 'no image' }] }),
    ).rejects.toThrow(/last deployment failed \(no image\)/);
    await expect(
      resolve({
        GetFunctionConfiguration: [{ ...ready, LastUpdateStatus: 'Failed', LastUpdateStatusReason: 'no role' }],
      }),
    ).rejects.toThrow(/last deployment failed \(no role\)/);
    await expect(resolve({ GetFunctionConfiguration: [{ ...ready, CapacityProviderConfig: {} }] })).rejects.toThrow(
      /Managed Instances/,
    );
  });

  it.each(['Deleting', 'Deactivating', 'Deactivated'])('says at once that a function is %s', async (State) => {
    const clock = sleepyClock();
    await expect(resolve({ GetFunctionConfiguration: [{ ...ready, State }] }, 'orders:7', clock)).rejects.toMatchObject(
      {
        message: `Cannot measure orders: it is ${State.toLowerCase()}.`,
        next: expect.stringContaining('Deploy the function again'),
      },
    );
    expect(clock.sleptMs).toBe(0);
  });

  it('wakes a function that has been idle for weeks with one call, and waits until it is active', async () => {
    const states = ['Inactive', 'Inactive', 'Pending', 'Active'].map((State) => ({ ...ready, State }));
    const service = client({
      GetFunctionConfiguration: states,
      Invoke: [
        awsError('ResourceConflictException', 409, 'The function is currently in the following state: Inactive'),
      ],
    });
    const target = await resolveTarget(service, parseFunctionName('orders:7'), 'eu-west-1', sleepyClock(), 60_000);
    expect(target.version).toBe('7');
    expect(service.calls.filter(({ name }) => name === 'Invoke')).toEqual([
      { name: 'Invoke', input: { FunctionName: 'orders', Qualifier: '7' } },
    ]);
  });
});

describe('assertUnchanged()', () => {
  it('notices that $LATEST was replaced during the measurement', async () => {
    const latest = await resolve({ GetFunctionConfiguration: [{ ...ready, Version: '$LATEST' }] }, 'orders');
    const other = client({ GetFunctionConfiguration: [{ ...ready, CodeSha256: 'other=' }] });
    await expect(assertUnchanged(other, latest)).rejects.toThrow(/code was replaced while it ran/);
    const same = client({ GetFunctionConfiguration: [ready] });
    await expect(assertUnchanged(same, latest)).resolves.toBeUndefined();
  });

  it('notices that the configuration of $LATEST was changed: memory, variables, layers', async () => {
    const [before, after] = ['2026-11-20T10:00:00.000+0000', '2026-11-20T10:01:00.000+0000'];
    const answer = { ...ready, Version: '$LATEST', LastModified: before };
    const latest = await resolve({ GetFunctionConfiguration: [answer] }, 'orders');
    const same = client({ GetFunctionConfiguration: [answer] });
    await expect(assertUnchanged(same, latest)).resolves.toBeUndefined();
    const other = client({ GetFunctionConfiguration: [{ ...answer, LastModified: after }] });
    await expect(assertUnchanged(other, latest)).rejects.toMatchObject({
      message: 'Cannot trust the measurement of orders: its configuration was changed while it ran.',
      next: expect.stringContaining('Publish a version for each deployment'),
    });
  });

  it('asks nothing about a published version: it cannot change', async () => {
    const version = await resolve({ GetFunctionConfiguration: [ready] });
    const service = client({});
    await assertUnchanged(service, version);
    expect(service.calls).toEqual([]);
  });
});
