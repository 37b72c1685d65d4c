import { describe, expect, it } from 'vitest';
import { renderSummary } from '../../src/report/summary.ts';
import { assertHarmless, assertRectangularTables } from './markdown-check.ts';
import { hostileNames, hostileReport, sampleFunction, samples } from './samples.ts';

const trend = Array.from({ length: 25 }, (_, index) => ({
  commit: (0xabcdef000 + index).toString(16),
  cpuMsPerInvocation: 14 + index / 10,
}));

describe('renderSummary()', () => {
  for (const [state, report] of Object.entries(samples)) {
    it(`tells a reader about ${state}`, async () => {
      const summary = renderSummary(report, state === 'regression' ? trend : []);
      await expect(summary).toMatchFileSnapshot(`fixtures/golden/summary-${state}.md`);
      assertHarmless(summary);
      assertRectangularTables(summary);
    });
  }
  it('draws the last 20 recordings', () => {
    const summary = renderSummary(samples.pass!, trend);
    expect(summary.match(/^ {2}line \[(.*)\]$/m)?.[1]?.split(', ')).toHaveLength(20);
    expect(summary).toContain('16.400]');
  });
  it('draws nothing from fewer than two recordings or from values that are no numbers', () => {
    expect(renderSummary(samples.pass!, trend.slice(0, 1))).not.toContain('mermaid');
    const broken = trend.map((point) => ({ ...point, cpuMsPerInvocation: Number.NaN }));
    expect(renderSummary(samples.pass!, broken)).not.toContain('mermaid');
  });
  it('lets no commit end the chart', () => {
    const forged = trend.map((point) => ({ ...point, commit: '"]\n```\n<b>' }));
    expect(renderSummary(samples.pass!, forged)).toContain('x-axis ["b", ');
  });
  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('shows %j as text wherever it appears', (_, name) => {
    const summary = renderSummary(hostileReport(name), trend);
    assertHarmless(summary);
    assertRectangularTables(summary);
  });
  it('fits 1,000,000 bytes with 20,000 functions', () => {
    const functions = Array.from({ length: 20_000 }, (_, index) =>
      sampleFunction(`f${index}`, 1, 2, { file: 'a.go', line: index }),
    );
    const regression = samples.regression!;
    const summary = renderSummary({ ...regression, comparison: { ...regression.comparison!, functions } });
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1_000_000);
    expect(Buffer.byteLength(summary)).toBeGreaterThan(900_000);
    assertHarmless(summary);
  });
});
