import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/pprof/columns.ts';
import { DEFAULT_LIMITS, decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { mergeProfiles } from '../../src/pprof/merge.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import { foldSnapshots, type Snapshot } from '../../src/snapshots/window.ts';
import { generateProfiles } from '../conformance/generate.ts';
import { canonical } from './canonical.ts';
import { profileBytes, profileOf, samplesOf } from './fixtures.ts';

const total = (profile: Profile, type: number): bigint =>
  Array.from({ length: profile.sampleCount }, (_, i) => profile.value(i, type)).reduce((a, b) => a + b, 0n);

describe('decodeProfile() of what code under review may publish', () => {
  test('takes ids up to 2^64 - 1', () => {
    const max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    const message = (tag: number, ...bytes: number[]) => [tag, bytes.length, ...bytes];
    const bytes = Uint8Array.from([
      ...message(0x0a, 8, 1, 16, 1),
      ...message(0x12, 8, ...max, 16, 5),
      ...message(0x22, 8, ...max, ...message(0x22, 8, ...max)),
      ...message(0x2a, 8, ...max, 16, 1),
      ...message(0x32),
      ...message(0x32, 0x66),
    ]);
    const profile = decodeProfile(bytes);
    expect(samplesOf(profile)).toEqual(['f {} 5']);
    expect(samplesOf(decodeProfile(encodeProfile(profile)))).toEqual(['f {} 5']);
  });

  test('counts a function that calls itself, or two that call each other, once in a sample', () => {
    const stack = Array.from({ length: 30_000 }, (_, i) => (i % 2 === 0 ? 'even' : 'odd'));
    const weights = weighProfile(profileOf({ samples: [{ stack, values: [1, 7] }] }), 'cpu');
    expect(weights.names.map((name, i) => [name, weights.self[0]![i], weights.total[0]![i]]).sort()).toEqual([
      ['even', 7, 7],
      ['odd', 0, 7],
    ]);
  });

  test('keeps a name of a million characters, and names of prototypes, and negative values', () => {
    const names = ['x'.repeat(1_000_000), '__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const profile = profileOf({ samples: names.map((name, i) => ({ stack: [name], values: [i, -10 * i] })) });
    const merged = mergeProfiles([profile, profile]);
    const weights = weighProfile(merged, 'cpu');
    expect(new Map(weights.names.map((name, i) => [name, weights.self[0]![i]])).get('__proto__')).toBe(-20);
    expect(weights.names.sort()).toEqual(names.slice(1).concat(names[0]!).sort());
  });

  test('stops a bomb in its second gzip member, and one with a trailer that lies', () => {
    const zeros = gzipSync(Buffer.alloc(4_000_000));
    const limits = { ...DEFAULT_LIMITS, inflatedBytes: 1_000_000 };
    const members = Buffer.concat([gzipSync(profileBytes({})), zeros]);
    const lying = Buffer.from(zeros);
    lying.writeUInt32LE(10, lying.length - 4);
    for (const bomb of [members, lying]) expect(() => decodeProfile(bomb, limits)).toThrow(ProfileError);
  });
});

describe('mergeProfiles()', () => {
  test('is commutative and associative, has an identity, and keeps totals', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b = a, c = b] = generateProfiles(seed).map((bytes) => decodeProfile(bytes)) as Profile[];
        const all = canonical(mergeProfiles([a!, b!, c!]));
        expect(canonical(mergeProfiles([c!, a!, b!]))).toEqual(all);
        expect(canonical(mergeProfiles([mergeProfiles([a!, b!]), c!]))).toEqual(all);
        expect(canonical(mergeProfiles([a!, mergeProfiles([b!, c!])]))).toEqual(all);
        const empty = Object.assign(decodeProfile(profileBytes({})), { header: a!.header });
        expect(canonical(mergeProfiles([a!, empty]))).toEqual(canonical(a!));
        for (const [type] of a!.sampleTypes.entries())
          expect(total(mergeProfiles([a!, b!]), type)).toBe(total(a!, type) + total(b!, type));
      }),
      { numRuns: 60 },
    );
  });
});

describe('foldSnapshots()', () => {
  test('keeps the CPU of every window of every instance, in any order, each once', () => {
    const windows = fc.array(
      fc.record({ instance: fc.constantFrom('a', 'b', 'c'), slot: fc.nat(5), cpu: fc.nat(1e6) }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(windows, fc.boolean(), (windows, isReversed) => {
        const snapshots = windows.map(({ instance, slot, cpu }, i): Snapshot => {
          const profile = profileOf({ samples: [{ stack: ['work', 'main'], values: [1, cpu + 1] }] });
          const key = `${i}-cpu.${instance}.profile`;
          return {
            key,
            stack: 's',
            type: 'cpu',
            slot,
            instance,
            etag: String(i),
            lastModifiedMs: i,
            bytes: 1,
            profile,
          };
        });
        const twice = [...snapshots, ...snapshots];
        const folded = foldSnapshots(isReversed ? twice.reverse() : twice);
        for (const { instance, profile } of folded) {
          const own = windows.filter((window) => window.instance === instance);
          expect(total(profile, 1)).toBe(BigInt(own.reduce((sum, { cpu }) => sum + cpu + 1, 0)));
        }
        expect(folded.map(({ instance }) => instance)).toEqual([...new Set(windows.map((one) => one.instance))].sort());
      }),
      { numRuns: 60 },
    );
  });
});
