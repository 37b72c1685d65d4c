import { describe, expect, it } from 'vitest';
import { type Agent, createAgent, type Parts } from '../src/agent.ts';
import type { TimeProfile } from '../src/cpu-sampler.ts';
import type { FlushReply, Mark } from '../src/protocol.ts';
import type { RawProfile } from '../src/publish.ts';
import { readSettings, type Settings } from '../src/settings.ts';
import type { Handler } from '../src/user-handler.ts';
import { wrapHandler } from '../src/wrap-handler.ts';

const EMPTY: TimeProfile = {
  topDownRoot: {
    name: '(root)',
    scriptName: '',
    scriptId: 0,
    lineNumber: 0,
    columnNumber: 0,
    hitCount: 0,
    children: [],
  },
};

function settings(env: Record<string, string> = {}): Settings {
  const result = readSettings(
    { LAMBDA_PROFILE_BUCKET: 'profiles', AWS_LAMBDA_FUNCTION_NAME: 'orders', ...env },
    0,
    () => 'i',
  );
  if (!result.on) throw new Error(`The settings are off: ${result.notice}`);
  return result.settings;
}

/** An agent on a clock that only moves when told, and what it published. */
function start(parts: Partial<Parts> = {}, env: Record<string, string> = {}) {
  const time = { nowMs: 1_000_000 };
  const published: RawProfile[] = [];
  const log: string[] = [];
  const slept: number[] = [];
  const phases: string[] = [];
  const agent = createAgent({
    settings: settings(env),
    cpu: {
      flags: [],
      setPhase: (phase) => phases.push(phase),
      isNearlyFull: () => false,
      rotate: () => EMPTY,
      stop: () => phases.push('stopped'),
    },
    heap: null,
    allocations: { begin() {}, end: () => 1000 },
    loadPublish: async () => async (profiles) => {
      published.push(...profiles);
      return {
        published: profiles.map(({ type }) => ({ type, key: `key-${type}`, etag: '"e"', bytes: 1 })),
        failures: [],
      };
    },
    clock: {
      nowMs: () => time.nowMs,
      steadyMs: () => time.nowMs,
      cpuMicros: () => time.nowMs * 500, // half a CPU
      threadCpuMicros: () => time.nowMs * 400,
      sleep: async (ms) => {
        slept.push(ms);
        time.nowMs += ms;
      },
    },
    log: (line) => log.push(line),
    engine: 'test/1',
    ...parts,
  });
  const invoke = (mark: Mark | null, { durationMs = 10, failed = false, request = '' } = {}) => {
    agent.begin(mark, request);
    time.nowMs += durationMs;
    return agent.end(failed, () => 3000);
  };
  const flush = async (run: string, remainingMs = 3000, holdMs = 0) =>
    (await agent.flush({ op: 'flush', run, commit: null, holdMs }, () => remainingMs))['lambda-profile'];
  return { agent, time, published, log, slept, phases, invoke, flush };
}

const inRun = (run: string): Mark => ({ op: 'invoke', run, commit: 'c0ffee', holdMs: 0 });

describe('createAgent()', () => {
  it('counts invocations, errors, handler time, process CPU and allocations of a window', async () => {
    const { invoke, flush, published, time } = start();
    invoke(inRun('r'), { durationMs: 10, request: '0000000a' });
    time.nowMs += 500; // frozen in between
    invoke(inRun('r'), { durationMs: 30, failed: true, request: '0000000b' });
    const counted = { invocations: 2, errors: 1, activeMs: 40, cpuMs: 20, requests: '0000000a0000000b' };
    expect(await flush('r')).toMatchObject(counted);
    expect(published[0]!.facts.window).toMatchObject({
      run: 'r',
      commit: 'c0ffee',
      cold: 1,
      startMs: 1_000_000,
      endMs: 1_000_540,
      allocatedBytes: 2000,
      threadCpuMicros: 16_000,
      durationsMs: [10, 30],
    });
  });

  it('numbers publishes from 0 and shares the number among the types of one publish', async () => {
    const { agent, invoke, flush, published } = start({}, { LAMBDA_PROFILE_TYPES: 'cpu,init' });
    agent.endInit();
    for (let i = 0; i < 2; i++) {
      invoke(inRun('r'));
      await flush('r');
    }
    expect(published.map(({ type, facts }) => [type, facts.sequence])).toEqual([
      ['cpu', 0],
      ['init', 0],
      ['cpu', 1],
    ]);
  });

  it('ends init once: code that wraps two handlers has one cold start', () => {
    let rotations = 0;
    const rotate = () => {
      rotations++;
      return EMPTY;
    };
    const cpu = { flags: [], setPhase() {}, isNearlyFull: () => false, rotate, stop() {} };
    const { agent } = start({ cpu }, { LAMBDA_PROFILE_TYPES: 'cpu,init' });
    agent.endInit();
    agent.endInit();
    expect(rotations).toBe(1);
  });

  it('ends an invocation that never called back when the next one begins', async () => {
    const { agent, time, invoke, flush } = start();
    agent.begin(inRun('r'));
    time.nowMs += 7;
    invoke(inRun('r'));
    expect(await flush('r')).toMatchObject({ invocations: 2, activeMs: 17 });
  });

  it('waits for the hold of a flush, unless too little of the invocation is left', async () => {
    const { flush, slept } = start();
    await flush('r', 3000, 250);
    await flush('r', 700, 250);
    expect(slept).toEqual([250]);
  });

  it('keeps the window when there is no time to publish it, and says so', async () => {
    const { invoke, flush } = start();
    invoke(inRun('r'));
    expect(await flush('r', 400)).toMatchObject({ invocations: 0, published: [], failures: [{ code: 'Timeout' }] });
    expect(await flush('r', 3000)).toMatchObject({ invocations: 1, failures: [] });
  });

  it('publishes three windows at once and then one a second, however many flushes come', async () => {
    const { invoke, flush, slept } = start();
    for (let i = 0; i < 5; i++) {
      invoke(inRun('r'), { durationMs: 0 });
      await flush('r');
    }
    expect(slept).toEqual([1000, 1000]);
  });

  it('answers flushes without anything to publish at any rate', async () => {
    const { flush, slept } = start();
    for (let i = 0; i < 100; i++) expect(await flush('r')).toMatchObject({ run: 'r', invocations: 0, published: [] });
    expect(slept).toEqual([]);
  });

  it('publishes a window outside any run at the end of the invocation that fills it', async () => {
    const { invoke, published } = start({}, { LAMBDA_PROFILE_MAX_INVOCATIONS: '2' });
    expect(invoke(null)).toBeNull();
    const waiting = invoke(null);
    expect(waiting).toBeInstanceOf(Promise);
    await waiting;
    expect(published.map(({ facts }) => [facts.reason, facts.window.invocations])).toEqual([['count', 2]]);
    for (let i = 0; i < 5; i++) expect(invoke(inRun('r'))).toBeNull();
  });

  it('publishes a window of a run early only when the sample buffer is nearly full', async () => {
    const { invoke, published } = start({
      cpu: { flags: [], setPhase() {}, isNearlyFull: () => true, rotate: () => EMPTY, stop() {} },
    });
    await invoke(inRun('r'));
    expect(published.map(({ facts }) => [facts.reason, facts.window.run])).toEqual([['count', 'r']]);
  });

  it('stops when LAMBDA_PROFILE_UNTIL has passed', async () => {
    const { invoke, flush, time, phases, log } = start({}, { LAMBDA_PROFILE_UNTIL: new Date(1_000_100).toISOString() });
    invoke(inRun('r'));
    time.nowMs = 1_000_100;
    invoke(inRun('r'));
    expect(await flush('r')).toMatchObject({ invocations: 0, failures: [{ code: 'Expired' }] });
    expect(phases.at(-1)).toBe('stopped');
    expect(log).toEqual([]);
  });

  it('marks what the function does as invocation, and everything else as something else', () => {
    const { agent, phases, invoke } = start();
    agent.endInit();
    invoke(inRun('r'));
    invoke({ op: 'warmup', run: 'r', commit: null, holdMs: 0 });
    expect(phases).toEqual(['runtime', 'invocation', 'runtime', 'ignored', 'runtime']);
  });
});

describe('a fault in any part of the agent', () => {
  const fault = (): never => {
    throw new Error('fault');
  };
  const cpu = { flags: [], setPhase() {}, isNearlyFull: () => false, rotate: () => EMPTY, stop() {} };
  const clock = {
    nowMs: () => 0,
    steadyMs: () => 0,
    cpuMicros: () => 0,
    threadCpuMicros: () => 0,
    sleep: async () => {},
  };
  let calls = 0;
  const failAfterStart = () => {
    if (calls++ > 1) fault();
    return 0;
  };
  const faults: [string, Partial<Parts>][] = [
    ['rotating the CPU profile', { cpu: { ...cpu, rotate: fault } }],
    ['setting the phase', { cpu: { ...cpu, setPhase: fault } }],
    ['asking how full the buffer is', { cpu: { ...cpu, isNearlyFull: fault } }],
    ['stopping the sampler, too', { cpu: { ...cpu, rotate: fault, stop: fault } }],
    ['taking the heap profile', { heap: { take: fault, resume() {}, stop() {} } }],
    ['resuming the heap profile', { heap: { take: fault, resume: fault, stop: fault } }],
    ['starting to count allocations', { allocations: { begin: fault, end: () => 0 } }],
    ['counting allocations', { allocations: { begin() {}, end: fault } }],
    ['loading the publishing code', { loadPublish: async () => fault() }],
    ['publishing', { loadPublish: async () => fault }],
    ['publishing, later', { loadPublish: async () => async () => fault() }],
    ['reading the CPU clock', { clock: { ...clock, cpuMicros: failAfterStart } }],
    ['reading the CPU clock of the thread', { clock: { ...clock, threadCpuMicros: failAfterStart } }],
    ['sleeping', { clock: { ...clock, sleep: fault } }],
    ['logging', { cpu: { ...cpu, rotate: fault }, log: fault }],
  ];

  it.each(faults)('never reaches the handler: %s', async (_title, parts) => {
    const { agent } = start(parts, { LAMBDA_PROFILE_MAX_INVOCATIONS: '2', LAMBDA_PROFILE_TYPES: 'cpu,heap,init' });
    agent.endInit();
    const handler = wrapHandler(async (event) => {
      if (event === 'bad') throw new RangeError('mine');
      return { event };
    }, agent);
    const context = (custom?: Record<string, string>) => ({
      clientContext: custom && { custom },
      getRemainingTimeInMillis: () => 3000,
    });
    const run = { 'lambda-profile.op': 'invoke', 'lambda-profile.run': 'r' };
    const flush = { ...run, 'lambda-profile.op': 'flush', 'lambda-profile.hold': '10' };
    for (let i = 0; i < 8; i++) {
      for (const custom of [undefined, run, { ...run, 'lambda-profile.run': `r${i}` }]) {
        expect(await handler('good', context(custom))).toEqual({ event: 'good' });
        await expect(handler('bad', context(custom))).rejects.toThrow(new RangeError('mine'));
      }
      const reply = (await handler('good', context(flush))) as FlushReply;
      expect(reply['lambda-profile'].v).toBe(1);
    }
  });

  it('makes the agent quiet after the third in a row, with one log line and the reason in the reply', async () => {
    const { invoke, flush, log, phases } = start({ loadPublish: async () => fault() });
    for (let i = 0; i < 5; i++) {
      invoke(inRun('r'));
      expect((await flush('r')).failures).toMatchObject([{ code: 'InternalError', message: 'fault' }]);
    }
    expect(log).toEqual(['off after 3 failures in a row, the last one: InternalError: fault']);
    expect(phases.filter((phase) => phase === 'stopped')).toHaveLength(1);
    expect(phases.at(-1)).toBe('stopped');
  });

  it.each([
    ['a context that is not there', undefined],
    ['a context that throws', new Proxy({}, { get: fault })],
    ['a client context of another application', { clientContext: { custom: { app: 1 }, client: {} } }],
    ['an unknown operation', { clientContext: { custom: { 'lambda-profile.op': 'restart' } } }],
  ])('is not caused by %s', async (_title, context) => {
    const { agent } = start();
    expect(await wrapHandler(async () => 1, agent)({}, context)).toBe(1);
  });
});

describe('wrapHandler()', () => {
  const quiet: Agent = { endInit() {}, begin() {}, end: () => null, flush: async () => ({}) as FlushReply };

  it('keeps what the runtime looks at: length, name, own symbols, properties and this', () => {
    const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
    const highWaterMark = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
    const original = Object.assign(
      function orders(this: unknown, _event: unknown, _stream: unknown, _context: unknown) {
        return this;
      },
      { [streaming]: 'response', [highWaterMark]: 42, middleware: ['log'] },
    );
    const wrapped = wrapHandler(original as Handler, quiet) as typeof original;
    expect(wrapped.length).toBe(3);
    expect(wrapped.name).toBe('orders');
    expect(wrapped[streaming]).toBe('response');
    expect(wrapped[highWaterMark]).toBe(42);
    expect(wrapped.middleware).toEqual(['log']);
    const self = {};
    expect(wrapped.call(self, 1, 2, 3)).toBe(self);
  });

  it('returns what is not a promise as it is', () => {
    const result = {};
    expect(wrapHandler(() => result, quiet)({}, {})).toBe(result);
    expect(() =>
      wrapHandler(() => {
        throw new TypeError('now');
      }, quiet)({}, {}),
    ).toThrow(TypeError);
  });

  it('sees the end of a callback handler in its callback, and calls back once the window is published', async () => {
    const { agent, published } = start({}, { LAMBDA_PROFILE_MAX_INVOCATIONS: '1' });
    const order: string[] = [];
    const handler = wrapHandler((_event, _context, callback) => {
      setImmediate(() => (callback as (error: null, value: string) => void)(null, 'value'));
    }, agent);
    const value = await new Promise((resolve, reject) => {
      const returned = handler({}, { getRemainingTimeInMillis: () => 3000 }, (error: unknown, result: unknown) => {
        order.push(`called back after ${published.length} publish`);
        if (error) reject(error);
        else resolve(result);
      });
      order.push(`returned ${returned}`);
    });
    expect(value).toBe('value');
    expect(order).toEqual(['returned undefined', 'called back after 1 publish']);
  });

  it.each(['done', 'succeed', 'fail'] as const)('sees the end of a handler that calls context.%s', async (method) => {
    const { agent, flush } = start();
    const called: unknown[][] = [];
    const context: Record<string, unknown> = {
      clientContext: { custom: { 'lambda-profile.op': 'invoke', 'lambda-profile.run': 'r' } },
      [method]: (...values: unknown[]) => called.push(values),
    };
    const handler = wrapHandler((_event, given) => {
      (given as Record<string, (...values: unknown[]) => void>)[method]!('a', 'b');
    }, agent);
    handler({}, context, () => {});
    expect(called).toEqual([['a', 'b']]);
    expect(await flush('r')).toMatchObject({ invocations: 1, errors: method === 'succeed' ? 0 : 1 });
  });

  it('leaves a context alone that cannot be changed', () => {
    const context = Object.freeze({ done() {} });
    expect(wrapHandler(() => 'sync', quiet)({}, context, () => {})).toBe('sync');
  });

  it('counts a callback with an error as an error', async () => {
    const { agent, flush } = start();
    const handler = wrapHandler(
      (_event, _context, callback) => (callback as (error: Error) => void)(new Error('no')),
      agent,
    );
    handler({}, { clientContext: { Custom: { 'lambda-profile.op': 'invoke', 'lambda-profile.run': 'r' } } }, () => {});
    expect(await flush('r')).toMatchObject({ invocations: 1, errors: 1 });
  });
});
