import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addInvocation, countSent, createAccount } from '../../src/lambda/account.ts';
import type { Invocation } from '../../src/lambda/invoke.ts';
import { loadOf, reportsOf } from '../../src/recordings/load-account.ts';
import type { Manifest, Recording } from '../../src/recordings/recording.ts';
import { mergeRecordings } from '../../src/recordings/shards.ts';

const fingerprint: Manifest['fingerprint'] = {
  memoryMb: 512,
  architecture: 'arm64',
  runtime: 'nodejs24.x',
  region: 'eu-west-1',
  language: 'node v24',
  agent: 'node 0.1.0',
  engine: 'pprof',
  intervalUs: 10_000,
  flags: [],
};

/** A shard that sent a call for each duration; its instances counted as many, one after the other. */
function shard(instances: string[], durationsMs: number[], change: Partial<Manifest> = {}): Recording {
  const account = createAccount();
  for (const durationMs of durationsMs) {
    const call: Invocation = {
      op: 'invoke',
      scheduledMs: 0,
      lateMs: 0,
      sentMs: 0,
      receivedMs: durationMs + 2,
      attempts: 1,
      status: 'succeeded',
      report: {
        requestId: 'r',
        durationMs,
        billedDurationMs: Math.ceil(durationMs),
        memorySizeMb: 512,
        maxMemoryUsedMb: 70,
        status: 'success',
      },
    };
    countSent(account, 'invoke');
    addInvocation(account, call);
  }
  return {
    manifest: {
      schemaVersion: 1,
      tool: 't',
      functionName: 'orders',
      key: '',
      commit: 'c'.repeat(40),
      run: 'r',
      measuredAt: '2026-11-20T12:00:00.000Z',
      functionVersion: '7',
      codeSha256: 'abc=',
      fingerprint,
      profiles: [],
      instances: instances.map((id) => ({
        id,
        windows: 1,
        invocations: 10,
        errors: 0,
        cold: 0,
        cpuMs: 12.345,
        activeMs: 20.001,
        durationP50Ms: 2,
        durationP90Ms: 3,
        allocatedBytes: 1000,
        maxMemoryMb: 70,
      })),
      load: loadOf(account, durationsMs.length),
      reports: reportsOf(account),
      verdict: '',
      ...change,
    },
    profiles: new Map(),
  };
}

const shards = fc
  .record({
    ids: fc.uniqueArray(fc.constantFrom('i-1', 'i-2', 'i-3', 'i-4'), { minLength: 1 }),
    durations: fc.array(
      fc.integer({ min: 1, max: 100_000 }).map((value) => value / 100),
      { minLength: 1, maxLength: 40 },
    ),
  })
  .map(({ ids, durations }) => shard(ids, durations));

describe('mergeRecordings()', () => {
  it('adds up what the shards sent, and the windows of an instance that two of them met', () => {
    const { manifest } = mergeRecordings(shard(['i-1', 'i-2'], [1, 2, 3]), shard(['i-2', 'i-3'], [4, 5]));
    expect(manifest.load).toMatchObject({ sent: 5, succeeded: 5, coverage: 1 });
    expect(manifest.reports).toMatchObject({ count: 5, billedMeanMs: 3 });
    expect(manifest.reports.durationP50Ms).toBeCloseTo(3, 2);
    expect(manifest.instances.map(({ id, invocations, cpuMs }) => [id, invocations, cpuMs])).toEqual([
      ['i-1', 10, 12.345],
      ['i-2', 20, 24.69],
      ['i-3', 10, 12.345],
    ]);
  });

  it('gives the same recording in whatever order and groups shards are merged', () => {
    fc.assert(
      fc.property(shards, shards, shards, (a, b, c) => {
        const left = mergeRecordings(mergeRecordings(a, b), c).manifest;
        expect(mergeRecordings(a, mergeRecordings(b, c)).manifest).toEqual(left);
        expect(mergeRecordings(mergeRecordings(c, a), b).manifest).toEqual(left);
      }),
    );
  });

  it('takes a shard without a window of its own: another flushed its instances', () => {
    const empty = shard([], [1, 2], { fingerprint: { ...fingerprint, agent: '', language: '' } });
    const full = shard(['i-1'], [3]);
    for (const merged of [mergeRecordings(empty, full), mergeRecordings(full, empty)])
      expect(merged.manifest).toMatchObject({ fingerprint, load: { sent: 3 }, instances: [{ id: 'i-1' }] });
  });

  it('refuses shards of different versions or environments, and names what differs', () => {
    expect(() => mergeRecordings(shard(['i-1'], [1]), shard(['i-2'], [1], { functionVersion: '8' }))).toThrow(
      'Cannot merge the shards of orders at ccccccc: they measured different things (version 7 and 8).',
    );
    const larger = { fingerprint: { ...fingerprint, memoryMb: 1024 } };
    expect(() => mergeRecordings(shard(['i-1'], [1]), shard(['i-2'], [1], larger))).toThrow(
      'memory size 512 MB and 1024 MB',
    );
  });
});
