import { describe, expect, it } from 'vitest';
import { parseMark } from '../src/protocol.ts';
import { readSettings, type Settings } from '../src/settings.ts';
import { snapshotKey } from '../src/snapshot.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const BUCKET = { LAMBDA_PROFILE_BUCKET: 'profiles' };
const read = (env: Record<string, string>) => readSettings(env, NOW, () => 'random');
const settings = (env: Record<string, string> = {}): Settings => {
  const result = read({ ...BUCKET, ...env });
  if (!result.on) throw new Error(`off: ${result.notice}`);
  return result.settings;
};

describe('readSettings()', () => {
  it('needs no more than a bucket', () => {
    expect(settings({ AWS_LAMBDA_FUNCTION_NAME: 'orders', AWS_REGION: 'eu-west-1' })).toMatchObject({
      bucket: 'profiles',
      stack: 'orders',
      prefix: 'sparta/pprof',
      types: new Set(['cpu']),
      intervalUs: 1000,
      heapIntervalBytes: 65_536,
      mode: 'always',
      maxInvocations: 50,
      untilMs: Number.POSITIVE_INFINITY,
      instance: 'random',
      s3: { region: 'eu-west-1', endpoint: null },
    });
  });

  it("takes Sparta's variables where there are no own ones", () => {
    const sparta = { SPARTA_PROFILE_BUCKET_NAME: 'archive', SPARTA_STACK_NAME: 'MyStack' };
    expect(read(sparta)).toMatchObject({ on: true, settings: { bucket: 'archive', stack: 'MyStack' } });
    expect(settings({ ...sparta, LAMBDA_PROFILE_STACK: 'own' })).toMatchObject({ bucket: 'profiles', stack: 'own' });
  });

  it('takes the instance from the log stream, so that a snapshot leads to its logs', () => {
    const id = '0123456789abcdef0123456789abcdef';
    expect(settings({ AWS_LAMBDA_LOG_STREAM_NAME: `2026/11/20/[$LATEST]${id}` }).instance).toBe(id);
    expect(settings({ AWS_LAMBDA_LOG_STREAM_NAME: 'local' }).instance).toBe('random');
  });

  it("prefers the SDK's S3 endpoint to the one for all services", () => {
    const all = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1/' };
    expect(settings(all).s3.endpoint).toBe('http://127.0.0.1:1');
    expect(settings({ ...all, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:2' }).s3.endpoint).toBe('http://127.0.0.1:2');
  });

  it.each([
    {},
    { LAMBDA_PROFILE_DISABLE: '1', ...BUCKET },
    { LAMBDA_PROFILE_UNTIL: '2026-11-20T11:59:59Z', ...BUCKET },
  ])('is off without a word: %o', (env) => {
    expect(read(env)).toEqual({ on: false, notice: null });
  });

  it.each([
    [{ AWS_LAMBDA_MAX_CONCURRENCY: '10' }, 'Managed Instance'],
    [{ DD_PROFILING_ENABLED: 'true' }, 'DD_PROFILING_ENABLED'],
    [{ LAMBDA_PROFILE_BUCKET: 'Not_A_Bucket' }, "'Not_A_Bucket'"],
    [{ LAMBDA_PROFILE_UNTIL: 'tomorrow' }, "'tomorrow'"],
    [{ LAMBDA_PROFILE_TYPES: 'cpu,wall' }, "'wall'"],
    [{ LAMBDA_PROFILE_MODE: 'sometimes' }, "'sometimes'"],
    [{ LAMBDA_PROFILE_INTERVAL_US: '10' }, 'LAMBDA_PROFILE_INTERVAL_US'],
    [{ LAMBDA_PROFILE_HEAP_INTERVAL_BYTES: '1e99' }, 'LAMBDA_PROFILE_HEAP_INTERVAL_BYTES'],
    [{ LAMBDA_PROFILE_MAX_INVOCATIONS: '-1' }, 'LAMBDA_PROFILE_MAX_INVOCATIONS'],
    [{ LAMBDA_PROFILE_PREFIX: 'a?b' }, "'a?b'"],
    [{ AWS_ENDPOINT_URL_S3: 'ftp://example.com' }, 'AWS_ENDPOINT_URL_S3'],
  ])('is off and says which setting is why: %o', (env, says) => {
    const result = read({ ...BUCKET, ...(env as unknown as Record<string, string>) });
    expect(result).toMatchObject({ on: false });
    expect(result.on ? '' : result.notice).toContain(says);
  });

  it('does not mind a Datadog profiler that is switched off', () => {
    expect(read({ ...BUCKET, DD_PROFILING_ENABLED: 'false' }).on).toBe(true);
  });
});

describe('snapshotKey()', () => {
  it.each([
    ['orders', 0, 'sparta/pprof/orders/profiles/cpu/0-cpu.random.profile'],
    ['orders', 4, 'sparta/pprof/orders/profiles/cpu/1-cpu.random.profile'],
    ['../../other', 2, 'sparta/pprof/..-..-other/profiles/cpu/2-cpu.random.profile'],
    ['..', 0, 'sparta/pprof/-../profiles/cpu/0-cpu.random.profile'],
    ['arn:aws:x/y', 0, 'sparta/pprof/arn-aws-x-y/profiles/cpu/0-cpu.random.profile'],
  ])('keeps stack %s in its own folder', (stack, sequence, key) => {
    expect(snapshotKey(settings({ LAMBDA_PROFILE_STACK: stack }), 'cpu', sequence)).toBe(key);
  });
});

describe('parseMark()', () => {
  const custom = (values: unknown) => ({ clientContext: { custom: values } });

  it('reads an invocation of a run', () => {
    const values = { 'lambda-profile.op': 'invoke', 'lambda-profile.run': 'run-1', 'lambda-profile.commit': '0123abc' };
    const mark = { op: 'invoke', run: 'run-1', commit: '0123abc', holdMs: 0 };
    expect(parseMark(custom(values))).toEqual(mark);
    expect(parseMark({ clientContext: { Custom: values } })).toEqual(mark);
  });

  it.each(['', 'a/b', 'a b', 'a\n', 'ä', 'x'.repeat(65), 7, null, {}])('ignores a run of %j', (run) => {
    expect(parseMark(custom({ 'lambda-profile.op': 'invoke', 'lambda-profile.run': run }))).toMatchObject({
      run: null,
    });
  });

  it.each([
    ['250', 250],
    ['99999', 1000],
    ['-1', 0],
    ['soon', 0],
    [undefined, 0],
  ])('holds a flush with %j for %i ms', (hold, holdMs) => {
    expect(parseMark(custom({ 'lambda-profile.op': 'flush', 'lambda-profile.hold': hold }))).toMatchObject({ holdMs });
  });

  it('does not hold an invocation', () => {
    expect(parseMark(custom({ 'lambda-profile.op': 'invoke', 'lambda-profile.hold': '250' }))).toMatchObject({
      holdMs: 0,
    });
  });

  it.each([undefined, null, 'text', {}, custom(null), custom([]), custom({ 'lambda-profile.op': 'drop' })])(
    'finds no mark in %j',
    (context) => {
      expect(parseMark(context)).toBeNull();
    },
  );
});
