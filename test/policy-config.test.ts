import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configSchema, renderConfigSchema } from '../src/config-schema.ts';
import { ConfigurationError } from '../src/errors.ts';
import { POLICY_KEYS } from '../src/policy-config.ts';
import { CONFIG_KEYS, parseSettings } from '../src/settings.ts';

const needed = { 'function-name': 'orders', 's3-bucket': 'octo-profiles' };
const policyOf = (config?: string) => parseSettings(needed, config).policy;

function problemOf(config: string): string {
  try {
    parseSettings(needed, config);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

const whole = `
fail-threshold: 12%
thresholds:
  cpu: 8%
  duration: { fail: 20%, warn: 10% }
functions:
  - { match: '^checkout\\.', fail: 5%, warn: 2.5%, min-delta: 50us }
  - { match: 'report', ignore: true }
ignore: ['(?i)legacy']
budgets: { cpu-ms: 25, cost-usd: 2.5, memory-mb: 200 }
own-code: [github.com/octo-org/]
fail-on: [function, errors, inconclusive]
`;

describe('the policy of the config file', () => {
  it('is nothing but what may fail without a file', () => {
    const { failOn, ...rest } = policyOf();
    expect(rest).toEqual({ metricLimits: {}, functionRules: [], budgets: {}, failOnInconclusive: false });
    expect([...failOn].sort()).toEqual(['allocated', 'cost', 'cpu', 'duration', 'errors', 'function', 'memory']);
    expect(policyOf('fail-threshold: 20%')).toEqual(policyOf());
  });

  it('has limits by metric and by function, budgets, own code, and what fails', () => {
    const { functionRules, ...policy } = policyOf(whole);
    expect(policy).toEqual({
      metricLimits: { cpu: { fail: 0.08 }, duration: { fail: 0.2, warn: 0.1 } },
      budgets: { cpu: 25, cost: 2.5, memory: 200 },
      ownCode: { prefixes: ['github.com/octo-org/'] },
      failOn: new Set(['function', 'errors']),
      failOnInconclusive: true,
    });
    expect(functionRules.map(({ match, ...rule }) => [match.test('checkout.legacyTotal'), rule])).toEqual([
      [true, { ignore: true }],
      [true, { fail: 0.05, warn: 0.025, minDeltaMs: 0.05 }],
      [false, { ignore: true }],
    ]);
  });

  it.each([
    ['thresholds: { cpu: 8 }', 'thresholds.cpu (config file): must be a percentage, or fail and warn'],
    ['thresholds: { cpu: { fail: 5%, warn: 10% } }', 'warn must not be above fail'],
    ['thresholds: { latency: 8% }', 'latency'],
    ['functions: [{ match: "(", fail: 5% }]', 'functions.0.match'],
    ['functions: [{ fail: 5% }]', 'functions.0.match'],
    ['ignore: legacy', 'ignore (config file)'],
    ['budgets: { cpu-ms: -1 }', 'budgets.cpu-ms'],
    ['fail-on: [everything]', 'fail-on.0'],
    ['own-code: []', 'own-code'],
  ])('refuses %s and says where', (config, message) => {
    expect(problemOf(config)).toContain(message);
  });

  it('refuses an unknown key with the list of those there are', () => {
    const message = problemOf('treshold: 5%');
    expect(message).toContain('unknown key "treshold"');
    for (const key of [...CONFIG_KEYS, ...POLICY_KEYS]) expect(message).toContain(key);
  });

  it('takes no exponential time for a pattern of the file', () => {
    const [rule] = policyOf("ignore: ['^(a+)+$']").functionRules;
    expect(rule!.match.test(`${'a'.repeat(5_000)}!`)).toBe(false);
  });
});

describe('docs/config.schema.json', () => {
  it('is what the sources say', () => {
    // To update it: node build/report-schema.ts && npm run format
    const published = readFileSync(new URL('../docs/config.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(published)).toEqual(JSON.parse(renderConfigSchema()));
  });

  it('knows the same keys as the settings', () => {
    expect(Object.keys(configSchema.shape).sort()).toEqual([...CONFIG_KEYS, ...POLICY_KEYS].sort());
  });

  it('accepts the example in docs/config.md, and so do the settings', () => {
    const text = readFileSync(new URL('../docs/config.md', import.meta.url), 'utf8');
    const example = /```yaml\n(# yaml-language-server[\s\S]*?)```/.exec(text)![1]!;
    expect(configSchema.safeParse(parse(example)).error?.issues).toBeUndefined();
    expect(parseSettings(needed, example).policy.functionRules.length).toBeGreaterThan(0);
  });
});
