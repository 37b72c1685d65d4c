import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Filter, filterProfile } from '../../src/pprof/filter.ts';
import { compilePattern } from '../../src/pprof/pattern.ts';
import { profileOf, samplesOf } from './fixtures.ts';

describe('filterProfile()', () => {
  const profile = profileOf({
    samples: [
      { stack: ['read@net.go', 'fetch@net.go', 'main@main.go'], values: [1, 1], labels: { thread: 'io', bytes: 1024 } },
      { stack: ['parse@json.go', 'main@main.go'], values: [2, 2], labels: { thread: 'work' } },
      { stack: [['hash', 'lookup'], 'main@main.go'], values: [4, 4], labels: { thread: 'work', bytes: 65536 } },
    ],
  });
  const stacks = (filter: Filter) => samplesOf(filterProfile(profile, filter)).map((row) => row.split(' ')[0]);

  test.each<[string, Filter, string[]]>([
    ['nothing', {}, ['hash;lookup;main', 'parse;main', 'read;fetch;main']],
    ['focus on a function', { focus: 'fetch' }, ['read;fetch;main']],
    ['focus on a file', { focus: '^json\\.go$' }, ['parse;main']],
    ['focus on a binary', { focus: 'bootstrap' }, ['hash;lookup;main', 'parse;main', 'read;fetch;main']],
    ['focus on an inlined function', { focus: 'lookup' }, ['hash;lookup;main']],
    ['ignore, which wins over focus', { focus: 'main', ignore: 'read|hash' }, ['parse;main']],
    ['hide frames, also inlined ones', { hide: '^hash$|main' }, ['lookup', 'parse', 'read;fetch']],
    ['hide all, which leaves no samples', { hide: '.' }, []],
    ['show only some frames', { show: 'fetch|lookup' }, ['fetch', 'lookup']],
    ['a label', { tagfocus: 'thread=io' }, ['read;fetch;main']],
    ['any of several values of a label', { tagfocus: 'thread=x,io' }, ['read;fetch;main']],
    ['all of several patterns', { tagfocus: 'thread,work' }, ['hash;lookup;main', 'parse;main']],
    ['without a label', { tagignore: 'thread=work' }, ['read;fetch;main']],
    ['a number', { tagfocus: '1kb' }, ['read;fetch;main']],
    ['at most a number', { tagfocus: ':64kb' }, ['hash;lookup;main', 'read;fetch;main']],
    ['at least a number', { tagfocus: 'bytes=2kb:' }, ['hash;lookup;main']],
    ['a range', { tagfocus: '512b:4kb' }, ['read;fetch;main']],
    ['a range of another unit', { tagfocus: '1ms:' }, []],
  ])('%s', (_, filter, expected) => {
    expect(stacks(filter)).toEqual(expected);
  });

  test('does not change the profile', () => {
    const before = samplesOf(profile);
    filterProfile(profile, { focus: 'read', hide: 'main', tagfocus: 'thread=io' });
    expect(samplesOf(profile)).toEqual(before);
  });
});

describe('compilePattern()', () => {
  test.each([
    ['a|b', 'xbx', true],
    ['^main\\.', 'main.run', true],
    ['^main\\.', 'xmain.run', false],
    ['run$', 'main.run', true],
    ['(?i)MAIN', 'main', true],
    ['a(?i:B)c', 'abc', true],
    ['a(?i:B)c', 'aBC', false],
    ['[[:alpha:]]+\\d{2,3}z', 'ab123z', true],
    ['[^a-c]', 'abc', false],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
    ['\\pN', 'x٣', true],
    ['\\p{Greek}', 'λ', true],
    ['\\P{Greek}', 'λ', false],
    ['\\bwork\\b', 'to work on', true],
    ['\\bwork\\b', 'working', false],
    ['x{0}', '', true],
    ['(?P<name>a)+?b', 'aab', true],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['a{2}', 'aba', false],
    ['💥', 'a💥', true],
    ['\\x{3bb}', 'λ', true],
    ['a]', 'a]', true],
    ['{', '{', true],
  ])('%s in %s: %s', (pattern, text, expected) => {
    expect(compilePattern(pattern).test(text)).toBe(expected);
  });

  test.each([
    '(',
    ')',
    '[a',
    'a{2,1}',
    '*',
    '\\',
    '\\pX',
    '(?z)',
    '[z-a]',
    'a{1001}',
    '(((a{100}){100}){100})',
    'a'.repeat(2000),
  ])('refuses %s', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(SyntaxError);
  });

  test('takes time proportional to the text where a RegExp would not end', () => {
    const text = `${'a'.repeat(20_000)}!`;
    for (const pattern of ['(a+)+$', '^(a|a)*$', '(a*)*b', '(.*a){12}b'])
      expect(compilePattern(pattern).test(text)).toBe(false);
  });

  test('agrees with RegExp', () => {
    const pattern = fc.array(
      fc.constantFrom(
        'a',
        'b',
        '.',
        '[ab]',
        '[^a]',
        '(a|b)',
        '(?:ab)',
        'a*',
        'b+',
        '(ab)?',
        'a{1,2}',
        '^',
        '$',
        '|',
        '\\w',
        '\\b',
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }), (parts, text) => {
        const source = parts.join('');
        expect(compilePattern(source).test(text)).toBe(new RegExp(source).test(text));
      }),
      { numRuns: 2000 },
    );
  });
});
