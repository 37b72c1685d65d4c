import { describe, expect, it } from 'vitest';
import type { MetricChange } from '../../src/compare/comparison.ts';
import { budgetOfMetric } from '../../src/report/budget.ts';
import { methodBlock } from '../../src/report/details.ts';
import type { Report } from '../../src/report/report.ts';
import { sampleComparison, sampleFunction, sampleMetric } from './samples.ts';

const report = (kind: string, metrics: Report['budget']['metrics']): Report =>
  ({
    verdict: { kind, regressed: [], warned: [], reasons: [] },
    budget: { failThreshold: 0.1, warnThreshold: 0.05, minDeltaMs: 0.1, metrics },
  }) as unknown as Report;
const cost: MetricChange = { ...sampleMetric('cost', 'USD', 2, 2.4, 'more'), ratioLow: 1.1, ratioHigh: 1.3 };

describe('the fold "How this was decided"', () => {
  it('lists the limits that totals and functions have of their own', () => {
    const functions = [sampleFunction('checkout.total', 4, 4.8)];
    const comparison = sampleComparison(functions, [sampleMetric('cpu', 'ms', 20, 20, 'unchanged'), cost]);
    const given: Report = {
      ...report('warn', { cpu: { fail: 0.08, warn: 0.04 }, cost: { fail: 0.1, warn: 0.05, most: 2.5 } }),
      comparison,
      warnings: [],
      changedFiles: [],
      sources: {},
      files: {},
    };
    const own = { [functions[0]!.key]: { fail: 0.5, warn: 0.5, least: 1 } };
    const text = JSON.stringify(methodBlock({ ...given, budget: { ...given.budget, functions: own } }));
    expect(text).toContain(
      'Limits of their own: CPU / invocation +8%, warned of from +4%; Cost / million at most 2.50 USD; `checkout.total` +50%, from 1.00 ms on.',
    );
    expect(JSON.stringify(methodBlock({ ...given, budget: { ...given.budget, metrics: {} } }))).not.toContain(
      'Limits of their own',
    );
  });
});

describe('budgetOfMetric()', () => {
  it('holds a cost against its budget only, by the lower end of its interval', () => {
    const limits = (most: number) => ({ cost: { fail: 0.1, warn: 0.05, most } });
    expect(budgetOfMetric(report('fail', limits(2.1)), cost)).toEqual({ state: 'over', text: 'over 2.10 USD' });
    expect(budgetOfMetric(report('warn', limits(1.5)), cost)).toEqual({ state: 'warned', text: 'over 1.50 USD' });
    expect(budgetOfMetric(report('pass', limits(2.3)), cost)).toEqual({ state: 'within', text: 'within 2.30 USD' });
    expect(budgetOfMetric(report('pass', {}), cost)).toEqual({ state: 'none', text: '' });
  });

  it('holds billed duration against the limits of duration', () => {
    const billed = sampleMetric('billed', 'ms', 100, 115, 'more');
    expect(budgetOfMetric(report('warn', { duration: { fail: 0.3, warn: 0.2 } }), billed).text).toBe('within +30%');
  });
});
