import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { countRan } from '../src/lambda/account.ts';
import { createInvoke } from '../src/lambda/invoke.ts';
import { parsePayloads } from '../src/lambda/payloads.ts';
import { resolveTarget } from '../src/lambda/target.ts';
import { type MeasuredVersion, type MeasurementPlan, measure, measureInterleaved } from '../src/measurement.ts';
import { createRecording } from '../src/recordings/recording.ts';
import { BUCKET, type Scenario, sampleFunction, startScenario } from './action/scenario.ts';

// Real versions on real instances: what one measurement brought up, the next must be able to do without.

let scenario: Scenario;
let lambda: LambdaClient;
let s3: S3Client;
const versions: string[] = [];

beforeAll(async () => {
  scenario = await startScenario();
  versions.push(await scenario.deploy('orders', sampleFunction()));
  versions.push(await scenario.deploy('orders', sampleFunction(true)));
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = scenario.cloud.jobEnvironment;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! };
  lambda = new LambdaClient({ region: AWS_REGION!, endpoint: scenario.cloud.lambda.url, credentials, maxAttempts: 1 });
  s3 = new S3Client({ region: AWS_REGION!, endpoint: scenario.cloud.s3.url, credentials, forcePathStyle: true });
});
afterAll(async () => {
  lambda.destroy();
  s3.destroy();
  await scenario.close();
});

async function version(number: string, exclude?: ReadonlySet<string>): Promise<MeasuredVersion> {
  const reference = { name: 'orders', qualifier: number };
  const target = await resolveTarget(lambda, reference, 'eu-west-1', systemClock, 60_000);
  return {
    target,
    invoke: createInvoke(lambda, target, systemClock),
    source: { bucket: BUCKET, prefix: 'sparta/pprof', stack: 'orders', types: ['cpu'] },
    commit: number.padStart(40, '0'),
    ...(exclude && { exclude }),
  };
}

const quiet = { step: () => {}, load: () => {} };
const plan = (run: string, more: Partial<MeasurementPlan> = {}): MeasurementPlan => ({
  payloads: parsePayloads([{ name: 'a test', text: '{}' }], Math.random),
  invocations: 24,
  warmupInvocations: 6,
  concurrency: 3,
  seed: 's',
  maxDurationMs: 60_000,
  waitTimeoutMs: 2_000,
  run,
  ...more,
});

describe('measureInterleaved()', () => {
  it('measures both versions apart, and a second time on fresh instances of both', async () => {
    const first = await measureInterleaved(
      await version(versions[0]!),
      await version(versions[1]!),
      plan('i1'),
      s3,
      systemClock,
      quiet,
    );
    for (const [side, number] of [
      [first.base, versions[0]],
      [first.head, versions[1]],
    ] as const) {
      expect(side.account).toMatchObject({ sent: 24, succeeded: 24 });
      expect(side.instances.size).toBeGreaterThanOrEqual(3);
      expect(new Set(side.snapshots.map(({ window }) => window?.functionVersion))).toEqual(new Set([number]));
      expect(side.snapshots.reduce((sum, { window }) => sum + window!.invocations.n, 0)).toBe(24);
      expect([...side.maxMemoryMb.values()].every((megabytes) => megabytes > 0)).toBe(true);
      // Every report found its instance: billed time of the instances is that of the side.
      const billed = [...new Set(side.snapshots.map(({ window }) => window!))].map(({ instance, invocations }) => {
        const { billedMeanMs, initMs } = side.instanceReports.get(instance)!;
        expect(initMs).toBeGreaterThan(0);
        return (billedMeanMs ?? 0) * invocations.n;
      });
      const total = billed.reduce((sum, ms) => sum + ms, 0);
      if (side.account.coldInvocations === 0) expect(total).toBeCloseTo(side.account.billedMs.sumMicros / 1e6, 6);
    }

    const second = await measureInterleaved(
      await version(versions[0]!, first.base.instances),
      await version(versions[1]!, first.head.instances),
      plan('i2'),
      s3,
      systemClock,
      quiet,
    );
    for (const [side, before] of [
      [second.base, first.base],
      [second.head, first.head],
    ] as const) {
      const ids = new Set(side.snapshots.map(({ window }) => window!.instance));
      expect(ids.size).toBeGreaterThanOrEqual(3);
      expect([...ids].filter((id) => before.instances.has(id))).toEqual([]);
      // Excluded instances take their share of the calls: with them, everything that ran is accounted for.
      const counted = side.snapshots.reduce((sum, { window }) => sum + window!.invocations.n, 0);
      expect(counted + side.excludedInvocations).toBe(countRan(side.account));
      expect(countRan(side.account)).toBeGreaterThan(24);
    }
  });
});

describe('measure()', () => {
  it('goes on until enough CPU was sampled, and says when that is out of reach', async () => {
    const head = await version(versions[1]!);
    const { account, snapshots, warnings } = await measure(
      head,
      plan('cpu', { minCpuMs: 300 }),
      s3,
      systemClock,
      quiet,
    );
    expect(countRan(account)).toBeGreaterThan(24);
    expect(snapshots.reduce((sum, { window }) => sum + window!.time.cpuMs, 0)).toBeGreaterThan(300);
    expect(warnings.filter((warning) => warning.includes('min-cpu-seconds'))).toEqual([]);
    const short = await measure(
      head,
      plan('cap', { minCpuMs: 1e9, maxDurationMs: 3_000, invocations: 1e6 }),
      s3,
      systemClock,
      quiet,
    );
    expect(short.warnings.join()).toContain('less than min-cpu-seconds (1000000)');
    expect(short.warnings.join()).toContain('were sent within max-duration (3 s)');
  });

  it('keeps what was measured when the job is cancelled', async () => {
    const stop = new AbortController();
    const interruption = { stop: stop.signal, abandon: new AbortController().signal };
    const progress = {
      step: () => {},
      load: ({ op, done }: { op: string; done: number }) => {
        if (op === 'invoke' && done >= 12) stop.abort();
      },
    };
    const result = await measure(
      await version(versions[1]!),
      plan('stop', { invocations: 10_000 }),
      s3,
      systemClock,
      progress,
      interruption,
    );
    expect(result.interrupted).toBe(true);
    expect(countRan(result.account)).toBeLessThan(30);
    expect(result.snapshots.reduce((sum, { window }) => sum + window!.invocations.n, 0)).toBe(countRan(result.account));
    expect(result.warnings.join()).toContain('The job was cancelled after');
  });

  it('shares a run with other shards: what each collected adds up to what all of them sent', async () => {
    // Nobody flushes before both have sent what they had to send.
    const sent = Promise.withResolvers<void>();
    let sending = 2;
    const leave = (): Promise<void> => {
      if (--sending === 0) sent.resolve();
      return sent.promise;
    };
    const shared = plan('shards', { shards: 2, barrier: { enter: async () => {}, leave } });
    const head = await version(versions[1]!);
    const parts = await Promise.all([1, 2].map(() => measure(head, shared, s3, systemClock, quiet)));
    const keys = parts.map(({ snapshots }) => snapshots.map(({ key, etag }) => `${key} ${etag}`));
    expect(keys[0]!.filter((key) => keys[1]!.includes(key))).toEqual([]);
    const recordings = parts.map((part) =>
      createRecording({
        tool: 't',
        target: head.target,
        key: '',
        commit: head.commit,
        run: 'shards',
        measuredAt: '2026-11-20T12:00:00Z',
        ...part,
      }),
    );
    const counted = recordings.flatMap(({ manifest }) => manifest.instances.map(({ invocations }) => invocations));
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe(48);
  });
});
