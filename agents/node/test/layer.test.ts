import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFlushReply } from '../../../src/lambda/run-protocol.ts';
import { decodeProfile } from '../../../src/pprof/decode.ts';
import { parseWindow } from '../../../src/snapshots/window.ts';
import { BUCKET, type Cloud, mark, type ReadProfile, readProfile, startCloud } from './cloud.ts';

/** A loop too large to be inlined: V8 charges inlined loops to the caller. */
const work = (name: string, times: number) =>
  `function ${name}(n) { let x = 0, y = 1, z = 2; for (let i = 0; i < n * ${times}; i++) { x += Math.sqrt(i * 1.1 + y); y = (y * 31 + i) % 1009; z = z > 1e6 ? z / 3 : z + y * 0.5; if (z % 7 > 3) x -= z * 1e-9; else x += y * 1e-9; } return x + z; }`;

/** A function with 6 : 3 : 1 of its work in three functions, in a bundle-like sub-directory. */
const ORDERS = `
import { setTimeout as sleep } from 'node:timers/promises';
const cpuAtStart = process.cpuUsage();
${work('priceItems', 6)}
${work('checkStock', 3)}
${work('writeAudit', 1)}
export const handler = async (event) => {
  let sum = 0;
  for (let i = 0; i < 8; i++) sum += priceItems(2e4) + checkStock(2e4) + writeAudit(2e4);
  const rows = [];
  for (let i = 0; i < 5000; i++) rows.push({ i });
  await sleep(1);
  if (event.fail) throw new TypeError('no such order');
  return { sum, rows: rows.length, cpu: process.cpuUsage() };
};
`;
const CPU = 'cpu/nanoseconds';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.close());

const objects = (stack: string, type = '') => cloud.s3.objects(BUCKET, `sparta/pprof/${stack}/profiles/${type}`);
const reply = (invoked: { payload: Record<string, never> }) =>
  invoked.payload['lambda-profile'] as Record<string, never>;

describe('a run on a function that knows nothing of the agent', () => {
  const processCpuMs: number[] = [];
  let flushed: Awaited<ReturnType<Cloud['invoke']>>;
  let cpu: ReadProfile;

  beforeAll(async () => {
    await cloud.deploy(
      'orders',
      { 'src/app.mjs': ORDERS },
      {
        handler: 'src/app.handler',
        variables: { LAMBDA_PROFILE_TYPES: 'cpu,heap,init', LAMBDA_PROFILE_STACK: 'orders' },
      },
    );
    for (let i = 0; i < 3; i++) await cloud.invoke('orders', {}, mark('warmup', 'run-1'));
    for (let i = 0; i < 40; i++) {
      const { payload } = await cloud.invoke('orders', { fail: i === 20 }, mark('invoke', 'run-1'));
      if (payload.cpu) processCpuMs.push((payload.cpu.user + payload.cpu.system) / 1000);
    }
    flushed = await cloud.invoke('orders', {}, mark('flush', 'run-1', { 'lambda-profile.hold': '50' }));
    cpu = readProfile(objects('orders', 'cpu')[0]!.body);
  });

  it('answers a flush with what it published, without calling the handler', () => {
    const answer = reply(flushed);
    expect(flushed.functionError).toBeUndefined();
    expect(answer).toMatchObject({ v: 1, run: 'run-1', invocations: 40, errors: 1, failures: [] });
    expect(answer.requests).toMatch(/^([0-9a-f]{8}){40}$/);
    const stored = new Map(objects('orders').map((object) => [object.key, object]));
    const published = answer.published as { type: string; key: string; etag: string; bytes: number }[];
    expect(published.map(({ type }) => type).sort()).toEqual(['cpu', 'heap', 'init']);
    for (const { type, key, etag, bytes } of published) {
      expect(key).toBe(`sparta/pprof/orders/profiles/${type}/0-${type}.${answer.instance}.profile`);
      expect(etag).toBe(`"${stored.get(key)!.etag}"`);
      expect(stored.get(key)!.body.length).toBe(bytes);
    }
    expect(cloud.lambda.instances().find(({ functionName }) => functionName === 'orders')!.id).toBe(answer.instance);
  });

  it('stores a cpu profile in the columns of Go with the whole truth about the window in its comment', () => {
    expect(cpu).toMatchObject({
      columns: ['samples/count', CPU],
      periodType: CPU,
      period: 1_000_000,
      defaultColumn: 'cpu',
    });
    const answer = reply(flushed);
    expect(cpu.comment).toMatchObject({
      v: 1,
      run: 'run-1',
      function: 'orders',
      functionVersion: '$LATEST',
      commit: '0123abc',
      instance: answer.instance,
      sequence: 0,
      slot: 0,
      reason: 'flush',
      invocations: { n: 40, errors: 1, cold: 0 },
      memoryMb: 512,
      runtime: 'AWS_Lambda_nodejs24.x',
      language: `node ${process.version}`,
      agent: 'lambda-profile-node/0.1.0',
      engine: 'dd-pprof/5.20.0',
      intervalUs: 1000,
      flags: expect.arrayContaining(['--no-maglev-inlining']),
      kind: 'delta',
    });
    const { start, end, activeMs, cpuMs, p50Ms, p90Ms, p95Ms } = cpu.comment.time;
    expect(activeMs).toBeLessThan(end - start);
    expect(cpu.durationNanos).toBeCloseTo(activeMs * 1e6, -4);
    expect(cpuMs).toBe(answer.cpuMs);
    expect(p50Ms).toBeLessThanOrEqual(p90Ms);
    expect(p90Ms).toBeLessThanOrEqual(p95Ms);
    expect(p95Ms).toBeLessThan(activeMs);
  });

  it('is understood by the gate', () => {
    expect(cpu.comment).toMatchObject(parseWindow([`lambda-profile:${JSON.stringify(cpu.comment)}`])!);
    expect(parseFlushReply(Buffer.from(JSON.stringify(flushed.payload)))).toEqual(reply(flushed));
    const gated = decodeProfile(objects('orders', 'cpu')[0]!.body);
    expect(gated.comments.map((text) => text.slice(0, 15))).toEqual(['lambda-profile:']);
  });

  it('repeats the essentials as metadata of the object', () => {
    expect(objects('orders', 'cpu')[0]!.metadata).toEqual({
      'lambda-profile-v': '1',
      'lambda-profile-run': 'run-1',
      'lambda-profile-function': 'orders',
      'lambda-profile-version': '$LATEST',
      'lambda-profile-commit': '0123abc',
      'lambda-profile-instance': reply(flushed).instance,
      'lambda-profile-sequence': '0',
      'lambda-profile-invocations': '40',
      'lambda-profile-cpu-ms': String(reply(flushed).cpuMs),
      'lambda-profile-reason': 'flush',
    });
  });

  it('captures the CPU of the process, although it is frozen between invocations', () => {
    const ofProcess = processCpuMs.at(-1)! - processCpuMs[0]!;
    const ofFirst = reply(flushed).cpuMs / 40;
    const captured = cpu.total(CPU) / 1e6;
    expect(captured / (ofProcess + ofFirst)).toBeGreaterThan(0.85);
    expect(captured / (ofProcess + ofFirst)).toBeLessThan(1.1);
  });

  it('reports the work where it was done', () => {
    const work = ['priceItems', 'checkStock', 'writeAudit'].map((name) => cpu.self(name, CPU));
    const sum = work.reduce((total, value) => total + value, 0);
    expect(sum / cpu.total(CPU)).toBeGreaterThan(0.35);
    expect(work[0]! / sum).toBeGreaterThan(0.5);
    expect(work[1]! / sum).toBeGreaterThan(0.22);
    expect(work[2]! / sum).toBeLessThan(0.18);
    const stack = cpu.samples.find(({ stack: [leaf] }) => leaf!.startsWith('priceItems'))!.stack;
    expect(stack[0]).toBe('priceItems src/app.mjs:4:20');
    expect(stack[1]).toBe('handler src/app.mjs:7:24');
    expect(stack.some((frame) => frame.includes('/var/runtime/index.mjs'))).toBe(true);
  });

  it('names no file of the agent or of this machine, and labels what is outside of invocations', () => {
    for (const { stack, labels } of cpu.samples) {
      for (const frame of stack) expect(frame).not.toMatch(/nodejs\/lambda-profile|agent\.mjs|handler\.mjs/);
      const fromHandler = stack.some((frame) => frame.includes(' src/app.mjs'));
      if (fromHandler) expect(labels).toEqual({});
      else if (labels['lambda-profile.phase']) expect(labels).toEqual({ 'lambda-profile.phase': 'runtime' });
    }
  });

  it('stores a heap profile of the allocations of the window', () => {
    const heap = readProfile(objects('orders', 'heap')[0]!.body);
    expect(heap).toMatchObject({
      columns: ['alloc_objects/count', 'alloc_space/bytes', 'inuse_objects/count', 'inuse_space/bytes'],
      periodType: 'space/bytes',
      period: 65_536,
    });
    expect(heap.comment).toMatchObject({ run: 'run-1', kind: 'delta', invocations: { n: 40 } });
    // The sampled sum and the process's own counter measure the same thing independently.
    expect(heap.total('alloc_space/bytes') / heap.comment.allocatedBytes).toBeGreaterThan(0.6);
    expect(heap.total('alloc_space/bytes') / heap.comment.allocatedBytes).toBeLessThan(1.6);
    expect(heap.self('handler', 'alloc_space/bytes')).toBeGreaterThan(5000 * 40 * 16);
  });

  it('publishes the cold start once, as type init', async () => {
    const init = readProfile(objects('orders', 'init')[0]!.body);
    expect(init.comment).toMatchObject({ run: 'run-1', invocations: { n: 0, cold: 1 } });
    await cloud.invoke('orders', {}, mark('invoke', 'run-1'));
    const again = reply(await cloud.invoke('orders', {}, mark('flush', 'run-1')));
    expect(again).toMatchObject({ invocations: 1 });
    expect((again.published as { key: string }[]).map(({ key }) => key.replace(/.*\//, '')).sort()).toEqual([
      `1-cpu.${again.instance}.profile`,
      `1-heap.${again.instance}.profile`,
    ]);
  });

  it('publishes nothing when nothing was invoked since the last flush', async () => {
    const again = reply(await cloud.invoke('orders', {}, mark('flush', 'run-1')));
    expect(again).toMatchObject({ invocations: 0, errors: 0, cpuMs: 0, published: [], failures: [] });
  });
});

describe('a cold start', () => {
  it('is published as type init: what loading the modules cost, module by module', async () => {
    const burn = (ms: number) => `
      const end = process.cpuUsage().user + ${ms} * 1000;
      function buildTables() { let x = 0; while (process.cpuUsage().user < end) for (let i = 0; i < 1e4; i++) x += Math.sqrt(i); return x; }
      export const tables = buildTables();`;
    const index = "import './lib/rates.mjs'; import './lib/zones.mjs'; export const handler = async () => 'ok';";
    const files = { 'index.mjs': index, 'lib/rates.mjs': burn(60), 'lib/zones.mjs': burn(20) };
    await cloud.deploy('cold', files, { variables: { LAMBDA_PROFILE_TYPES: 'init' } });
    await cloud.invoke('cold', {}, mark('invoke', 'r'));
    const { published, failures } = reply(await cloud.invoke('cold', {}, mark('flush', 'r')));
    expect(failures).toEqual([]);
    expect(published).toMatchObject([{ type: 'init' }]);
    const init = readProfile(objects('cold', 'init')[0]!.body);
    const cpuOf = (file: string) =>
      init.samples
        .filter(({ stack }) => stack.some((frame) => frame.includes(` ${file}:`)))
        .reduce((sum, { values }) => sum + values[1]!, 0) / 1e6;
    expect(cpuOf('lib/rates.mjs')).toBeGreaterThan(45);
    expect(cpuOf('lib/zones.mjs')).toBeGreaterThan(12);
    expect(cpuOf('lib/zones.mjs')).toBeLessThan(cpuOf('lib/rates.mjs'));
    const { invocations, time, run } = init.comment;
    expect({ invocations, run }).toEqual({ invocations: { n: 0, errors: 0, cold: 1 }, run: 'r' });
    expect(time.cpuMs).toBeGreaterThan(75);
    for (const { labels } of init.samples.filter(({ stack }) => stack.some((frame) => frame.includes(' lib/')))) {
      expect(labels).toEqual({ 'lambda-profile.phase': 'init' });
    }
  });
});

describe('windows', () => {
  const SMALL = "export const handler = async (event) => { if (event.fail) throw new Error('no'); return 'ok'; };";

  it('end after LAMBDA_PROFILE_MAX_INVOCATIONS invocations that belong to no run', async () => {
    await cloud.deploy('count', { 'index.mjs': SMALL }, { variables: { LAMBDA_PROFILE_MAX_INVOCATIONS: '3' } });
    for (let i = 0; i < 7; i++) await cloud.invoke('count', { fail: i === 1 });
    const stored = objects('count').map(({ body }) => readProfile(body).comment);
    expect(stored.map(({ reason, sequence, run }) => ({ reason, sequence, run }))).toEqual([
      { reason: 'count', sequence: 0, run: '' },
      { reason: 'count', sequence: 1, run: '' },
    ]);
    expect(stored.map(({ invocations }) => invocations)).toEqual([
      { n: 3, errors: 1, cold: 1 },
      { n: 3, errors: 0, cold: 0 },
    ]);
  });

  it('belong to one run: an earlier run that was not flushed is published with the next flush', async () => {
    await cloud.deploy('runs', { 'index.mjs': SMALL });
    await cloud.invoke('runs'); // outside any run: dropped
    for (let i = 0; i < 4; i++) await cloud.invoke('runs', {}, mark('invoke', 'run-a'));
    await cloud.invoke('runs'); // foreign traffic during a run counts for nobody
    for (let i = 0; i < 2; i++) await cloud.invoke('runs', {}, mark('invoke', 'run-b'));
    expect(reply(await cloud.invoke('runs', {}, mark('flush', 'run-c')))).toMatchObject({
      invocations: 0,
      published: [],
    });
    const flushed = reply(await cloud.invoke('runs', {}, mark('flush', 'run-b')));
    expect(flushed).toMatchObject({ run: 'run-b', invocations: 2 });
    expect(flushed.published).toHaveLength(1);
    const stored = objects('runs').map(({ body }) => readProfile(body).comment);
    expect(stored.map(({ run, reason, invocations }) => [run, reason, invocations.n])).toEqual([
      ['run-b', 'flush', 2],
      ['run-a', 'run-change', 4],
    ]);
  });

  it('keep the three newest snapshots of an instance', async () => {
    await cloud.deploy('rolling', { 'index.mjs': SMALL });
    for (let i = 0; i < 4; i++) {
      await cloud.invoke('rolling', {}, mark('invoke', 'run-a'));
      expect(reply(await cloud.invoke('rolling', {}, mark('flush', 'run-a')))).toMatchObject({ failures: [] });
    }
    expect(objects('rolling').map(({ body }) => readProfile(body).comment.sequence)).toEqual([3, 1, 2]);
  });

  it('leave warm-up invocations out', async () => {
    await cloud.deploy('warm', { 'index.mjs': SMALL });
    for (let i = 0; i < 5; i++) expect((await cloud.invoke('warm', {}, mark('warmup', 'r'))).payload).toBe('ok');
    expect(reply(await cloud.invoke('warm', {}, mark('flush', 'r')))).toMatchObject({ invocations: 0, published: [] });
    await cloud.invoke('warm', {}, mark('invoke', 'r'));
    expect(reply(await cloud.invoke('warm', {}, mark('flush', 'r')))).toMatchObject({ invocations: 1 });
  });

  it('in marker mode hold marked invocations only, and ids that are not well formed mark nothing', async () => {
    await cloud.deploy(
      'marked',
      { 'index.mjs': SMALL },
      {
        variables: { LAMBDA_PROFILE_MODE: 'marker', LAMBDA_PROFILE_MAX_INVOCATIONS: '1' },
      },
    );
    await cloud.invoke('marked');
    await cloud.invoke('marked', {}, mark('invoke', '../../other run'));
    expect(objects('marked')).toEqual([]);
    await cloud.invoke('marked', {}, mark('invoke', 'r', { 'lambda-profile.commit': 'not a commit' }));
    expect(reply(await cloud.invoke('marked', {}, mark('flush', 'r')))).toMatchObject({ invocations: 1 });
    expect(readProfile(objects('marked')[0]!.body).comment).toMatchObject({ run: 'r', commit: '' });
  });
});

describe('a bucket that refuses', () => {
  const SMALL = "export const handler = async () => 'ok';";

  it('is reported with its error, the account id left out, and after three times the agent is quiet', async () => {
    await cloud.deploy('denied', { 'index.mjs': SMALL });
    cloud.onWrite('refuse');
    try {
      for (let i = 0; i < 3; i++) {
        expect((await cloud.invoke('denied', {}, mark('invoke', 'r'))).payload).toBe('ok');
        const { failures, published } = reply(await cloud.invoke('denied', {}, mark('flush', 'r')));
        expect(published).toEqual([]);
        expect(failures).toMatchObject([{ type: 'cpu', code: 'AccessDenied' }]);
        expect(JSON.stringify(failures)).not.toMatch(/(?<![0-9a-f])\d{12}(?![0-9a-f])/);
      }
    } finally {
      cloud.onWrite('store');
    }
    const before = cloud.s3.requests.length;
    expect((await cloud.invoke('denied', {}, mark('invoke', 'r'))).payload).toBe('ok');
    expect(reply(await cloud.invoke('denied', {}, mark('flush', 'r')))).toMatchObject({
      invocations: 0,
      published: [],
      failures: [{ code: 'AccessDenied' }],
    });
    expect(cloud.s3.requests.length).toBe(before);
  });
});

describe('a fault of the layer', () => {
  const SMALL = "export const handler = async () => 'ok';";
  const AGENT = 'nodejs/lambda-profile';
  const PREBUILDS = `${AGENT}/node_modules/@datadog/pprof/prebuilds/${process.platform}-${process.arch}`;

  it('in the native addon leaves the function alone and says so in one line', async () => {
    const addon = `${PREBUILDS}/dd_pprof.node.abi${process.versions.modules}.node`;
    const overlay = { [addon]: 'not a shared object' };
    await cloud.deploy('no-addon', { 'index.mjs': SMALL }, { overlay });
    const { payload, log } = await cloud.invoke('no-addon', {}, mark('invoke', 'r'));
    expect(payload).toBe('ok');
    expect(log.match(/lambda-profile: .*/g)).toEqual([
      expect.stringMatching(
        /^lambda-profile: off: Cannot profile Node\.js v[\d.]+ on \S+: .*Use Node\.js 22, 24 or 26\.$/,
      ),
    ]);
    expect((await cloud.invoke('no-addon', {}, mark('flush', 'r'))).payload).toBe('ok');
  });

  it.each([
    ['cannot be loaded', 'throw new Error("broken file");', 'broken file'],
    ['throws when it is set up', 'export const createPublish = () => { throw new Error("no set-up"); };', 'no set-up'],
    ['throws', 'export const createPublish = () => () => { throw new Error("no encoder"); };', 'no encoder'],
    ['rejects', 'export const createPublish = () => async () => { throw new Error("no signature"); };', 'no signature'],
  ])('in the publishing code reaches the reply and not the function: it %s', async (title, code, message) => {
    const name = `fault-${title.replace(/\W/g, '')}`;
    const overlay = { [`${AGENT}/publish.mjs`]: code };
    await cloud.deploy(name, { 'index.mjs': SMALL }, { overlay, variables: { LAMBDA_PROFILE_MAX_INVOCATIONS: '2' } });
    for (let i = 0; i < 3; i++) expect((await cloud.invoke(name)).payload).toBe('ok');
    expect((await cloud.invoke(name, {}, mark('invoke', 'r'))).payload).toBe('ok');
    expect(reply(await cloud.invoke(name, {}, mark('flush', 'r')))).toMatchObject({
      published: [],
      failures: [{ type: 'cpu', code: 'InternalError', message }],
    });
  });

  it('a silent S3 costs a flush its budget, not the invocation its timeout', async () => {
    await cloud.deploy('silent', { 'index.mjs': SMALL });
    cloud.onWrite('silence');
    try {
      await cloud.invoke('silent', {}, mark('invoke', 'r'));
      expect(reply(await cloud.invoke('silent', {}, mark('flush', 'r')))).toMatchObject({
        invocations: 1,
        published: [],
        failures: [{ type: 'cpu', code: 'Timeout' }],
      });
    } finally {
      cloud.onWrite('store');
    }
    await cloud.invoke('silent', {}, mark('invoke', 'r'));
    expect(reply(await cloud.invoke('silent', {}, mark('flush', 'r')))).toMatchObject({ invocations: 1, failures: [] });
  });
});

describe('response streaming', () => {
  it('keeps streaming, and a flush is answered on the stream', async () => {
    const code = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.setContentType('application/json');
      stream.write('{"streamed":');
      stream.end('true}');
    });`;
    await cloud.deploy('streaming', { 'index.mjs': code });
    expect((await cloud.invoke('streaming', {}, mark('invoke', 'r'))).payload).toEqual({ streamed: true });
    expect(reply(await cloud.invoke('streaming', {}, mark('flush', 'r')))).toMatchObject({ run: 'r', invocations: 1 });
  });
});

describe('a function under the layer answers exactly as without it', () => {
  const ECHO = 'export const handler = async (event, context) => ({ event, name: context.functionName.length });';
  const cases: readonly { title: string; files: Record<string, string>; handler?: string }[] = [
    { title: 'an ES module', files: { 'index.mjs': ECHO } },
    {
      title: 'CommonJS in a sub-directory',
      files: { 'src/app.js': 'exports.handler = async () => __filename.slice(-10);' },
      handler: 'src/app.handler',
    },
    { title: 'a .cjs file', files: { 'index.cjs': 'exports.handler = async () => 1;' } },
    {
      title: 'a dotted export',
      files: { 'index.js': 'exports.api = { v1: { get: async () => [1] } };' },
      handler: 'index.api.v1.get',
    },
    { title: 'an export of the default', files: { 'index.mjs': 'export default { handler: async () => 2 };' } },
    {
      title: 'a package of that name',
      files: { 'node_modules/orders/index.js': 'exports.handler = async () => 3;' },
      handler: 'orders.handler',
    },
    {
      title: 'a directory with an index',
      files: { 'lib/index.js': 'exports.handler = async () => 3;' },
      handler: 'lib.handler',
    },
    { title: 'a handler without a promise', files: { 'index.js': 'exports.handler = (event) => ({ plain: event });' } },
    { title: 'no result', files: { 'index.js': 'exports.handler = async () => {};' } },
    { title: 'an exception', files: { 'index.js': 'exports.handler = () => { throw new RangeError("too far"); };' } },
    {
      title: 'a rejection',
      files: { 'index.js': 'exports.handler = async () => { throw new RangeError("too far"); };' },
    },
    { title: 'a rejection without an error', files: { 'index.js': 'exports.handler = () => Promise.reject("text");' } },
    { title: 'a syntax error', files: { 'index.js': 'exports.handler = async () => {' } },
    { title: 'a missing dependency', files: { 'index.js': 'require("missing-package");' } },
    { title: 'a missing module', files: { 'index.js': '' }, handler: 'other.handler' },
    { title: 'a missing export', files: { 'index.js': 'exports.other = 1;' } },
    { title: 'an export that is not a function', files: { 'index.js': 'exports.handler = 1;' } },
    { title: 'an error while loading', files: { 'index.js': 'throw new TypeError("at load");' } },
    { title: 'an error while loading an ES module', files: { 'index.mjs': 'throw new TypeError("at load");' } },
    { title: 'a handler name without an export', files: { 'index.js': '' }, handler: 'index' },
    {
      title: 'a callback handler',
      files: { 'index.js': 'exports.handler = (event, context, callback) => callback(null, 1);' },
    },
    { title: 'a look at _HANDLER', files: { 'index.js': 'exports.handler = async () => process.env._HANDLER;' } },
  ];

  it.each(cases.map((one, index) => ({ ...one, index })))(
    '$title',
    async ({ files, handler = 'index.handler', index }) => {
      const answers = [];
      for (const wrapped of [false, true]) {
        const name = `same-${index}-${wrapped ? 1 : 0}`;
        await cloud.deploy(name, files, { handler, wrapped });
        const { payload, functionError } = await cloud.invoke(name, { a: 1 }, mark('invoke', 'r'));
        answers.push({ functionError, payload: comparable(payload) });
      }
      expect(answers[1]).toEqual(answers[0]);
    },
  );

  /** Request ids, directories and stack traces differ between any two functions. */
  function comparable(payload: unknown): unknown {
    if (typeof payload !== 'object' || payload === null || !('errorType' in payload)) return payload;
    const { errorType, errorMessage } = payload as { errorType: string; errorMessage: string };
    const message = errorMessage.replace(/^RequestId: \S+ /, '').replace(/(\n| imported from).*/s, '');
    return { errorType, errorMessage: message.replace(/\/code\/[0-9a-f]+\//g, '/code/') };
  }
});

describe('the exec wrapper', () => {
  const WHO = 'export const handler = async () => ({ handler: process.env._HANDLER, next: process.env.NEXT ?? null });';

  it.each([
    { title: 'without a bucket', variables: { LAMBDA_PROFILE_BUCKET: '' } },
    { title: 'with LAMBDA_PROFILE_DISABLE', variables: { LAMBDA_PROFILE_DISABLE: '1' } },
    { title: 'after LAMBDA_PROFILE_UNTIL', variables: { LAMBDA_PROFILE_UNTIL: '2020-01-01T00:00:00Z' } },
  ])('changes nothing $title', async ({ variables, title }) => {
    const name = `off-${title.replace(/\W/g, '')}`;
    await cloud.deploy(name, { 'index.mjs': WHO }, { variables });
    const { payload, log } = await cloud.invoke(name, {}, mark('flush', 'r'));
    expect(payload).toEqual({ handler: 'index.handler', next: null });
    expect(log).not.toContain('lambda-profile');
  });

  it.each([
    { title: 'another profiler', variables: { DD_PROFILING_ENABLED: 'true' }, says: 'DD_PROFILING_ENABLED' },
    { title: 'a setting that cannot be', variables: { LAMBDA_PROFILE_TYPES: 'cpu,walls' }, says: "'walls'" },
  ])('says in one line why the agent is off: $title', async ({ variables, says, title }) => {
    const name = `notice-${title.replace(/\W/g, '')}`;
    await cloud.deploy(name, { 'index.mjs': WHO }, { variables });
    const { payload, log } = await cloud.invoke(name, {}, mark('flush', 'r'));
    expect(payload).toEqual({ handler: 'index.handler', next: null });
    expect(log.split('\n').filter((line) => line.includes('lambda-profile'))).toEqual([expect.stringContaining(says)]);
  });

  it('hands over to the wrapper in LAMBDA_PROFILE_NEXT_WRAPPER', async () => {
    const next = { contents: '#!/bin/sh\nexport NEXT=called\nexec "$@"\n', mode: 0o755 };
    // The archive is unpacked at a place that only the function knows; a wrapper may be named relative to it.
    await cloud.deploy(
      'chained',
      { 'index.mjs': WHO, 'next.sh': next },
      {
        variables: { LAMBDA_PROFILE_NEXT_WRAPPER: './next.sh' },
      },
    );
    expect((await cloud.invoke('chained', {}, mark('invoke', 'r'))).payload).toEqual({
      handler: 'index.handler',
      next: 'called',
    });
  });
});

describe('scheduleProfileLoop', () => {
  it('profiles a function from its own code, without the exec wrapper', async () => {
    const code = `
      const { scheduleProfileLoop } = await import(process.env.LAYER + '/nodejs/lambda-profile/index.mjs');
      const profiled = scheduleProfileLoop('${BUCKET}', 'cpu');
      export const handler = profiled(async () => 'ok');`;
    await cloud.deploy(
      'by-code',
      { 'index.mjs': code },
      {
        variables: { AWS_LAMBDA_EXEC_WRAPPER: '', LAMBDA_PROFILE_BUCKET: '', LAYER: '/opt' },
      },
    );
    expect((await cloud.invoke('by-code', {}, mark('invoke', 'r'))).payload).toBe('ok');
    expect(reply(await cloud.invoke('by-code', {}, mark('flush', 'r')))).toMatchObject({
      invocations: 1,
      failures: [],
    });
    expect(objects('by-code', 'cpu')).toHaveLength(1);
  });
});
