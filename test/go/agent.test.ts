import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Target } from '../../src/lambda/target.ts';
import type { Measurement } from '../../src/measurement.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { classifyFrame } from '../../src/pprof/frames.ts';
import { weighOwners } from '../../src/pprof/weigh.ts';
import { INSTANCE_LABEL, type Recording } from '../../src/recordings/recording.ts';
import { until } from '../cloud/lambda/deployment.ts';
import { buildGo, GO_FUNCTIONS, goVersion } from './build.ts';
import { type GoCloud, processCpuMs, recordingOf, startGoCloud } from './cloud.ts';

const go = await goVersion();
if (!go) console.warn('Go is not on PATH: the tests of the Go agent are skipped.');
const INVOCATIONS = 120;

const weigh = (recording: Recording, type: 'cpu' | 'heap', column: string) =>
  weighOwners(recording.profiles.get(type)!, column, INSTANCE_LABEL, (frame) => classifyFrame(frame, 'go'));

/** Value of an owner over all groups. */
function valueOfOwner(weights: ReturnType<typeof weighOwners>, key: string): number {
  const owner = weights.owners.findIndex((one) => one.key === key);
  return owner < 0 ? 0 : weights.counts.reduce((sum, counts) => sum + counts[owner]!, 0);
}

const total = (weights: ReturnType<typeof weighOwners>): number =>
  weights.counts.reduce((sum, counts) => sum + counts.reduce((a, b) => a + b, 0), 0) +
  weights.agentValue.reduce((a, b) => a + b, 0);

describe.skipIf(!go)('the Go agent in a function with aws-lambda-go on provided.al2023', () => {
  let cloud: GoCloud;
  let orders: Uint8Array;
  let variants: Uint8Array;

  beforeAll(async () => {
    cloud = await startGoCloud();
    orders = await buildGo(GO_FUNCTIONS.orders);
    variants = await buildGo(GO_FUNCTIONS.variants);
  }, 600_000);
  afterAll(() => cloud?.close());

  describe('a run of the gate', () => {
    const TYPES = ['cpu', 'heap', 'allocs', 'goroutine', 'threadcreate', 'block', 'mutex'] as const;
    let target: Target;
    let measured: Measurement;
    let recording: Recording;

    beforeAll(async () => {
      target = await cloud.deploy('orders', orders, { LAMBDA_PROFILE_TYPES: TYPES.join(',') });
      measured = await cloud.measure(target, { invocations: INVOCATIONS, warmupInvocations: 0, types: [...TYPES] });
      recording = recordingOf(target, measured);
    });

    it('publishes every type, counters at the start and at the end of the run', () => {
      const files = measured.snapshots.map(({ type, slot, window }) => `${type} ${slot} ${window?.kind}`);
      expect(files.sort()).toEqual([
        'allocs 0 cumulative',
        'allocs 1 cumulative',
        'block 0 cumulative',
        'block 1 cumulative',
        'cpu 1 delta',
        'goroutine 1 delta',
        'heap 0 cumulative',
        'heap 1 cumulative',
        'mutex 0 cumulative',
        'mutex 1 cumulative',
        'threadcreate 1 delta',
      ]);
      expect(measured.skipped).toEqual([]);
    });

    it('accounts for every invocation', () => {
      const { load, instances, fingerprint } = recording.manifest;
      expect(load).toMatchObject({ sent: INVOCATIONS, succeeded: INVOCATIONS, coverage: 1 });
      expect(instances).toMatchObject([{ invocations: INVOCATIONS, errors: 0 }]);
      expect(fingerprint).toMatchObject({
        language: expect.stringMatching(/^go \d+\.\d+/),
        agent: expect.stringMatching(/^lambda-profile-go\//),
        engine: 'runtime/pprof',
        intervalUs: 10_000,
        runtime: 'provided.al2023',
        flags: ['memprofilerate=524288', 'blockprofilerate=10000', 'mutexprofilefraction=10'],
      });
    });

    it('names the functions of the order service, and charges nobody for the agent', () => {
      const weights = weigh(recording, 'cpu', 'cpu');
      const all = total(weights);
      const own = weights.owners.filter(({ kind }) => kind === 'own').map(({ key }) => key);
      expect(own).toEqual(expect.arrayContaining(['main.BestDiscount', 'main.PackParcels', 'main.SealInvoice']));
      expect(valueOfOwner(weights, 'main.BestDiscount') / all).toBeGreaterThan(0.04);
      expect(weights.owners.filter(({ key }) => /agents\/go|profileWriter/.test(key) && key !== '')).toEqual([]);
      expect(weights.agentValue.reduce((a, b) => a + b, 0) / all).toBeLessThan(0.1);
    });

    it('reports what the handler allocates: the profile and the counter of the process agree', () => {
      const weights = weigh(recording, 'heap', 'alloc_space');
      const { allocatedBytes } = recording.manifest.instances[0]!;
      expect(total(weights) / allocatedBytes!).toBeGreaterThan(0.8);
      expect(total(weights) / allocatedBytes!).toBeLessThan(1.25);
      expect(valueOfOwner(weights, 'main.PrintInvoice')).toBeGreaterThan(0);
    });
  });

  it('captures the CPU of the process, although it is frozen between invocations', async () => {
    const target = await cloud.deploy('frozen', variants);
    const invoke = cloud.invokeOf(target);
    const event = new TextEncoder().encode('{"units":15}');
    const marks = { run: 'r', commit: 'c' };
    await invoke(event, { op: 'warmup', ...marks });
    const { pid } = cloud.cloud.lambda.instances().find(({ functionName }) => functionName === 'frozen')!;
    const before = processCpuMs(pid);
    for (let i = 0; i < 40; i++) await invoke(event, { op: 'invoke', ...marks });
    const processMs = processCpuMs(pid) - before;
    const { payload } = await invoke(event, { op: 'flush', ...marks });
    const { cpuMs, published } = JSON.parse(new TextDecoder().decode(payload))['lambda-profile'];
    const profile = decodeProfile(cloud.cloud.s3.objects('octo-profiles', published[0].key)[0]!.body);
    const weights = weighOwners(profile, 'cpu', '', (frame) => classifyFrame(frame, 'go'));
    const capturedMs = total(weights) / 1e6;
    expect(capturedMs / cpuMs).toBeGreaterThan(0.88);
    expect(capturedMs / cpuMs).toBeLessThan(1.12);
    // Between invocations the runtime's monitor thread works, which no CPU profile of Go sees.
    expect(capturedMs / processMs).toBeGreaterThan(0.8);
    expect(capturedMs / processMs).toBeLessThan(1.1);
    const shares = ['main.priceItems', 'main.checkStock', 'main.writeAudit'].map((name) => valueOfOwner(weights, name));
    const work = shares.reduce((a, b) => a + b, 0);
    // More than three standard errors of some 150 samples.
    expect(Math.abs(shares[0]! / work - 0.6)).toBeLessThan(0.15);
    expect(Math.abs(shares[1]! / work - 0.3)).toBeLessThan(0.15);
  });

  it('answers a flush although the handler takes other events, and an ordinary call as ever', async () => {
    const target = await cloud.deploy('raw', variants, { VARIANT: 'raw' });
    const invoke = cloud.invokeOf(target);
    const event = new TextEncoder().encode('"as it is"');
    const { payload } = await invoke(event, { op: 'invoke', run: 'r', commit: 'c' });
    expect(new TextDecoder().decode(payload)).toBe('"as it is"');
    const flushed = JSON.parse(
      new TextDecoder().decode((await invoke(event, { op: 'flush', run: 'r', commit: 'c', holdMs: 20 })).payload),
    );
    expect(flushed['lambda-profile']).toMatchObject({ v: 1, run: 'r', invocations: 1, errors: 0, failures: [] });
    const [{ key, type }] = flushed['lambda-profile'].published;
    expect(key).toBe(`sparta/pprof/raw/profiles/${type}/0-cpu.${flushed['lambda-profile'].instance}.profile`);
    const object = cloud.cloud.s3.objects('octo-profiles', key)[0]!;
    expect(object.metadata).toMatchObject({
      'lambda-profile-run': 'r',
      'lambda-profile-function': 'raw',
      'lambda-profile-version': '1',
      'lambda-profile-sequence': '0',
      'lambda-profile-reason': 'flush',
    });
    expect(decodeProfile(object.body).sampleTypes.map(({ type }) => type)).toEqual(['samples', 'cpu']);
  });

  it('lets a streaming handler stream, and fail midway', async () => {
    const invoke = cloud.invokeOf(await cloud.deploy('stream', variants, { VARIANT: 'stream' }));
    const call = async (event: object) => {
      const { invocation, payload } = await invoke(new TextEncoder().encode(JSON.stringify(event)), {
        op: 'invoke',
        run: 'r',
        commit: 'c',
      });
      return { status: invocation.status, text: new TextDecoder().decode(payload) };
    };
    expect(await call({ units: 3 })).toEqual({ status: 'succeeded', text: 'part 0;part 1;part 2;' });
    expect(await call({ units: 2, fail: true })).toMatchObject({ status: 'function-error' });
    const flushed = await invoke(new TextEncoder().encode('{}'), { op: 'flush', run: 'r', commit: 'c' });
    expect(JSON.parse(new TextDecoder().decode(flushed.payload))['lambda-profile']).toMatchObject({
      invocations: 2,
      errors: 1,
    });
  });

  it('lets WithEnableSIGTERM register and be told', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sigterm-'));
    const file = join(directory, 'told');
    const own = await startGoCloud();
    try {
      const target = await own.deploy('sigterm', variants, { VARIANT: 'sigterm', SIGTERM_FILE: file });
      const { invocation } = await own.invokeOf(target)(new TextEncoder().encode('{"units":1}'), {
        op: 'invoke',
        run: 'r',
        commit: 'c',
      });
      expect(invocation.status).toBe('succeeded');
      await own.close();
      await until('the function has been told', () => existsSync(file));
      expect(readFileSync(file, 'utf8')).toBe('terminated');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('counts failed invocations, and stays off without a bucket', async () => {
    const target = await cloud.deploy('failing', variants, { LAMBDA_PROFILE_TYPES: 'cpu' });
    const invoke = cloud.invokeOf(target);
    const send = (event: object, op: 'invoke' | 'flush') =>
      invoke(new TextEncoder().encode(JSON.stringify(event)), { op, run: 'r', commit: 'c' });
    expect((await send({ fail: true }, 'invoke')).invocation.status).toBe('function-error');
    await send({ units: 1 }, 'invoke');
    const reply = JSON.parse(new TextDecoder().decode((await send({}, 'flush')).payload))['lambda-profile'];
    expect(reply).toMatchObject({ invocations: 2, errors: 1 });

    const off = cloud.invokeOf(await cloud.deploy('off', variants, { LAMBDA_PROFILE_BUCKET: '' }));
    const { payload } = await off(new TextEncoder().encode('{"units":1}'), { op: 'flush', run: 'r', commit: 'c' });
    expect(JSON.parse(new TextDecoder().decode(payload))).toHaveProperty('cpuMs');
  });
});
