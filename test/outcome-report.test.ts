import { describe, expect, it } from 'vitest';
import { skipped } from '../src/compare/verdict.ts';
import type { Outcome } from '../src/gate.ts';
import type { Cost } from '../src/lambda/cost.ts';
import { createReport } from '../src/outcome-report.ts';
import { renderComment } from '../src/report/comment.ts';
import { parseReport, renderJson } from '../src/report/json.ts';
import { sourceOf } from '../src/report/source.ts';
import { parseSettings } from '../src/settings.ts';
import { instance, sampleRecording } from './recordings/sample.ts';
import { sampleComparison, sampleFunction } from './report/samples.ts';

const inputs = { 'function-name': 'orders', 's3-bucket': 'octo-profiles' };
const defaults = parseSettings(inputs);
const [base, head] = ['b'.repeat(40), 'c'.repeat(40)];

function reportOf(
  outcome: Partial<Outcome>,
  more: Partial<Parameters<typeof createReport>[2]> = {},
  settings = defaults,
) {
  return createReport(
    {
      verdict: skipped({ functionName: 'orders', reason: 'why not', next: '' }),
      differences: [],
      warnings: [],
      ...outcome,
    },
    settings,
    {
      commit: head,
      changedFiles: [],
      headFiles: [],
      repository: { serverUrl: 'https://github.example.com', owner: 'octo-org', name: 'orders' },
      files: {},
      timings: [],
      ...more,
    },
  );
}

describe('createReport()', () => {
  it('does not take what an instance did not tell for nothing', () => {
    const silent = { ...instance, id: 'i-2', cpuMs: null, durationP50Ms: null };
    const report = reportOf({ head: sampleRecording(head, { instances: [instance, silent] }) });
    expect(report.head!.instances.map(({ cpuMsPerInvocation }) => cpuMsPerInvocation)).toEqual([2.5, Number.NaN]);
    expect(report.head!.instances[1]!.durationP50Ms).toBeNaN();
    expect(parseReport(renderJson(report))).toEqual(report);
    expect(renderComment(report)).toMatch(/`i-2` \| 100 \| n\/a \| n\/a/);
  });

  it('tells of each side and instance what is known: durations, billed time, inits, memory, and the cost', () => {
    const full = { ...instance, durationP95Ms: 5, billedMeanMs: 4, initMs: 150, maxMemoryMb: 80, allocatedBytes: 2e6 };
    const reports = {
      ...{ count: 100, durationP50Ms: 3, durationP90Ms: 4, durationP95Ms: 5, durationP99Ms: null, maxMemoryMb: 80 },
      ...{ billedMeanMs: 4.5, initMs: [300, 100, 200], billedBreaches: 2, firstBreach: 'billed 5 ms for 6 ms' },
    };
    const monthly = parseSettings({ ...inputs, 'monthly-invocations': '50000000' });
    const report = reportOf({ head: sampleRecording(head, { instances: [full], reports }) }, {}, monthly);
    expect(report.head!.instances[0]).toMatchObject({
      ...{ durationP95Ms: 5, billedMeanMs: 4, initMs: 150, maxMemoryMb: 80, allocatedBytesPerInvocation: 20_000 },
    });
    expect(report.head!.reports).toEqual({
      ...{ count: 100, durationP50Ms: 3, durationP90Ms: 4, durationP95Ms: 5, billedMeanMs: 4.5, maxMemoryMb: 80 },
      ...{ coldShare: 0, inits: 1, initP50Ms: 200, initMaxMs: 300 },
      ...{ billedBreaches: 2, firstBreach: 'billed 5 ms for 6 ms' },
    });
    const perBilledMs = 1e3 * 0.5 * 0.0000133334;
    expect(report.head!.cost).toMatchObject({ known: true, monthlyInvocations: 50e6 });
    const { perMillion, perMonth, perMillionColdStarts } = report.head!.cost as Extract<Cost, { known: true }>;
    expect(perMillion).toBeCloseTo(4.5 * perBilledMs + 0.2, 9);
    expect(perMonth).toBeCloseTo(50 * perMillion, 9);
    expect(perMillionColdStarts).toBeCloseTo(200 * perBilledMs, 9);
    expect(parseReport(renderJson(report))).toEqual(report);
    const comment = renderComment(report).replaceAll('\u00a0', ' ');
    expect(comment).toMatch(/\| `i-1` \| .* \| 5\.00 ms \| 4\.00 ms \| 150 ms \| 80\.0 MB \| 20\.0 kB \|/);
    for (const row of [
      '| Cost of a million invocations | 0.23 USD |',
      '| Cost of a month at 50,000,000 invocations | 11.5 USD |',
      '| Cost of the inits of a million cold starts | 1.33 USD |',
      '| Duration p50 / p90 / p95 | 3.00 ms / 4.00 ms / 5.00 ms |',
    ])
      expect(comment).toContain(row);
    expect(comment).toContain('| Reports that do not add up | 2 |');
  });

  it('says so when the region has no known price', () => {
    const recording = sampleRecording(head);
    recording.manifest.fingerprint.region = 'xx-nowhere-1';
    const report = reportOf({ head: recording });
    expect(report.head!.cost).toMatchObject({ known: false, reason: expect.stringContaining('xx-nowhere-1') });
    expect(parseReport(renderJson(report))).toEqual(report);
    expect(renderComment(report)).toMatch(/not known: the price table of [\d-]+ has no prices for xx-nowhere-1/);
  });

  it('leads to the code of a function that is gone, as it was at the base commit', () => {
    const gone = sampleFunction('legacyTax', 2, 0, { file: 'src/tax.mjs', line: 12 });
    const report = reportOf(
      {
        head: sampleRecording(head),
        baseline: { recording: sampleRecording(base), distance: 0, relation: 'parent commit' },
        comparison: sampleComparison([gone], []),
      },
      { headFiles: ['src/a.mjs'], baseFiles: ['src/a.mjs', 'src/tax.mjs'], changedFiles: ['src/tax.mjs'] },
    );
    expect(report.sources).toEqual({ 'src/a.mjs': 'src/a.mjs' });
    expect(sourceOf(report, gone)).toMatchObject({
      url: `https://github.example.com/octo-org/orders/blob/${base}/src/tax.mjs#L12`,
      touched: true,
    });
  });
});
