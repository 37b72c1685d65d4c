import { describe, expect, it } from 'vitest';
import { renderAnnotations } from '../../src/report/annotations.ts';
import { hostileNames, hostileReport, sampleFunction, samples } from './samples.ts';

const regression = samples.regression!;

describe('renderAnnotations()', () => {
  it('marks the lines of the functions that made the check fail', () => {
    expect(renderAnnotations(regression)).toEqual([
      {
        level: 'error',
        file: 'pricing/rules.go',
        line: 88,
        title: 'pricing.sortRules: +1.90 ms (+358%) CPU per invocation',
        message:
          'pricing.sortRules uses 0.53 → 2.43 ms CPU per invocation of orders (slower, 95% CI +326% … +395%; 8 of 8 head instances above the median base instance).',
      },
      {
        level: 'error',
        file: 'handler/validate.go',
        line: 41,
        title: 'handler.validateSKU: new, +1.21 ms CPU per invocation',
        message:
          'handler.validateSKU uses 0 → 1.21 ms CPU per invocation of orders (new; 8 of 8 head instances above the median base instance).',
      },
    ]);
  });
  it('is an error only when the check fails because of it', () => {
    const levels = (kind: 'warn' | 'accepted') =>
      renderAnnotations({ ...regression, verdict: { ...regression.verdict, kind } }).map(({ level }) => level);
    expect(levels('warn')).toEqual(['warning', 'warning']);
    expect(levels('accepted')).toEqual(['notice', 'notice']);
    const warned = { ...regression.verdict, regressed: [], warned: regression.verdict.regressed };
    expect(renderAnnotations({ ...regression, verdict: warned }).map(({ level }) => level)).toEqual([
      'warning',
      'warning',
    ]);
  });
  it('says nothing about a pass, an improvement, or functions without a source in the repository', () => {
    for (const state of ['pass', 'improvement', 'first-run', 'skipped', 'error']) {
      expect(renderAnnotations(samples[state]!)).toEqual([]);
    }
    expect(renderAnnotations({ ...regression, sources: {} })).toEqual([]);
  });
  it('shows three at most, the largest first', () => {
    const functions = [1, 2, 3, 4, 5].map((ms) => sampleFunction(`f${ms}`, 1, 1 + ms, { file: 'a', line: ms }));
    const report = {
      ...regression,
      sources: { a: 'a.go' },
      verdict: { ...regression.verdict, regressed: functions.map((changed) => changed.key) },
      comparison: { ...regression.comparison!, functions },
    };
    expect(renderAnnotations(report).map(({ line }) => line)).toEqual([5, 4, 3]);
  });
  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('has one line of visible text for %j', (_, name) => {
    for (const { title, message } of renderAnnotations(hostileReport(name))) {
      expect(title + message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(message.length).toBeLessThan(1_000);
    }
  });
});
