import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../src/errors.ts';
import { parseSettings } from '../src/settings.ts';

const needed = { 'function-name': 'orders:live', 's3-bucket': 'octo-profiles' };

function problemOf(inputs: Record<string, string>, config?: string): string {
  try {
    parseSettings({ ...needed, ...inputs }, config);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

describe('parseSettings()', () => {
  it('needs a function and a bucket, and has a default for everything else', () => {
    const settings = parseSettings(needed);
    expect(settings).toMatchObject({
      function: { name: 'orders', qualifier: 'live' },
      bucket: 'octo-profiles',
      stack: 'orders',
      prefix: 'sparta/pprof',
      concurrency: 8,
      invocations: 800,
      maxDurationMs: 900_000,
      mode: 'all',
      shard: { index: 1, of: 1 },
      baseQualifier: '',
      profileTypes: ['cpu'],
      failThreshold: 0.1,
      warnThreshold: 0.05,
      minDeltaMs: 0.1,
      waitTimeoutMs: 90_000,
      updateBaseline: false,
      failOnError: true,
      comment: 'always',
      key: '',
      top: 5,
    });
  });

  it('takes an empty input as not given, as the runner passes it', () => {
    expect(parseSettings({ ...needed, concurrency: '', 'fail-threshold': ' ' }).concurrency).toBe(8);
  });

  it('reports every problem at once, each with the value seen', () => {
    const message = problemOf({
      'function-name': '',
      concurrency: 'many',
      'fail-threshold': '1.1',
      comment: 'sometimes',
      'wait-timeout': '90',
    });
    expect(message).toMatch(/5 inputs are wrong/);
    expect(message).toContain('function-name is missing');
    expect(message).toContain('concurrency must be a whole number: it is "many"');
    expect(message).toContain('fail-threshold must be a percentage such as 10%: it is "1.1"');
    expect(message).toContain('comment must be always, on-change or never: it is "sometimes"');
    expect(message).toContain('wait-timeout must be a duration such as 500ms, 90s or 5m: it is "90"');
  });

  it('refuses a warn threshold above the fail threshold, and fewer invocations than instances', () => {
    expect(problemOf({ 'fail-threshold': '5%', 'warn-threshold': '10%' })).toContain('must not be above');
    expect(problemOf({ invocations: '4', concurrency: '8' })).toContain('at least concurrency');
  });

  it('refuses keys that would leave their prefix', () => {
    expect(problemOf({ 's3-prefix': '../other' })).not.toBe('');
    expect(problemOf({ stack: 'a/b' })).toContain('stack must have');
    expect(problemOf({ 'comment-key': 'x -->' })).toContain('comment-key must have');
  });

  it('reads the config file under the inputs and over the defaults', () => {
    const config = 'fail-threshold: 20%\nconcurrency: 6\npayload:\n  - { payload: { a: 1 }, weight: 1 }\n';
    const settings = parseSettings({ ...needed, concurrency: '7' }, config);
    expect(settings.failThreshold).toBe(0.2);
    expect(settings.concurrency).toBe(7);
    expect(JSON.parse(settings.payload)).toEqual([{ payload: { a: 1 }, weight: 1 }]);
  });

  it('refuses unknown keys, keys that decide where things are written, and what is not YAML', () => {
    expect(problemOf({}, 'fail-treshold: 20%')).toContain('unknown key "fail-treshold"');
    expect(problemOf({}, 's3-bucket: elsewhere')).toContain('unknown key "s3-bucket"');
    expect(problemOf({}, '[1, 2')).toContain('is not YAML');
    expect(problemOf({}, 'concurrency: lots')).toContain('concurrency (config file) must be a whole number');
  });

  it('reads a rate, a duration, a ramp and a CPU budget, from the inputs or the config file', () => {
    const settings = parseSettings({ ...needed, rate: '50', duration: '30s' }, 'ramp: 5s\nmin-cpu-seconds: 30\n');
    expect(settings).toMatchObject({
      rate: { perSecond: 50, rampMs: 5000 },
      durationMs: 30_000,
      minCpuMs: 30_000,
      invocations: Number.POSITIVE_INFINITY,
    });
    expect(parseSettings({ ...needed, duration: '30s', invocations: '500' }).invocations).toBe(500);
  });

  it('refuses a ramp without a rate, a duration above its cap, and shards without a mode', () => {
    expect(problemOf({ ramp: '5s' })).toContain('ramp needs a rate');
    expect(problemOf({ duration: '20m' })).toContain('duration must not be above max-duration: they are 20m and 15m');
    expect(problemOf({ rate: '0' })).toContain('rate must be between 0.1 and 1000');
    expect(problemOf({ shard: '1', shards: '4' })).toContain('need mode measure or compare');
    expect(problemOf({ mode: 'measure', shards: '4' })).toContain('mode measure needs shard and shards');
    expect(problemOf({ mode: 'measure', shard: '5', shards: '4' })).toContain('they are 5 and 4');
    expect(problemOf({ mode: 'compare' })).toContain('mode compare needs shards');
    expect(problemOf({ mode: 'compare', shards: '2', 'base-qualifier': '6' })).toContain(
      'base-qualifier needs mode all',
    );
  });

  it('keeps the token out of messages', () => {
    expect(problemOf({ 'github-token': 'ghs_secret', top: 'x' })).not.toContain('ghs_secret');
  });
});
