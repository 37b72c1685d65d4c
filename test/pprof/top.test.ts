import { describe, expect, test } from 'vitest';
import { Profile } from '../../src/pprof/columns.ts';
import { dropFrames } from '../../src/pprof/drop-frames.ts';
import { plainName } from '../../src/pprof/plain-names.ts';
import { computeTop, sampleColumn } from '../../src/pprof/top.ts';
import { profileOf, samplesOf } from './fixtures.ts';

const options = { sampleType: '', sort: 'self', filter: {}, trim: true } as const;

describe('computeTop()', () => {
  test('counts recursion once, and inlined frames as functions', () => {
    const profile = profileOf({ samples: [{ stack: ['f', ['g', 'f'], 'f'], values: [1, 8] }] });
    expect(computeTop(profile, options).rows).toEqual([
      { name: 'f', self: 8n, total: 8n, inlined: 'no' },
      { name: 'g', self: 0n, total: 8n, inlined: 'always' },
    ]);
  });

  test('knows functions that are inlined in some places only', () => {
    const profile = profileOf({
      samples: [
        { stack: [['g', 'f'], 'main'], values: [1, 5] },
        { stack: ['g', 'h', 'main'], values: [1, 5] },
      ],
    });
    expect(computeTop(profile, options).rows[0]).toMatchObject({ name: 'g', inlined: 'partly' });
  });

  test('leaves out small functions with what they call themselves, and counts them', () => {
    const profile = profileOf({
      samples: [
        { stack: ['large', 'main'], values: [1, 1000] },
        { stack: ['small', 'main'], values: [1, 4] },
      ],
    });
    const { rows, dropped, total } = computeTop(profile, options);
    expect(rows.map(({ name, total }) => [name, total])).toEqual([
      ['large', 1000n],
      ['main', 1004n],
    ]);
    expect([dropped, total]).toEqual([1, 1004n]);
  });

  test('shows no code without symbols when only some functions are to be shown', () => {
    const profile = profileOf({ samples: [{ stack: [[], 'main'], values: [1, 1] }] });
    const names = (show: string) => computeTop(profile, { ...options, filter: { show } }).rows.map(({ name }) => name);
    expect(computeTop(profile, options).rows.map(({ name }) => name)).toEqual(['[bootstrap]', 'main']);
    expect([names('bootstrap'), names('main')]).toEqual([['main'], ['main']]);
  });

  test('sums beyond 2^53 are exact', () => {
    const value = 2n ** 53n + 1n;
    const samples = [1, 2].map((n) => ({ stack: ['f'], values: [1n, value], labels: { n } }));
    expect(computeTop(profileOf({ samples }), options).rows[0]!.self).toBe(2n * value);
  });
});

describe('sampleColumn()', () => {
  const profile = profileOf({
    types: ['objects/count', 'space/bytes', 'time/ns'],
    samples: [{ stack: ['f'], values: [1, 2, 3] }],
    defaultSampleType: 'space',
  });

  test.each([
    ['', 1],
    ['objects', 0],
    ['inuse_space', 1],
    ['2', 2],
  ])('%j is column %d', (name, column) => {
    expect(sampleColumn(profile, name)).toBe(column);
  });

  test('names the types there are', () => {
    expect(() => sampleColumn(profile, 'cpu')).toThrow('"cpu": the profile has "objects", "space", "time"');
    expect(() => sampleColumn(profile, '3')).toThrow('Cannot find sample type "3"');
  });
});

describe('dropFrames()', () => {
  const profile = (drop: string, keep = '') => {
    const plain = profileOf({
      samples: [
        { stack: ['inner', 'malloc(int)', 'work', 'main'], values: [1, 1] },
        { stack: [['malloc', 'wrap'], 'main'], values: [1, 2] },
        { stack: ['leaf', 'malloc'], values: [1, 4] },
      ],
    });
    return Object.assign(new Profile(), plain, { header: { ...plain.header, dropFrames: drop, keepFrames: keep } });
  };
  const stacks = (profile: Profile) => samplesOf(dropFrames(profile)).map((row) => row.split(' ')[0]);

  test('drops a frame that matches and all it calls, but not the first frames of a stack', () => {
    expect(stacks(profile('malloc|leaf'))).toEqual(['leaf;malloc', 'work;main', 'wrap;main']);
  });

  test('keeps what the profile wants kept, and everything when a pattern is wrong', () => {
    const all = ['inner;malloc(int);work;main', 'leaf;malloc', 'malloc;wrap;main'];
    expect(stacks(profile('malloc', 'mal.*'))).toEqual(all);
    expect(stacks(profile('mal('))).toEqual(all);
  });
});

describe('plainName()', () => {
  test.each([
    ['main.run', 'main.run', 'main.run'],
    ['', '_ZN3foo3barEv', 'foo::bar'],
    ['_ZN4core3ptr4drop17h0123456789abcdefE', '_ZN4core3ptr4drop17h0123456789abcdefE', 'core::ptr::drop'],
    ['_ZNSt6vectorIiE4pushEv', '_ZNSt6vectorIiE4pushEv', '_ZNSt6vectorIiE4pushEv'],
    ['std::map<int, A<b>>::find(int)', 'std::map<int, A<b>>::find(int)', 'std::map::find'],
    ['a::b)(', 'a::b)(', 'a::b)('],
    ['foo.(*Bar[...]).Method', 'foo.(*Bar[...]).Method', 'foo.(*Bar[...]).Method'],
    ['shown', '_ZN3foo3barEv', 'shown'],
  ])('%j of symbol %j is %j', (name, systemName, expected) => {
    expect(plainName(name, systemName)).toBe(expected);
  });
});
