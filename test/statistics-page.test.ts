import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replaceFigures, STATISTICS_PAGE } from '../build/figures.ts';
import { renderChart, renderInstances, renderNeeds } from '../build/statistics-figures.ts';

// To update them: node build/statistics-figures.ts
describe('docs/statistics.md', () => {
  const page = readFileSync(STATISTICS_PAGE, 'utf8');

  it('says what the formulas of the code say', () => {
    expect(replaceFigures(page, { needs: renderNeeds(), instances: renderInstances() })).toBe(page);
  });

  it('has their chart', () => {
    expect(readFileSync(new URL('../docs/resolution.svg', import.meta.url), 'utf8')).toBe(renderChart());
  });

  it('has a place for every figure that a benchmark writes, and refuses one it has no place for', () => {
    for (const name of ['why', 'wrong', 'unchanged', 'power', 'moved', 'real'])
      expect(replaceFigures(page, { [name]: '| a |' })).toContain(`<!-- figure ${name} -->\n| a |\n<!-- end -->`);
    expect(() => replaceFigures(page, { other: '' })).toThrow('Cannot write the figure other');
  });
});
