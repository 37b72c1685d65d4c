import { describe, expect, it } from 'vitest';
import { filesOfSides, matchSources } from '../../src/github/sources.ts';

describe('filesOfSides()', () => {
  it('knows which side of the change has which file, with a checkout of either side or without one', () => {
    const changes = [
      { path: 'src/new.ts', on: 'head' },
      { path: 'src/gone.ts', on: 'base' },
      { path: 'src/to.ts', previousPath: 'src/from.ts', on: 'head' },
      { path: 'src/same.ts', on: 'both' },
    ] as const;
    const expected = {
      head: ['src/new.ts', 'src/same.ts', 'src/to.ts'],
      base: ['src/from.ts', 'src/gone.ts', 'src/same.ts'],
      touched: ['src/from.ts', 'src/gone.ts', 'src/new.ts', 'src/same.ts', 'src/to.ts'],
    };
    const sorted = (checkout: string[]) =>
      Object.fromEntries(
        Object.entries(filesOfSides(checkout, [...changes])).map(([side, files]) => [side, files.sort()]),
      );
    expect(sorted([])).toEqual(expected);
    expect(sorted(expected.head)).toEqual(expected);
    expect(sorted(expected.base)).toEqual(expected);
  });
});

describe('matchSources()', () => {
  it('finds the file of a function deployed from a folder of the repository', () => {
    expect(matchSources(['src/tax.mjs'], ['services/orders/src/tax.mjs', 'README.md'], [])).toEqual({
      'src/tax.mjs': 'services/orders/src/tax.mjs',
    });
  });

  it('finds the file behind the absolute path of a build machine', () => {
    expect(matchSources(['/home/runner/orders/pricing/rules.go'], ['pricing/rules.go'], [])).toEqual({
      '/home/runner/orders/pricing/rules.go': 'pricing/rules.go',
    });
  });

  it('gives no link when two files fit, unless the change touches exactly one of them', () => {
    const files = ['services/a/src/tax.mjs', 'services/b/src/tax.mjs'];
    expect(matchSources(['src/tax.mjs'], files, [])).toEqual({});
    expect(matchSources(['src/tax.mjs'], files, ['services/b/src/tax.mjs'])).toEqual({
      'src/tax.mjs': 'services/b/src/tax.mjs',
    });
  });

  it('takes hostile paths as text', () => {
    expect(matchSources(['__proto__', 'constructor'], ['src/__proto__'], [])).toEqual(
      Object.fromEntries([['__proto__', 'src/__proto__']]),
    );
  });
});
