import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  InvokeCommand,
  type LambdaClient,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archive, invokeFunction, lambdaClient, nodeFunction, until } from './deployment.ts';
import { type LambdaServer, startLambda } from './server.ts';

// One function for most tests: it does what the event says.
const CODE = {
  'index.mjs': `
    import { readdirSync, writeFileSync, writeSync } from 'node:fs';
    const id = Math.random().toString(36);
    let count = 0;
    console.log('loaded');
    export const handler = async (event, context) => {
      count++;
      if (event.log) console.log(event.log);
      if (event.bytes) for (let i = 0; i < event.bytes; i += 64) writeSync(1, 'x'.repeat(63) + '\\n');
      if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
      if (event.meet) {
        // Goes on when as many as expected have come to the same directory.
        writeFileSync(event.meet.directory + '/' + context.awsRequestId, '');
        while (readdirSync(event.meet.directory).length < event.meet.count) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      if (event.throws) throw new TypeError(event.throws);
      if (event.exit !== undefined) process.exit(event.exit);
      if (event.answerBytes) return 'x'.repeat(event.answerBytes);
      const { invokedFunctionArn, awsRequestId, functionVersion, memoryLimitInMB, clientContext } = context;
      const remainingMs = context.getRemainingTimeInMillis();
      return { id, count, pid: process.pid, event, env: process.env, cwd: process.cwd(), remainingMs,
        invokedFunctionArn, awsRequestId, functionVersion, memoryLimitInMB, clientContext };
    };`,
};

let server: LambdaServer;
let client: LambdaClient;
let deployed = 0;
let meetings: string;

beforeAll(async () => {
  meetings = mkdtempSync(join(tmpdir(), 'meetings-'));
  server = await startLambda({
    region: 'us-east-1',
    accountId: '123456789012',
    functionEnvironment: { AWS_ACCESS_KEY_ID: 'AKIDROLE', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' },
  });
  client = lambdaClient(server.url);
});
afterAll(async () => {
  await server.close();
  rmSync(meetings, { recursive: true });
});

/** Deploys the function under a new name, so that every test begins without instances. */
async function deploy(overrides = {}, files: Readonly<Record<string, string>> = CODE): Promise<string> {
  const name = `orders-${++deployed}`;
  await client.send(new CreateFunctionCommand(nodeFunction(name, files, overrides)));
  return name;
}

/** An event for which `count` invocations wait for each other. */
const meeting = (count: number) => ({ meet: { directory: mkdtempSync(join(meetings, 'meeting-')), count } });

const instancesOf = (name: string) => server.instances().filter((instance) => instance.functionName === name);
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

describe('instances', () => {
  test('one invocation after the other meets the same instance', async () => {
    const name = await deploy();
    const first = await invokeFunction(client, name);
    const rest = [];
    for (let i = 0; i < 5; i++) rest.push(await invokeFunction(client, name, {}, { LogType: 'None' }));
    expect(new Set(rest.map(({ payload }) => payload.id))).toEqual(new Set([first.payload.id]));
    expect(rest.at(-1)?.payload.count).toBe(6);
    expect(instancesOf(name)).toMatchObject([{ pid: first.payload.pid, invocations: 6, version: '$LATEST' }]);
  });

  test('concurrent invocations each get an instance of their own, which then are warm', async () => {
    const name = await deploy({ Timeout: 30 });
    const round = async () => {
      const event = meeting(4);
      const invoked = await Promise.all([1, 2, 3, 4].map(() => invokeFunction(client, name, event)));
      return new Set(invoked.map(({ payload }) => payload.pid));
    };
    const pids = await round();
    expect(pids.size).toBe(4);
    expect(await round()).toEqual(pids);
    // The most recently used one is taken, not any of the four.
    const { pid } = (await invokeFunction(client, name)).payload;
    expect((await invokeFunction(client, name)).payload.pid).toBe(pid);
  });

  test('an instance whose process has ended meanwhile is replaced', async () => {
    const name = await deploy();
    process.kill((await invokeFunction(client, name)).payload.pid, 'SIGKILL');
    await until('the instance is gone', () => instancesOf(name).length === 0);
    expect((await invokeFunction(client, name)).payload.count).toBe(1);
  });

  test('new code gets new instances, and the old ones end', async () => {
    const name = await deploy();
    const { pid } = (await invokeFunction(client, name)).payload;
    const ZipFile = archive({ 'index.mjs': 'export const handler = async () => process.pid;' });
    await client.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile }));
    expect((await invokeFunction(client, name)).payload).not.toBe(pid);
    await until('the old instance is gone', () => instancesOf(name).every((instance) => instance.pid !== pid));
  });
});

describe('what the function sees', () => {
  test('the context', async () => {
    const name = await deploy({ Timeout: 5 });
    const arn = `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
    const { payload, requestId } = await invokeFunction(client, name, { any: 'event' }, { Qualifier: '$LATEST' });
    expect(payload).toMatchObject({
      event: { any: 'event' },
      invokedFunctionArn: `${arn}:$LATEST`,
      awsRequestId: requestId,
      functionVersion: '$LATEST',
      memoryLimitInMB: '512',
    });
    expect(payload.remainingMs).toBeGreaterThan(0);
    expect(payload.remainingMs).toBeLessThanOrEqual(5000);
    expect((await invokeFunction(client, arn)).payload.invokedFunctionArn).toBe(arn);
  });

  test('the environment of Lambda and nothing of this process', async () => {
    const name = await deploy({ Environment: { Variables: { STAGE: 'test', NODE_OPTIONS: '--no-warnings' } } });
    process.env.LAMBDA_TEST_LEAK = 'leaked';
    const { env, cwd } = (await invokeFunction(client, name)).payload;
    delete process.env.LAMBDA_TEST_LEAK;
    expect(env).toMatchObject({
      STAGE: 'test',
      AWS_ACCESS_KEY_ID: 'AKIDROLE',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_REGION: 'us-east-1',
      TZ: ':UTC',
      _HANDLER: 'index.handler',
      LAMBDA_TASK_ROOT: cwd,
    });
    expect(env.AWS_LAMBDA_LOG_STREAM_NAME).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
    expect(env._X_AMZN_TRACE_ID).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
    expect(env).not.toHaveProperty('LAMBDA_TEST_LEAK');
    expect(env).not.toHaveProperty('HOME');
  });

  test('the client context, also with characters beyond ASCII', async () => {
    const name = await deploy();
    const ClientContext = base64({ custom: { 'lambda-profile.op': 'invoke', word: 'λ größe' } });
    const { payload } = await invokeFunction(client, name, {}, { ClientContext });
    expect(payload.clientContext).toEqual({ custom: { 'lambda-profile.op': 'invoke', word: 'λ größe' } });
    expect((await invokeFunction(client, name)).payload.clientContext).toBeUndefined();
  });

  test('an empty payload is an empty object', async () => {
    const name = await deploy();
    const { Payload } = await client.send(new InvokeCommand({ FunctionName: name }));
    expect(JSON.parse(Buffer.from(Payload!).toString()).event).toEqual({});
  });
});

describe('the log', () => {
  const REPORT =
    /^REPORT RequestId: (\S+)\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: 512 MB\tMax Memory Used: (\d+) MB\t(?:Init Duration: (\d+\.\d\d) ms\t)?\n$/m;
  const hundredths = (text: string) => Number(text.replace('.', ''));

  test('a cold invocation has START, its lines, END, and a REPORT whose billing adds up', async () => {
    const name = await deploy();
    const { log, requestId } = await invokeFunction(client, name, { log: 'hello' });
    const lines = log.split('\n');
    const start = lines.indexOf(`START RequestId: ${requestId} Version: $LATEST`);
    expect(lines[start - 1]).toContain('loaded');
    expect(lines[start + 1]).toMatch(new RegExp(`^\\S+Z\\t${requestId}\\tINFO\\thello$`));
    expect(lines[start + 2]).toBe(`END RequestId: ${requestId}`);
    const [, id, duration, billed, memory, init] = REPORT.exec(log)!;
    expect(id).toBe(requestId);
    expect(Number(billed)).toBe(Math.ceil((hundredths(duration!) + hundredths(init!)) / 100));
    expect(Number(memory)).toBeGreaterThan(20);
  });

  test('a warm invocation has no init, and the memory never shrinks', async () => {
    const name = await deploy();
    const cold = REPORT.exec((await invokeFunction(client, name)).log)!;
    const { log } = await invokeFunction(client, name, { log: 'second' });
    const warm = REPORT.exec(log)!;
    expect(log.startsWith('START RequestId: ')).toBe(true);
    expect(warm[5]).toBeUndefined();
    expect(Number(warm[3])).toBe(Math.ceil(hundredths(warm[2]!) / 100));
    expect(Number(warm[4])).toBeGreaterThanOrEqual(Number(cold[4]));
  });

  test('the tail is the last 4 KB, and only on request', async () => {
    const name = await deploy();
    const { log } = await invokeFunction(client, name, { bytes: 10_000 });
    expect(log).toHaveLength(4096);
    expect(log).toMatch(REPORT);
    expect((await invokeFunction(client, name, {}, { LogType: 'None' })).log).toBe('');
  });

  test('in the JSON format every line is an object', async () => {
    const name = await deploy({ LoggingConfig: { LogFormat: 'JSON' } });
    const { log, requestId } = await invokeFunction(client, name, { log: 'hello' });
    const lines = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.slice(1)).toMatchObject([
      { type: 'platform.start', record: { requestId, version: '$LATEST' } },
      { level: 'INFO', message: 'hello', requestId },
      { type: 'platform.report', record: { requestId, status: 'success', metrics: { memorySizeMB: 512 } } },
    ]);
    const { durationMs, billedDurationMs, initDurationMs } = lines.at(-1).record.metrics;
    expect(billedDurationMs).toBe(Math.ceil((Math.round(durationMs * 100) + Math.round(initDurationMs * 100)) / 100));
  });
});

describe('invocation types', () => {
  test('an Event is answered with 202 and runs afterwards', async () => {
    const name = await deploy();
    const answer = await invokeFunction(client, name, {}, { InvocationType: 'Event' });
    expect(answer).toMatchObject({ status: 202, payload: undefined });
    await until('the event was handled', () => instancesOf(name)[0]?.invocations === 1);
  });

  test('a DryRun is answered with 204 and runs nothing', async () => {
    const name = await deploy();
    expect((await invokeFunction(client, name, {}, { InvocationType: 'DryRun' })).status).toBe(204);
    expect(instancesOf(name)).toEqual([]);
  });

  test.each([
    ['a payload that is not JSON', { Payload: 'not json' }, 400, 'InvalidRequestContentException'],
    ['more than 6 MB', { Payload: JSON.stringify('x'.repeat(6_291_455)) }, 413, 'RequestTooLargeException'],
    [
      'an event of more than 1 MB',
      { InvocationType: 'Event', Payload: JSON.stringify('x'.repeat(1_048_575)) },
      413,
      'RequestTooLargeException',
    ],
    ['a client context that is too long', { ClientContext: 'e'.repeat(3584) }, 400, 'InvalidRequestContentException'],
    ['a client context without JSON', { ClientContext: base64(1).slice(1) }, 400, 'InvalidRequestContentException'],
    ['an unknown invocation type', { InvocationType: 'Later' }, 400, 'InvalidParameterValueException'],
  ])('%s is refused', async (_what, members, httpStatusCode, name) => {
    const FunctionName = await deploy();
    const command = new InvokeCommand({ FunctionName, ...members } as ConstructorParameters<typeof InvokeCommand>[0]);
    await expect(client.send(command)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(instancesOf(FunctionName)).toEqual([]);
  });
});

describe('failures', () => {
  test('a thrown error is a function error, and the instance lives on', async () => {
    const name = await deploy();
    const { payload } = await invokeFunction(client, name);
    const failed = await invokeFunction(client, name, { throws: 'boom' });
    expect(failed).toMatchObject({
      status: 200,
      functionError: 'Unhandled',
      payload: { errorType: 'TypeError', errorMessage: 'boom' },
    });
    expect(failed.log).toContain('\tERROR\tInvoke Error \t{"errorType":"TypeError"');
    expect((await invokeFunction(client, name)).payload.id).toBe(payload.id);
  });

  test('a timeout ends the instance', async () => {
    const name = await deploy({ Timeout: 1 });
    const { pid } = (await invokeFunction(client, name)).payload;
    const { payload, functionError, log, requestId } = await invokeFunction(client, name, { sleepMs: 20_000 });
    expect(functionError).toBe('Unhandled');
    expect(payload).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
    });
    expect(log).toMatch(/\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\t.*\tStatus: timeout\n$/);
    expect((await invokeFunction(client, name)).payload).toMatchObject({
      count: 1,
      pid: expect.not.toSatisfy((p) => p === pid),
    });
  });

  test.each([
    [3, 'Runtime exited with error: exit status 3'],
    [0, 'Runtime exited without providing a reason'],
  ])('a process that exits with %i is a crash, and the next invocation gets a new instance', async (exit, reason) => {
    const name = await deploy();
    const { payload, functionError, log, requestId } = await invokeFunction(client, name, { exit });
    expect(functionError).toBe('Unhandled');
    expect(payload).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: ${reason}`,
    });
    expect(log).toMatch(/\tStatus: error\tError Type: Runtime\.ExitError\n$/);
    expect((await invokeFunction(client, name)).payload.count).toBe(1);
  });

  test('a module that throws is initialized twice and then a function error', async () => {
    const name = await deploy({}, { 'index.mjs': `console.log('loading'); throw new RangeError('no luck');` });
    const { payload, functionError, log } = await invokeFunction(client, name);
    expect(functionError).toBe('Unhandled');
    expect(payload).toMatchObject({ errorType: 'RangeError', errorMessage: 'no luck' });
    expect(log).toMatch(/INIT_REPORT Init Duration: \S+ ms\tPhase: init\tStatus: error\tError Type: RangeError\n/);
    expect(log).toMatch(
      /INIT_REPORT Init Duration: \S+ ms\tPhase: invoke\tStatus: error\tError Type: RangeError\nSTART /,
    );
    expect(log).toMatch(/\tMax Memory Used: \d+ MB\tStatus: error\tError Type: RangeError\n$/);
    expect(instancesOf(name)).toEqual([]);
  });

  test('a handler that does not exist is an init error of the runtime', async () => {
    const name = await deploy({ Handler: 'index.nothing' });
    expect((await invokeFunction(client, name)).payload).toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
  });

  test('a response of more than 6 MB is a function error', async () => {
    const name = await deploy();
    expect(await invokeFunction(client, name, { answerBytes: 6_291_555 })).toMatchObject({
      functionError: 'Unhandled',
      payload: {
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      },
    });
    expect((await invokeFunction(client, name, { answerBytes: 6_291_554 })).payload).toHaveLength(6_291_554);
  });
});
