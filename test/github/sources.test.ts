import { describe, expect, it } from 'vitest';
import { matchSources } from '../../src/github/sources.ts';

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
