import { describe, expect, it } from 'vitest';
import type { MetricChange } from '../../src/compare/comparison.ts';
import { budgetOfMetric } from '../../src/report/budget.ts';
import type { Report } from '../../src/report/report.ts';
import { sampleMetric } from './samples.ts';

const report = (kind: string, metrics: Report['budget']['metrics']): Report =>
  ({
    verdict: { kind, regressed: [], warned: [] },
    budget: { failThreshold: 0.1, warnThreshold: 0.05, minDeltaMs: 0.1, metrics },
  }) as unknown as Report;
const cost: MetricChange = { ...sampleMetric('cost', 'USD', 2, 2.4, 'more'), ratioLow: 1.1, ratioHigh: 1.3 };

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
