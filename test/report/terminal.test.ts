import { describe, expect, it } from 'vitest';
import { renderTerminal } from '../../src/report/terminal.ts';
import { hostileNames, hostileReport, samples } from './samples.ts';

describe('renderTerminal()', () => {
  for (const [state, report] of Object.entries(samples)) {
    it(`tells a reader about ${state} in 80 columns without colour`, async () => {
      const text = renderTerminal(report, { columns: 80, color: false });
      await expect(text).toMatchFileSnapshot(`fixtures/golden/terminal-${state}.txt`);
      expect(text).not.toContain('\u001b');
      for (const line of text.split('\n')) expect(Array.from(line).length).toBeLessThanOrEqual(80);
    });
    it(`says the same about ${state} in colour`, () => {
      const colored = renderTerminal(report, { columns: 80, color: true });
      expect(colored).toContain('\u001b[');
      expect(colored.replace(/\p{Cc}\[\d+m/gu, '')).toBe(renderTerminal(report, { columns: 80, color: false }));
    });
  }
  it('fits narrow and wide terminals', () => {
    for (const columns of [60, 100, 200]) {
      const text = renderTerminal(samples.regression!, { columns, color: false });
      for (const line of text.split('\n')) expect(Array.from(line).length).toBeLessThanOrEqual(columns);
    }
  });
  it('counts wide characters as two columns', () => {
    const text = renderTerminal(hostileReport('関数'.repeat(200)), { columns: 80, color: false });
    for (const line of text.split('\n')) {
      const cells = Array.from(line).reduce((sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0);
      expect(cells).toBeLessThanOrEqual(80);
    }
  });
  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('shows %j as text wherever it appears', (_, name) => {
    const text = renderTerminal(hostileReport(name), { columns: 80, color: false });
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    for (const line of text.split('\n')) {
      expect(line.trimStart().startsWith('::')).toBe(false);
      expect(line).not.toContain('##[');
    }
  });
});
