import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { encodeProfile, gzipProfile } from '../../src/pprof/encode.ts';
import {
  labelProfile,
  Merge,
  mergeProfiles,
  selectSampleTypes,
  subtractProfile,
  withComments,
} from '../../src/pprof/merge.ts';
import { generateProfiles } from '../conformance/generate.ts';
import { canonical } from './canonical.ts';
import { type Description, profileOf, samplesOf } from './fixtures.ts';

const sample = (stack: string[], ...values: number[]) => ({ stack, values });

describe('mergeProfiles()', () => {
  test('sums the CPU of two windows of one instance', () => {
    const first = profileOf({ samples: [sample(['work', 'main'], 1, 10), sample(['main'], 2, 20)] });
    const second = profileOf({ samples: [sample(['work', 'main'], 4, 40)] });
    expect(samplesOf(mergeProfiles([first, second]))).toEqual(['main {} 2,20', 'work;main {} 5,50']);
  });

  test('keeps samples with different labels apart', () => {
    const profile = profileOf({
      samples: [
        { stack: ['f'], values: [1, 1], labels: { bytes: 16 } },
        { stack: ['f'], values: [1, 1], labels: { bytes: 32 } },
        { stack: ['f'], values: [1, 1], labels: { bytes: 16 } },
      ],
    });
    expect(samplesOf(mergeProfiles([profile]))).toEqual(['f {bytes=16} 2,2', 'f {bytes=32} 1,1']);
  });

  test('finds the same code again where another process loaded it', () => {
    const at = (start: number): Description => ({ start, samples: [sample(['work', 'main'], 1, 1)] });
    const merged = mergeProfiles([profileOf(at(0x400000)), profileOf(at(0x7f0000000000))]);
    expect(samplesOf(merged)).toEqual(['work;main {} 2,2']);
    expect(merged.mappings).toHaveLength(1);
  });

  test('leaves out samples that are zero or add up to zero', () => {
    const merged = mergeProfiles([
      profileOf({ samples: [sample(['gone'], 3, 3), sample(['never'], 0, 0), sample(['kept'], 0, 1)] }),
      profileOf({ samples: [sample(['gone'], -3, -3)] }),
    ]);
    expect(samplesOf(merged)).toEqual(['kept {} 0,1']);
    expect(decodeProfile(encodeProfile(merged)).functions.size).toBe(1);
  });

  test('takes the earliest time, not that of a profile without one', () => {
    const times = (...times: bigint[]) => mergeProfiles(times.map((timeNanos) => profileOf({ timeNanos }))).timeNanos;
    expect(times(100n, 0n, 200n)).toBe(100n);
    expect(times(0n, 200n, 100n)).toBe(100n);
    expect(times(0n)).toBe(0n);
  });

  test('adds durations, keeps the largest period and every different comment', () => {
    const merged = mergeProfiles([
      profileOf({ durationNanos: 5n, period: 1, comments: ['a', 'b', 'a'] }),
      profileOf({ durationNanos: 7n, period: 3, comments: ['c', 'b'] }),
    ]);
    expect(merged.durationNanos).toBe(12n);
    expect(merged.period).toBe(3n);
    expect(merged.comments).toEqual(['a', 'b', 'c']);
  });

  test('keeps the sample types that all profiles have, in the finest unit', () => {
    const micros = profileOf({ types: ['wall/microseconds', 'sample/count'], samples: [sample(['f'], 3, 1)] });
    const nanos = profileOf({
      types: ['sample/count', 'wall/nanoseconds', 'cpu/nanoseconds'],
      samples: [sample(['f'], 1, 7, 9)],
    });
    const merged = mergeProfiles([micros, nanos]);
    expect(merged.sampleTypes).toEqual([
      { type: 'wall', unit: 'nanoseconds' },
      { type: 'sample', unit: 'count' },
    ]);
    expect(samplesOf(merged)).toEqual(['f {} 3007,2']);
  });

  test('keeps a column that is zero where the unit of another is converted', () => {
    const types = (unit: string) => ['samples/count', `cpu/${unit}`];
    const merged = mergeProfiles([
      profileOf({ types: types('milliseconds'), samples: [sample(['f'], 5, 0)] }),
      profileOf({ types: types('nanoseconds'), samples: [sample(['g'], 1, 1)] }),
    ]);
    expect(samplesOf(merged)).toEqual(['f {} 5,0', 'g {} 1,1']);
  });

  test.each([
    ['no profiles', () => [], /at least one is needed/],
    [
      'different types',
      () => [profileOf({ types: ['a/count'] }), profileOf({ types: ['b/count'] })],
      /no sample type is common/,
    ],
    [
      'bytes and time',
      () => [profileOf({ types: ['a/bytes'] }), profileOf({ types: ['a/seconds'] })],
      /cannot be converted/,
    ],
    [
      'a sum of more than 64 bits',
      () => [1, 2].map(() => profileOf({ samples: [{ stack: ['f'], values: [2n ** 62n, 1n] }] })),
      /does not fit 64 bits/,
    ],
  ])('refuses %s', (_, profiles, message) => {
    expect(() => mergeProfiles(profiles())).toThrow(ProfileError);
    expect(() => mergeProfiles(profiles())).toThrow(message);
  });

  test('does not depend on order or grouping', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(3), (seed, cut) => {
        const profiles = generateProfiles(seed, { columns: true, timeless: true }).map((bytes) => decodeProfile(bytes));
        const merged = mergeProfiles(profiles);
        const at = 1 + (cut % profiles.length);
        const grouped = mergeProfiles([mergeProfiles(profiles.slice(0, at)), ...profiles.slice(at)]);
        const reversed = mergeProfiles(profiles.toReversed());
        for (const other of [grouped, reversed, decodeProfile(gzipProfile(merged))]) {
          expect(canonical(other)).toEqual(canonical(merged));
          expect(other.timeNanos).toBe(merged.timeNanos);
          expect(other.durationNanos).toBe(merged.durationNanos);
          expect(other.period).toBe(merged.period);
          expect([...other.comments].sort()).toEqual([...merged.comments].sort());
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe('Merge', () => {
  test('keeps two sides apart', () => {
    const merge = new Merge(2);
    merge.add(profileOf({ samples: [sample(['f'], 1, 10), sample(['gone'], 1, 1)] }), 0);
    merge.add(profileOf({ samples: [sample(['f'], 2, 30), sample(['new'], 1, 1)] }), 1);
    expect(samplesOf(merge.result(0))).toEqual(['f {} 1,10', 'gone {} 1,1']);
    expect(samplesOf(merge.result(1))).toEqual(['f {} 2,30', 'new {} 1,1']);
  });

  test('takes binaries without build id for one build on one side, and for two builds on two sides', () => {
    const profile = profileOf({ samples: [sample(['f'], 1, 1)] });
    const builds = (sides: number) => {
      const merge = new Merge(sides);
      merge.add(profile, 0);
      merge.add(profile, sides - 1);
      return merge.stacks().sampleCount;
    };
    expect([builds(1), builds(2)]).toEqual([1, 2]);
    const withBuildId = profileOf({ buildId: 'abc', samples: [sample(['f'], 1, 1)] });
    const merge = new Merge(2);
    merge.add(withBuildId, 0);
    merge.add(withBuildId, 1);
    expect(merge.stacks().sampleCount).toBe(1);
  });

  test('is as before when a profile cannot be added', () => {
    const huge = (name: string, ...values: bigint[]) =>
      profileOf({ timeNanos: 5n, samples: [{ stack: [name], values }] });
    const merge = new Merge();
    merge.add(profileOf({ samples: [{ stack: ['f'], values: [7n, 2n ** 63n - 1n] }] }));
    const before = merge.result();
    expect(() => merge.add(huge('f', -1n, 1n))).toThrow('does not fit 64 bits');
    expect(() => merge.add(profileOf({ types: ['other/count'] }))).toThrow('different sample types');
    expect(samplesOf(merge.result())).toEqual(samplesOf(before));
    expect(merge.result().header).toEqual(before.header);
    merge.add(huge('f', 1n, -1n));
    expect(samplesOf(merge.result())).toEqual([`f {} 8,${2n ** 63n - 2n}`]);
  });

  test('gives a result that later additions do not change, and changes no profile that is added', () => {
    const merge = new Merge();
    const profile = profileOf({ samples: [sample(['f', 'main'], 1, 1)] });
    const before = encodeProfile(profile);
    merge.add(profile);
    const result = merge.result();
    const written = encodeProfile(result);
    for (let i = 0; i < 300; i++) merge.add(profileOf({ samples: [sample([`g${i}`, 'main'], 1, 1)] }));
    expect(encodeProfile(result)).toEqual(written);
    expect(encodeProfile(profile)).toEqual(before);
  });
});

describe('labelProfile()', () => {
  test('marks every sample, and replaces a mark', () => {
    const profile = profileOf({
      samples: [{ stack: ['f'], values: [1, 1], labels: { bytes: 8 } }, sample(['g'], 1, 1)],
    });
    const once = labelProfile(profile, 'instance', 'i-1');
    expect(samplesOf(once)).toEqual(['f {bytes=8,instance=i-1} 1,1', 'g {instance=i-1} 1,1']);
    expect(samplesOf(labelProfile(once, 'instance', 'i-2'))).toEqual([
      'f {bytes=8,instance=i-2} 1,1',
      'g {instance=i-2} 1,1',
    ]);
    const merged = mergeProfiles([once, labelProfile(profile, 'instance', 'i-2')]);
    expect(decodeProfile(gzipProfile(merged)).sampleCount).toBe(4);
  });
});

describe('withComments()', () => {
  test('replaces the comments', () => {
    const profile = profileOf({ comments: ['old'] });
    expect(decodeProfile(encodeProfile(withComments(profile, ['new', 'λ']))).comments).toEqual(['new', 'λ']);
    expect(profile.comments).toEqual(['old']);
  });
});

describe('selectSampleTypes()', () => {
  test('keeps some columns in the order asked for', () => {
    const profile = profileOf({ types: ['a/count', 'b/count', 'c/count'], samples: [sample(['f'], 1, 2, 3)] });
    expect(samplesOf(selectSampleTypes(profile, ['c', 'a']))).toEqual(['f {} 3,1']);
    expect(() => selectSampleTypes(profile, ['d'])).toThrow(
      'Cannot find sample type "d": the profile has "a", "b", "c".',
    );
  });
});

describe('subtractProfile()', () => {
  const heap = (...samples: NonNullable<Description['samples']>) =>
    profileOf({ types: ['alloc_space/bytes', 'inuse_space/bytes'], samples });
  const row = (name: string, bytes: number, ...values: number[]) => ({ stack: [name], values, labels: { bytes } });

  test('subtracts counters, and leaves what is in use as it is', () => {
    const { profile, clamped } = subtractProfile(
      heap(row('f', 16, 100, 5), row('new', 16, 7, 7)),
      heap(row('f', 16, 60, 90), row('unchanged', 8, 0, 3)),
      ['alloc_space'],
    );
    expect(samplesOf(profile)).toEqual(['f {bytes=16} 40,5', 'new {bytes=16} 7,7']);
    expect(clamped).toBe(0);
  });

  test('adds up equal samples first, and respects the size of the allocation', () => {
    const { profile } = subtractProfile(
      heap(row('f', 16, 70, 0), row('f', 16, 50, 0), row('f', 32, 10, 0)),
      heap(row('f', 16, 100, 0), row('f', 32, 4, 0)),
      ['alloc_space'],
    );
    expect(samplesOf(profile)).toEqual(['f {bytes=16} 20,0', 'f {bytes=32} 6,0']);
  });

  test('counts a counter that went down, and takes it for zero', () => {
    const { profile, clamped } = subtractProfile(
      heap(row('f', 16, 10, 1)),
      heap(row('f', 16, 30, 1), row('g', 8, 5, 0)),
      ['alloc_space'],
    );
    expect(samplesOf(profile)).toEqual(['f {bytes=16} 0,1']);
    expect(clamped).toBe(2);
  });

  test('undoes a merge', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b = a] = generateProfiles(seed).map((bytes) => decodeProfile(bytes));
        const positive = (profile: typeof a) =>
          Object.assign(profile!, { values: profile!.values.map((word, i) => (i % 2 ? 0 : word & 0xfffff)) });
        const [later, earlier] = [mergeProfiles([positive(a), positive(b)]), b!];
        const { profile, clamped } = subtractProfile(
          later,
          earlier,
          later.sampleTypes.map(({ type }) => type),
        );
        expect(clamped).toBe(0);
        expect(canonical(profile)).toEqual(canonical(a!));
      }),
      { numRuns: 100 },
    );
  });
});
