import type { IncomingHttpHeaders } from 'node:http';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { createInvoke } from '../../src/lambda/invoke.ts';
import { timeRequests } from '../../src/lambda/request-times.ts';
import type { Target } from '../../src/lambda/target.ts';
import { type LambdaServer, startLambda } from '../cloud/lambda/server.ts';

let server: LambdaServer;
let client: LambdaClient;
let seen: { headers: IncomingHttpHeaders; body: string }[] = [];
/** Answers call number n with this error, when there is one. */
let refuse: (call: number) => { status: number; code: string } | undefined;
let nowMs = 0;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} };

beforeAll(async () => {
  server = await startLambda({
    region: 'eu-west-1',
    accountId: '123456789012',
    intercept: (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      request.on('end', () => {
        seen.push({ headers: request.headers, body });
        const refused = refuse(seen.length);
        response.writeHead(refused?.status ?? 200, {
          'X-Amzn-Requestid': `r-${seen.length}`,
          'X-Amz-Executed-Version': '7',
          ...(refused && { 'X-Amzn-Errortype': refused.code }),
        });
        response.end(refused ? '{"message":"no"}' : '{"ok":true}');
      });
      return true;
    },
  });
  client = new LambdaClient({
    region: 'eu-west-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'ASIALOOPBACK00000001', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  timeRequests(client, clock);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});
beforeEach(() => {
  seen = [];
  refuse = () => undefined;
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
const marks = { op: 'invoke' as const, run: 'r', commit: 'c' };
const payload = Buffer.from('{"order":1}');
/** Every request the SDK builds has an id of its own, which is signed with it. */
const builds = () => seen.map(({ headers }) => headers['amz-sdk-invocation-id']);

describe('createInvoke()', () => {
  it('sends equal calls with one signature, at the same time too, and answers each with its own answer', async () => {
    const invoke = createInvoke(client, target, clock);
    const first = await invoke(payload, marks);
    const others = await Promise.all([1, 2, 3].map(() => invoke(payload, marks, new AbortController().signal)));
    expect(new Set(builds()).size).toBe(1);
    expect(new Set(seen.map(({ headers }) => headers.authorization)).size).toBe(1);
    expect(seen.every(({ body }) => body === '{"order":1}')).toBe(true);
    const ids = [first, ...others].map(({ invocation }) => invocation.requestId);
    expect(ids.sort()).toEqual(['r-1', 'r-2', 'r-3', 'r-4']);
    expect(others[0]!.invocation).toMatchObject({ status: 'succeeded', executedVersion: '7', op: 'invoke' });
    expect(Buffer.from(others[0]!.payload).toString()).toBe('{"ok":true}');
  });

  it('signs what differs: payload, run, kind of call', async () => {
    const invoke = createInvoke(client, target, clock);
    await invoke(payload, marks);
    await invoke(Buffer.from('{"order":2}'), marks);
    await invoke(payload, { ...marks, run: 'other' });
    await invoke(payload, { ...marks, op: 'flush', holdMs: 10 });
    expect(new Set(builds()).size).toBe(4);
    expect(seen.map(({ body }) => body)).toEqual(['{"order":1}', '{"order":2}', '{"order":1}', '{"order":1}']);
    const runs = seen.map(({ headers }) =>
      JSON.parse(Buffer.from(headers['x-amz-client-context'] as string, 'base64').toString()),
    );
    expect(runs[2].custom).toMatchObject({ 'lambda-profile.run': 'other' });
  });

  it('signs anew after twenty seconds: credentials may have been renewed', async () => {
    const invoke = createInvoke(client, target, clock);
    await invoke(payload, marks);
    nowMs += 19_999;
    await invoke(payload, marks);
    nowMs += 1;
    await invoke(payload, marks);
    const [first, second, third] = builds();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('signs anew when a signature that was used before is refused, for then nothing ran', async () => {
    refuse = (call) => (call === 2 ? { status: 403, code: 'InvalidSignatureException' } : undefined);
    const invoke = createInvoke(client, target, clock);
    await invoke(payload, marks);
    const { invocation } = await invoke(payload, marks);
    expect(invocation.status).toBe('succeeded');
    const [first, second, third] = builds();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(seen).toHaveLength(3);
  });

  it.each([
    [429, 'TooManyRequestsException', 'throttled'],
    [500, 'ServiceException', 'service-error'],
  ])('sends once what is answered with %i', async (status, code, outcome) => {
    const invoke = createInvoke(client, target, clock);
    await invoke(payload, marks);
    refuse = () => ({ status, code });
    expect((await invoke(payload, marks)).invocation).toMatchObject({ status: outcome, errorType: code });
    expect(seen).toHaveLength(2);
  });

  it('gives a call up when its signal says so, and others go on', async () => {
    const invoke = createInvoke(client, target, clock);
    const abandon = new AbortController();
    abandon.abort();
    expect((await invoke(payload, marks, abandon.signal)).invocation.status).toBe('ambiguous');
    expect((await invoke(payload, marks, new AbortController().signal)).invocation.status).toBe('succeeded');
  });
});
