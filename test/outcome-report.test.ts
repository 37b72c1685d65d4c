import { describe, expect, it } from 'vitest';
import { skipped } from '../src/compare/verdict.ts';
import type { Outcome } from '../src/gate.ts';
import { createReport } from '../src/outcome-report.ts';
import { renderComment } from '../src/report/comment.ts';
import { parseReport, renderJson } from '../src/report/json.ts';
import { sourceOf } from '../src/report/source.ts';
import { parseSettings } from '../src/settings.ts';
import { instance, sampleRecording } from './recordings/sample.ts';
import { sampleComparison, sampleFunction } from './report/samples.ts';

const settings = parseSettings({ 'function-name': 'orders', 's3-bucket': 'octo-profiles' });
const [base, head] = ['b'.repeat(40), 'c'.repeat(40)];

function reportOf(outcome: Partial<Outcome>, more: Partial<Parameters<typeof createReport>[2]> = {}) {
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
    expect(renderComment(report)).toMatch(/`i-2` \| 100 \| 0 \| n\/a \| n\/a/);
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
