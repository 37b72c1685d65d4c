import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { awaitSnapshots, type CollectPlan, collectSnapshots, listSnapshots } from '../../src/snapshots/collect.ts';
import { PROFILE_TYPES } from '../../src/snapshots/layout.ts';
import { type S3Options, type S3Server, startS3 } from '../cloud/s3/server.ts';
import { CPU, LEGACY_EMPTY, snapshotBody, windowOf } from './fixtures.ts';

const BUCKET = 'octo-profiles';
const source = { bucket: BUCKET, prefix: 'sparta/pprof', stack: 'shop', types: [...PROFILE_TYPES] };
const plan: CollectPlan = { source, before: [], run: 'run-1', functionName: 'orders' };
const key = (type: string, slot: number, instance: string): string =>
  `sparta/pprof/shop/profiles/${type}/${slot}-${type}.${instance}.profile`;
const cpuOf = (nanos: number, comment?: object): Uint8Array =>
  snapshotBody({ columns: CPU, samples: { 'main.handle': [1, nanos] }, ...(comment && { comment }) });

let server: S3Server;
let s3: S3Client;
afterEach(async () => {
  s3.destroy();
  await server.close();
});

async function start(intercept?: S3Options['intercept']): Promise<void> {
  const account = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  server = await startS3({ accounts: [account], ...(intercept && { intercept }) });
  server.createBucket(BUCKET);
  s3 = new S3Client({ region: 'eu-west-1', endpoint: server.url, credentials: account, forcePathStyle: true });
}

/** A clock that only goes on when somebody sleeps. */
function steppedClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
}

describe('collectSnapshots()', () => {
  it('takes what agents published in this run for this function, and nothing else', async () => {
    await start();
    server.put(BUCKET, key('cpu', 0, 'a1'), cpuOf(1, windowOf()));
    server.put(BUCKET, key('cpu', 0, 'a2'), cpuOf(2, windowOf({ run: 'run-2' })));
    server.put(BUCKET, key('cpu', 0, 'a3'), cpuOf(3, windowOf({ function: 'billing' })));
    server.put(BUCKET, key('cpu', 0, 'a4'), cpuOf(4, windowOf({ run: null, commit: null, reason: 'count' })));
    server.put(BUCKET, key('cpu', 0, 'λ-1'), cpuOf(5));
    const { snapshots, skipped } = await collectSnapshots(s3, plan);
    expect(snapshots.map(({ instance }) => instance)).toEqual(['a1']);
    expect(skipped).toEqual([]);
  });

  it('reads a slot again that was overwritten between listing and reading', async () => {
    let overwrites = 1;
    await start((_request, _response, operation) => {
      if (operation === 'GetObject' && overwrites-- > 0)
        server.put(BUCKET, key('cpu', 0, 'a1'), cpuOf(2, windowOf({ sequence: 3 })));
      return false;
    });
    server.put(BUCKET, key('cpu', 0, 'a1'), cpuOf(1, windowOf()));
    const { snapshots, skipped } = await collectSnapshots(s3, plan);
    expect(snapshots.map(({ window }) => window?.sequence)).toEqual([3]);
    expect(skipped).toEqual([]);
    expect(server.requests.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      'ListObjectsV2 200',
      'GetObject 412',
      'ListObjectsV2 200',
      'GetObject 200',
    ]);
  });

  it('reads the others once, and names a slot that is overwritten each time', async () => {
    let sequence = 1;
    await start((request, _response, operation) => {
      if (operation === 'GetObject' && request.url!.includes('a1'))
        server.put(BUCKET, key('cpu', 0, 'a1'), cpuOf(sequence, windowOf({ sequence: sequence++ })));
      return false;
    });
    server.put(BUCKET, key('cpu', 0, 'a1'), cpuOf(0, windowOf()));
    server.put(BUCKET, key('cpu', 0, 'a2'), cpuOf(9, windowOf({ instance: 'a2' })));
    const { snapshots, skipped } = await collectSnapshots(s3, plan);
    expect(snapshots.map(({ instance }) => instance)).toEqual(['a2']);
    expect(skipped).toMatchObject([{ key: key('cpu', 0, 'a1'), reason: 'it was overwritten each time it was read' }]);
    expect(server.requests.filter((request) => request.key.includes('a2'))).toHaveLength(1);
  });

  it('names what cannot be read', async () => {
    await start();
    server.put(BUCKET, key('cpu', 0, 'a1'), '');
    server.put(BUCKET, key('cpu', 1, 'a1'), 'not a profile');
    const { skipped } = await collectSnapshots(s3, plan);
    expect(skipped.map(({ reason }) => reason)).toEqual(['it is empty', expect.stringContaining('Cannot read')]);
  });
});

describe('awaitSnapshots()', () => {
  const waiting = { ...plan, instances: 2, timeoutMs: 30_000 };

  it("collects Sparta's layout: both forms of instances, no comment, no metadata, contention profiles as text", async () => {
    await start();
    server.put(BUCKET, key('cpu', 2, 'i-1'), cpuOf(7));
    const before = await listSnapshots(s3, source);
    for (const instance of ['λ-3838737145763622974', 'i-4393356875384022538']) {
      server.put(BUCKET, key('cpu', 0, instance), cpuOf(1));
      server.put(BUCKET, key('block', 0, instance), LEGACY_EMPTY);
      server.put(BUCKET, key('mutex', 0, instance), LEGACY_EMPTY);
    }
    const found = await awaitSnapshots(s3, { ...waiting, before }, async () => {}, steppedClock());
    expect(found.skipped).toEqual([]);
    expect(found.snapshots.map(({ type, instance }) => `${type} ${instance}`)).toEqual([
      'block i-4393356875384022538',
      'block λ-3838737145763622974',
      'cpu i-4393356875384022538',
      'cpu λ-3838737145763622974',
      'mutex i-4393356875384022538',
      'mutex λ-3838737145763622974',
    ]);
    const empty = found.snapshots[0]!;
    expect(empty.bytes).toBe(41);
    expect(empty.profile.sampleTypes.map(({ type }) => type)).toEqual(['contentions', 'delay']);
    expect(found.warnings).toEqual([expect.stringContaining('do not say how many invocations')]);
  });

  it('keeps instances busy until each has published all that they publish', async () => {
    await start();
    const uploads: [string, string][] = [
      ['cpu', 'λ-1'],
      ['heap', 'λ-1'],
      ['cpu', 'λ-2'],
      ['heap', 'λ-2'],
    ];
    let pulses = 0;
    const pulse = async (): Promise<void> => {
      pulses++;
      const [type, instance] = uploads.shift() ?? [];
      if (type) server.put(BUCKET, key(type, 0, instance!), cpuOf(pulses));
    };
    const { snapshots } = await awaitSnapshots(s3, waiting, pulse, steppedClock());
    expect(snapshots).toHaveLength(4);
    expect(pulses).toBe(5);
  });

  it('ends with its time, and says which part of the instances it has', async () => {
    await start();
    server.put(BUCKET, key('cpu', 0, 'λ-1'), cpuOf(1));
    const clock = steppedClock();
    const { snapshots, warnings } = await awaitSnapshots(s3, waiting, async () => {}, clock);
    expect(clock.monotonicMs()).toBe(30_000);
    expect(snapshots).toHaveLength(1);
    expect(warnings[0]).toBe(
      'Only 1 of 2 instances published within 30 s; the profiles are of these. Raise wait-timeout.',
    );
  });

  it('takes windows that name the function and no run', async () => {
    await start();
    server.put(BUCKET, key('cpu', 0, 'a1'), cpuOf(1, windowOf({ run: null })));
    server.put(BUCKET, key('cpu', 0, 'a2'), cpuOf(1, windowOf({ run: 'run-0', instance: 'a2' })));
    const { snapshots } = await awaitSnapshots(s3, waiting, async () => {}, steppedClock());
    expect(snapshots.map(({ instance }) => instance)).toEqual(['a1']);
  });

  it('tells two versions apart that are measured at once without a run', async () => {
    await start();
    for (const functionVersion of ['1', '2'])
      server.put(BUCKET, key('cpu', 0, `a${functionVersion}`), cpuOf(1, windowOf({ run: null, functionVersion })));
    const found = await awaitSnapshots(s3, { ...waiting, functionVersion: '2' }, async () => {}, steppedClock());
    expect(found.snapshots.map(({ instance }) => instance)).toEqual(['a2']);
  });

  it('deletes nothing, and writes nothing', async () => {
    await start();
    server.put(BUCKET, key('cpu', 0, 'λ-1'), cpuOf(1));
    await awaitSnapshots(s3, waiting, async () => {}, steppedClock());
    expect(new Set(server.requests.map(({ operation }) => operation))).toEqual(new Set(['ListObjectsV2', 'GetObject']));
  });
});
