import { describe, expect, it } from 'vitest';
import { bringUpInstances } from '../../src/lambda/instances.ts';
import type { Invocation } from '../../src/lambda/invoke.ts';
import type { LoadSide } from '../../src/lambda/load.ts';

/** A pool as Lambda keeps one: a warm instance when there is one, the last used first, otherwise a new one. */
function pool(options: { agent: boolean; warm?: string[]; most?: number; shares?: boolean }) {
  const idle = [...(options.warm ?? [])];
  const bursts: number[] = [];
  let started = idle.length;
  let inFlight = 0;
  const side: LoadSide = {
    label: 'orders:7',
    run: 'r',
    commit: 'c',
    sent: () => {},
    record: () => {},
    async invoke(_, { op }) {
      if (inFlight === 0) bursts.push(0);
      bursts[bursts.length - 1]!++;
      const times = { scheduledMs: 0, lateMs: 0, sentMs: 0, receivedMs: 1, attempts: 1 };
      if (inFlight >= (options.most ?? Number.POSITIVE_INFINITY))
        return { invocation: { op, ...times, status: 'throttled' }, payload: new Uint8Array() };
      inFlight++;
      const known = idle.pop();
      const id = known ?? `i-${++started}`;
      const cold = known === undefined ? { initDurationMs: 100 } : {};
      await new Promise((resolve) => setImmediate(resolve));
      inFlight--;
      idle.push(id);
      const report = {
        requestId: 'r',
        durationMs: 1,
        billedDurationMs: 101,
        memorySizeMb: 512,
        maxMemoryUsedMb: 60,
        status: 'success' as const,
        ...cold,
      };
      const invocation: Invocation = { op, ...times, status: 'succeeded', report };
      const reply = { v: 1, instance: id, run: 'r', invocations: 0, published: [] };
      const answer = options.agent ? { 'lambda-profile': reply } : { ok: true };
      return { invocation, payload: new TextEncoder().encode(JSON.stringify(answer)) };
    },
  };
  return { side, bursts };
}
const event = new TextEncoder().encode('{}');

describe('bringUpInstances()', () => {
  it('brings up as many as wanted in one burst, and knows them by name', async () => {
    const { side, bursts } = pool({ agent: true });
    const { ids, started } = await bringUpInstances(side, 6, event);
    expect(ids.size).toBe(6);
    expect(started).toBe(6);
    expect(bursts).toEqual([6]);
  });

  it('keeps those to exclude busy with a larger burst until enough others are up', async () => {
    const warm = ['old-1', 'old-2', 'old-3', 'old-4'];
    const { side, bursts } = pool({ agent: true, warm });
    const { ids } = await bringUpInstances(side, 4, event, new Set(warm));
    expect([...ids].filter((id) => !warm.includes(id))).toHaveLength(4);
    expect(bursts).toEqual([4, 8]);
  });

  it('does not bring up more than wanted when those to exclude are gone', async () => {
    const { side, bursts } = pool({ agent: true });
    const { ids } = await bringUpInstances(side, 4, event, new Set(['old-1', 'old-2']));
    expect(ids.size).toBe(4);
    expect(bursts).toEqual([4]);
  });

  it('counts inits when nobody says who answered', async () => {
    const { side } = pool({ agent: false });
    expect(await bringUpInstances(side, 5, event)).toMatchObject({ ids: new Set(), started: 5, throttled: 0 });
  });

  it('tries once more what Lambda refused, then stops, and says how many calls it refused', async () => {
    const { side, bursts } = pool({ agent: true, most: 3 });
    const { ids, throttled } = await bringUpInstances(side, 5, event);
    expect(ids.size).toBe(3);
    expect(throttled).toBe(4);
    expect(bursts).toEqual([5, 5]);
  });
});
