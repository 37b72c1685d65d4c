import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseReport, renderJson } from '../../src/report/json.ts';
import { renderReportSchema } from '../../src/report/schema.ts';
import { hostileNames, hostileReport, samples } from './samples.ts';

describe('renderJson() and parseReport()', () => {
  for (const [state, report] of Object.entries(samples)) {
    it(`carry ${state} through a file`, () => expect(parseReport(renderJson(report))).toEqual(report));
  }
  it('keep NaN and infinities, as strings in the file', () => {
    const text = renderJson(samples.regression!);
    expect(text).toContain('"NaN"');
    expect(text).toContain('"Infinity"');
    const again = parseReport(text);
    expect(again.comparison!.functions[1]!.ratio).toBe(Number.POSITIVE_INFINITY);
    expect(again.comparison!.metrics.find(({ id }) => id === 'init')!.base).toBeNaN();
  });
  it('give equal texts for equal reports, whatever the order of their keys', () => {
    const reversed = Object.fromEntries(
      Object.entries(samples.regression!).reverse(),
    ) as unknown as typeof samples.regression;
    expect(renderJson(reversed!)).toBe(renderJson(samples.regression!));
    expect(renderJson(parseReport(renderJson(samples.regression!)))).toBe(renderJson(samples.regression!));
  });
  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))(
    'keep %j as it is, and no prototype is touched',
    (_, name) => {
      const report = parseReport(renderJson(hostileReport(name)));
      expect(report.comparison!.functions[0]!.display).toBe(name);
      expect(Object.getPrototypeOf(report.sources)).toBe(Object.prototype);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );
});

describe('parseReport() refuses', () => {
  const change = (path: string, value: unknown): string => {
    const report = JSON.parse(renderJson(samples.regression!));
    const keys = path.split('.');
    const last = keys.pop()!;
    let at = report;
    for (const key of keys) at = at[key];
    at[last] = value;
    return JSON.stringify(report);
  };
  it.each([
    ['schemaVersion', 2],
    ['verdict.kind', 'great'],
    ['verdict.headline', 'x'.repeat(40_000)],
    ['head.commit', '../../x'],
    ['repository.serverUrl', 'javascript:alert(1)'],
    ['repository.owner', 'a/b'],
    ['run.url', 'https://example.com/)[x](y'],
    ['comparison.functions.0.kind', '__proto__'],
    ['comparison.functions.0.headInstances', -1],
    ['comparison.functions.0.share', 'a lot'],
    ['top', 1e9],
    ['sources', []],
    ['warnings', [{}]],
  ])('a report whose %s is %j', (path, value) => {
    expect(() => parseReport(change(path, value))).toThrow(
      new RegExp(`Cannot read the report: ${path.replaceAll('.', '\\.')}`),
    );
  });
  it('what is not JSON, or too much of it', () => {
    expect(() => parseReport('<html>')).toThrow('it is not JSON');
    expect(() => parseReport('null')).toThrow('Cannot read the report: the report:');
    expect(() => parseReport(' '.repeat(33 * 1024 * 1024))).toThrow('at most');
  });
});

it('docs/report.schema.json is what the schema says', () => {
  // To update it: node build/report-schema.ts && npm run format
  const published = readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(published)).toEqual(JSON.parse(renderReportSchema()));
});
