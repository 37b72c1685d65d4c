import { describe, expect, it } from 'vitest';
import type { FunctionChange, MetricChange } from '../../src/compare/comparison.ts';
import {
  type FunctionRule,
  limitsOfFunction,
  limitsOfMetric,
  overBudget,
  smallestLimit,
} from '../../src/compare/limits.ts';
import { defaultPolicy, judge, type Policy } from '../../src/compare/verdict.ts';
import { compilePattern } from '../../src/pprof/pattern.ts';
import { sampleComparison, sampleFunction, sampleMetric } from '../report/samples.ts';

const rule = (pattern: string, more: Partial<FunctionRule>): FunctionRule => ({
  match: compilePattern(pattern),
  ...more,
});

const grown: FunctionChange = sampleFunction('checkout.total', 4, 4.8);
const same = sampleMetric('cpu', 'ms', 20, 20.2, 'unchanged');

function decide(policy: Partial<Policy>, functions = [grown], metrics: MetricChange[] = [same]) {
  return judge(
    sampleComparison(functions, metrics),
    { ...defaultPolicy, ...policy },
    { functionName: 'orders', differences: [], baselineInterleaved: true },
  );
}

describe('limits', () => {
  it('are the general ones unless a rule matches; the first that does holds', () => {
    const policy = {
      ...defaultPolicy,
      functionRules: [rule('^checkout', { fail: 0.5 }), rule('total', { fail: 0.01, warn: 0.01, minDeltaMs: 2 })],
    };
    const of = (display: string) => limitsOfFunction({ key: `octo-org/${display}`, display }, policy);
    expect(of('checkout.total')).toEqual({ fail: 0.5, warn: 0.05, minDeltaMs: 0.1 });
    expect(of('invoice.total')).toEqual({ fail: 0.01, warn: 0.01, minDeltaMs: 2 });
    expect(of('stock.count')).toEqual({ fail: 0.1, warn: 0.05, minDeltaMs: 0.1 });
  });

  it('keep the warning below the failure when only one of them is given', () => {
    const policy = { ...defaultPolicy, metricLimits: { cpu: { fail: 0.02 }, duration: { warn: 0.3 } } };
    expect(limitsOfMetric('cpu', policy)).toEqual({ fail: 0.02, warn: 0.02 });
    expect(limitsOfMetric('duration', policy)).toEqual({ fail: 0.3, warn: 0.3 });
    expect(smallestLimit(policy)).toBe(0.02);
    expect(smallestLimit(defaultPolicy)).toBe(0.05);
  });
});

describe('judge() with a policy', () => {
  it('fails what the general limits fail', () => {
    expect(decide({}).kind).toBe('fail');
  });

  it('uses the limits of the function, and states them', () => {
    expect(decide({ functionRules: [rule('checkout', { fail: 0.5, warn: 0.4 })] }).kind).toBe('pass');
    expect(decide({ functionRules: [rule('checkout', { fail: 0.5 })] })).toMatchObject({ kind: 'warn', regressed: [] });
    expect(decide({ functionRules: [rule('checkout', { fail: 0.15 })] }).headline).toContain('over the +15% budget');
    expect(decide({ functionRules: [rule('checkout', { minDeltaMs: 1 })] }).kind).toBe('pass');
  });

  it('never names a function that is ignored', () => {
    const verdict = decide({ functionRules: [rule('^checkout\\.', { ignore: true })] });
    expect(verdict).toMatchObject({ kind: 'pass', regressed: [], warned: [] });
  });

  it('only warns of what is not to fail', () => {
    expect(decide({ failOn: new Set(['errors']) })).toMatchObject({ kind: 'warn', regressed: [], warned: [grown.key] });
  });

  it('judges each metric by its own limits', () => {
    const more = sampleMetric('allocated', 'bytes', 1e6, 1.12e6, 'more');
    expect(decide({}, [], [more]).kind).toBe('fail');
    expect(decide({ metricLimits: { allocated: { fail: 0.2 } } }, [], [more]).kind).toBe('warn');
    expect(decide({ metricLimits: { allocated: { warn: 0.15 } } }, [], [more]).kind).toBe('pass');
    expect(decide({ failOn: new Set(['function']) }, [], [more]).kind).toBe('warn');
  });

  it('fails on slower starts when it is told to', () => {
    const init = sampleMetric('init', 'ms', 300, 450, 'more');
    expect(decide({}, [], [init]).kind).toBe('warn');
    expect(decide({ failOn: new Set(['init']) }, [], [init]).kind).toBe('fail');
  });

  it('fails when a metric crosses its budget, and warns when it was over it before', () => {
    const cpu = sampleMetric('cpu', 'ms', 24, 26, 'unchanged');
    const crossed = decide({ budgets: { cpu: 25 } }, [], [cpu]);
    expect(crossed.kind).toBe('fail');
    expect(crossed.headline).toBe('orders: CPU of 26.0 ms per invocation is over the budget of 25.0 ms');
    expect(decide({ budgets: { cpu: 20 } }, [], [cpu]).kind).toBe('warn');
    expect(decide({ budgets: { cpu: 30 } }, [], [cpu]).kind).toBe('pass');
    expect(decide({ budgets: { cpu: 25 }, failOn: new Set(['function']) }, [], [cpu]).kind).toBe('warn');
  });

  it('decides a budget of cost on the lower bound, never on the estimate, and not on growth', () => {
    const cost = { ...sampleMetric('cost', 'USD', 2, 2.4, 'more'), ratioLow: 1.1, ratioHigh: 1.3 };
    const crossed = decide({ budgets: { cost: 2.1 } }, [], [cost]);
    expect(crossed.kind).toBe('fail');
    expect(crossed.headline).toBe('orders: cost of 2.40 USD per million invocations is over the budget of 2.10 USD');
    expect(decide({ budgets: { cost: 2.3 } }, [], [cost]).kind).toBe('pass');
    expect(decide({}, [], [cost]).kind).toBe('pass');
    expect(overBudget({ ...cost, ratioLow: Number.NaN }, { budgets: { cost: 2.1 } })).toBe('no');
  });

  it('holds billed duration to the limits of duration', () => {
    expect(
      limitsOfMetric('billed', { ...defaultPolicy, metricLimits: { duration: { fail: 0.4, warn: 0.3 } } }),
    ).toEqual({
      fail: 0.4,
      warn: 0.3,
    });
  });

  it('does not take noise for a broken budget', () => {
    const noisy = { ...sampleMetric('cpu', 'ms', 24, 25.5, 'unchanged'), ratioLow: 0.9 };
    expect(overBudget(noisy, { budgets: { cpu: 25 } })).toBe('no');
    expect(overBudget({ ...noisy, ratioLow: Number.NaN }, { budgets: { cpu: 25 } })).toBe('new');
  });
});
