import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { addInvocation, assertBalanced, countSent, createAccount } from '../../src/lambda/account.ts';
import type { Invocation, InvocationStatus, Invoke } from '../../src/lambda/invoke.ts';
import { type LoadPlan, type LoadSide, runLoad } from '../../src/lambda/load.ts';
import { parsePayloads } from '../../src/lambda/payloads.ts';
import { seededRandom } from '../../src/seeded-random.ts';

/** Time passes only while somebody sleeps; sleepers wake in order. */
function virtualClock(): Clock {
  let nowMs = 0;
  const sleepers: { atMs: number; wake: () => void }[] = [];
  let turning = false;
  const turn = (): void => {
    setImmediate(() => {
      const next = sleepers.sort((a, b) => a.atMs - b.atMs).shift();
      if (!next) {
        turning = false;
        return;
      }
      nowMs = Math.max(nowMs, next.atMs);
      next.wake();
      turn();
    });
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms) =>
      new Promise((wake) => {
        sleepers.push({ atMs: nowMs + ms, wake });
        if (!turning) {
          turning = true;
          turn();
        }
      }),
  };
}

interface Call {
  side: string;
  op: Invocation['op'];
  body: string;
  sentMs: number;
}

/** A version whose calls take `durationMs(index)` of virtual time, and answer as `status(index)` says. */
function version(
  label: string,
  clock: Clock,
  durationMs: (index: number) => number,
  status: (index: number) => InvocationStatus = () => 'succeeded',
) {
  const calls: Call[] = [];
  const records: Invocation[] = [];
  const account = createAccount();
  let inFlight = 0;
  const seen = { most: 0 };
  const invoke: Invoke = async (payload, { op }) => {
    const index = calls.length;
    const sentMs = clock.monotonicMs();
    calls.push({ side: label, op, body: new TextDecoder().decode(payload), sentMs });
    seen.most = Math.max(seen.most, ++inFlight);
    await clock.sleep(durationMs(index));
    inFlight--;
    const times = { sentMs, scheduledMs: sentMs, lateMs: 0, receivedMs: clock.monotonicMs(), attempts: 1 };
    const failed = status(index);
    return {
      invocation: { op, ...times, status: failed, ...(failed !== 'succeeded' && { errorType: 'TooManyRequests' }) },
      payload: new Uint8Array(),
    };
  };
  const side: LoadSide = {
    label,
    invoke,
    run: 'r',
    commit: 'c',
    sent: (op) => countSent(account, op),
    record: (invocation) => {
      records.push(invocation);
      addInvocation(account, invocation);
    },
  };
  return { side, calls, records, account, seen };
}

const list = [1, 2, 3, 4, 5].map((payload) => ({ payload, weight: 1 }));
const payloads = parsePayloads([{ name: 'a test', text: JSON.stringify(list) }], seededRandom('s'));
const plan: LoadPlan = {
  payloads,
  invocations: 40,
  warmupInvocations: 0,
  concurrency: 4,
  seed: 's',
  maxDurationMs: 1e9,
};
const quiet = () => {};

describe('runLoad() as a closed loop', () => {
  it('keeps so many calls in flight, sends as many as asked, and accounts for each', async () => {
    const clock = virtualClock();
    const { side, records, account, seen } = version('orders:7', clock, () => 10);
    expect(await runLoad([side], { ...plan, warmupInvocations: 8 }, clock, quiet)).toBe('complete');
    expect(seen.most).toBe(4);
    expect(records.filter(({ op }) => op === 'warmup')).toHaveLength(8);
    expect(account).toMatchObject({ warmup: 8, sent: 40, succeeded: 40, failed: 0, throttled: 0, ambiguous: 0 });
    assertBalanced(account);
  });

  it('warms up until durations are no longer falling', async () => {
    const clock = virtualClock();
    // Compiled after 50 calls of all instances together.
    const { side, account } = version('orders:7', clock, (index) => (index < 50 ? 20 - index / 5 : 10));
    await runLoad([side], { ...plan, warmupInvocations: undefined as never }, clock, quiet);
    expect(account.warmup).toBeGreaterThanOrEqual(60);
    expect(account.warmup).toBeLessThanOrEqual(100);
    expect(account.sent).toBe(40);
  });

  it('gives an endless warm-up up after twelve rounds', async () => {
    const clock = virtualClock();
    const { side, account } = version('orders:7', clock, (index) => 1000 * 0.98 ** index);
    await runLoad([side], { ...plan, warmupInvocations: undefined as never }, clock, quiet);
    expect(account.warmup).toBe(12 * 4 * 5);
  });

  it('sends throttled calls again after a pause, once each, and counts every attempt', async () => {
    const clock = virtualClock();
    const { side, records, account } = version(
      'orders:7',
      clock,
      () => 5,
      (index) => (index % 10 === 3 ? 'throttled' : 'succeeded'),
    );
    await runLoad([side], plan, clock, quiet);
    expect(account.succeeded).toBe(40);
    expect(account.throttled).toBeGreaterThan(0);
    expect(account.sent).toBe(40 + account.throttled);
    expect(records.filter(({ attempts }) => attempts > 1).length).toBeGreaterThan(0);
    assertBalanced(account);
  });

  it('never sends an ambiguous call again', async () => {
    const clock = virtualClock();
    const { side, calls, account } = version(
      'orders:7',
      clock,
      () => 5,
      (index) => (index % 2 ? 'ambiguous' : 'succeeded'),
    );
    await runLoad([side], plan, clock, quiet);
    expect(calls).toHaveLength(40);
    expect(account).toMatchObject({ sent: 40, succeeded: 20, ambiguous: 20 });
  });

  it('gives up when Lambda refuses everything, and says what to do', async () => {
    const clock = virtualClock();
    const { side } = version(
      'orders:7',
      clock,
      () => 1,
      () => 'throttled',
    );
    await expect(runLoad([side], plan, clock, quiet)).rejects.toMatchObject({
      message: expect.stringContaining('Cannot measure orders:7: Lambda throttled'),
      next: expect.stringContaining('Lower `concurrency`'),
    });
  });

  it('ends at the wall cap, and at the duration when one is given', async () => {
    const clock = virtualClock();
    const capped = version('orders:7', clock, () => 100);
    expect(await runLoad([capped.side], { ...plan, invocations: 1e6, maxDurationMs: 1000 }, clock, quiet)).toBe(
      'wall-cap',
    );
    expect(capped.account.sent).toBe(40);
    const timed = version('orders:7', clock, () => 100);
    const byTime = { ...plan, invocations: Number.POSITIVE_INFINITY, durationMs: 2000 };
    expect(await runLoad([timed.side], byTime, clock, quiet)).toBe('complete');
    expect(timed.account.sent).toBe(80);
  });

  it('stops sending when it is interrupted, and awaits what is in flight', async () => {
    const clock = virtualClock();
    const stop = new AbortController();
    const { side, account } = version('orders:7', clock, (index) => {
      if (index === 10) stop.abort();
      return 10;
    });
    const interruption = { stop: stop.signal, abandon: new AbortController().signal };
    expect(await runLoad([side], plan, clock, quiet, interruption)).toBe('interrupted');
    expect(account.sent).toBeLessThan(16);
    assertBalanced(account);
  });
});

describe('runLoad() with two versions', () => {
  it('sends both the same payloads, keeps every worker busy, and lets neither side get far ahead', async () => {
    const clock = virtualClock();
    const base = version('orders:6', clock, () => 10);
    const head = version('orders:7', clock, () => 20);
    let furthest = 0;
    const inFlight = { most: 0, now: 0 };
    const watched: LoadSide = {
      ...head.side,
      invoke: async (payload, marks) => {
        inFlight.most = Math.max(inFlight.most, ++inFlight.now);
        furthest = Math.max(furthest, base.calls.length - head.calls.length);
        const answer = await head.side.invoke(payload, marks);
        inFlight.now--;
        return answer;
      },
    };
    await runLoad([base.side, watched], { ...plan, invocations: 200, concurrency: 4 }, clock, quiet);
    expect(base.calls.map(({ body }) => body)).toEqual(head.calls.map(({ body }) => body));
    expect(inFlight).toEqual({ most: 4, now: 0 });
    expect(furthest).toBeGreaterThan(8);
    expect(furthest).toBeLessThanOrEqual(17); // four calls for each of four workers, and the one that leaves
  });

  it('of an open loop sends each payload to both at the same moment, and lets the seed decide who goes first', async () => {
    const rate = { perSecond: 100, rampMs: 0 };
    const run = async (seed: string) => {
      const clock = virtualClock();
      const base = version('orders:6', clock, () => 10);
      const head = version('orders:7', clock, () => 13);
      const order: string[] = [];
      const noted = (one: typeof base): LoadSide => ({
        ...one.side,
        invoke: (payload, marks) => {
          order.push(one.side.label);
          return one.side.invoke(payload, marks);
        },
      });
      await runLoad(
        [noted(base), noted(head)],
        { ...plan, warmupInvocations: 0, concurrency: 1, rate, seed },
        clock,
        quiet,
      );
      expect(base.calls.map(({ body }) => body)).toEqual(head.calls.map(({ body }) => body));
      expect(base.calls.map(({ sentMs }) => sentMs)).toEqual(head.calls.map(({ sentMs }) => sentMs));
      return order;
    };
    const order = await run('a');
    const first = order.filter((_, i) => i % 2 === 0);
    expect(new Set(first).size).toBe(2);
    expect(await run('a')).toEqual(order);
    expect(await run('b')).not.toEqual(order);
  });

  it('ends both when one of them cannot be measured', async () => {
    const clock = virtualClock();
    const base = version(
      'orders:6',
      clock,
      () => 10,
      () => 'function-error',
    );
    const head = version('orders:7', clock, () => 10);
    await expect(runLoad([base.side, head.side], plan, clock, quiet)).rejects.toThrow(
      'Cannot measure orders:6: every one of its 40 invocations failed',
    );
  });
});

describe('runLoad() as an open loop', () => {
  const rate = { perSecond: 100, rampMs: 0 };

  it('sends by the clock, whatever the answers do', async () => {
    const clock = virtualClock();
    const { side, records, calls } = version('orders:7', clock, () => 15);
    await runLoad([side], { ...plan, invocations: 200, rate }, clock, quiet);
    const lastMs = calls.at(-1)!.sentMs;
    expect(lastMs).toBeGreaterThan(1980);
    expect(lastMs).toBeLessThan(2000);
    expect(records.every(({ lateMs }) => lateMs < 1)).toBe(true);
  });

  it('counts the latency of a call that waited for a slow one from when it was due', async () => {
    const clock = virtualClock();
    // One call in flight at most; the tenth takes a second, and the next hundred are due meanwhile.
    const { side, records, account } = version('orders:7', clock, (index) => (index === 10 ? 1000 : 1));
    await runLoad([side], { ...plan, concurrency: 1, invocations: 200, rate }, clock, quiet);
    const delayed = records.filter(({ receivedMs, scheduledMs }) => receivedMs - scheduledMs > 500);
    expect(delayed.length).toBeGreaterThan(40);
    expect(delayed.every(({ receivedMs, sentMs }) => receivedMs - sentMs < 1001)).toBe(true);
    expect(account.late).toBeGreaterThan(80);
  });

  it('draws the jitter of the schedule from the seed', async () => {
    const run = async (seed: string) => {
      const clock = virtualClock();
      const { side, records } = version('orders:7', clock, () => 1);
      await runLoad([side], { ...plan, rate, seed }, clock, quiet);
      return records.map(({ scheduledMs }) => scheduledMs);
    };
    expect(await run('a')).toEqual(await run('a'));
    expect(await run('a')).not.toEqual(await run('b'));
  });
});
