import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS, decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { generateProfiles } from '../conformance/generate.ts';
import { canonical } from './canonical.ts';
import { profileBytes, profileOf, samplesOf } from './fixtures.ts';

/** -1 as a varint. */
const negative = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];

const TWO_SAMPLES = {
  samples: [
    { stack: ['work@a.go:3', 'main@a.go:9'], values: [2, 20_000_000], labels: { thread: 'a', bytes: 64 } },
    { stack: ['main@a.go:12'], values: [1, 10_000_000] },
  ],
};

describe('decodeProfile()', () => {
  test('reads what another encoder wrote', () => {
    const profile = profileOf({ ...TWO_SAMPLES, comments: ['hello'], defaultSampleType: 'cpu' });
    expect(samplesOf(profile)).toEqual(['main {} 1,10000000', 'work;main {thread=a,bytes=64} 2,20000000']);
    expect(profile.sampleTypes).toEqual([
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ]);
    expect(profile.periodType).toEqual({ type: 'cpu', unit: 'nanoseconds' });
    expect(profile.period).toBe(10_000_000n);
    expect(profile.timeNanos).toBe(1_700_000_000_000_000_000n);
    expect(profile.durationNanos).toBe(10_000_000_000n);
    expect(profile.comments).toEqual(['hello']);
    expect(profile.defaultSampleType).toBe('cpu');
  });

  test('reads gzip of one member, of several, and none', () => {
    const raw = profileBytes(TWO_SAMPLES);
    const half = raw.length >> 1;
    const members = Buffer.concat([gzipSync(raw.subarray(0, half)), gzipSync(raw.subarray(half))]);
    for (const bytes of [raw, gzipSync(raw), members])
      expect(samplesOf(decodeProfile(bytes))).toEqual(samplesOf(profileOf(TWO_SAMPLES)));
  });

  test('keeps values beyond 2^53 and below zero exact', () => {
    const values = [2n ** 63n - 1n, -(2n ** 62n) - 1n];
    const profile = profileOf({ samples: [{ stack: ['f'], values }] });
    expect([profile.value(0, 0), profile.value(0, 1)]).toEqual(values);
  });

  test('keeps the bytes of names that are not UTF-8', () => {
    const bytes = profileBytes({ samples: [{ stack: ['caf_'], values: [1, 1] }] });
    const at = Buffer.from(bytes).indexOf('caf_');
    bytes[at + 3] = 0xe9;
    const profile = decodeProfile(bytes);
    expect(samplesOf(profile)[0]).toContain('caf\u{FFFD}');
    expect(Buffer.from(encodeProfile(profile)).includes(Buffer.from([0x63, 0x61, 0x66, 0xe9]))).toBe(true);
  });

  test.each([
    ['nothing', new Uint8Array(), /it is empty/],
    [
      'a web page',
      Buffer.from('<html><body>Not found</body></html>'),
      /this is not a pprof profile \(field 7 at byte 0 is malformed: .*\)\.$/,
    ],
    ['a truncated gzip', gzipSync(profileBytes(TWO_SAMPLES)).subarray(0, 40), /gzip data is damaged/],
    ['garbage after gzip', Buffer.concat([gzipSync(profileBytes(TWO_SAMPLES)), Buffer.from('garbage')]), /damaged/],
    [
      'a profile twice',
      Buffer.concat([profileBytes({}), profileBytes({})]),
      /^Cannot read the profile: the .* at byte \d+ is malformed/,
    ],
    ['no string table', Buffer.from([0x48, 1]), /no string table/],
    ['a group', Buffer.from([0x32, 0, 0xfb, 0x05]), /field 95 at byte 2 is malformed: field 95 is a group/],
    ['a negative string', bytes([0x32, 0], [0x70, ...negative]), /field 14 at byte 2 .* negative or too large/],
    ['a string that is not there', bytes([0x32, 0], [0x70, 9]), /field 14 at byte 2 .* string 9, but the table has 1/],
    ['a first string that is not empty', bytes([0x32, 1, 0x61]), /the string at byte 0 .* not empty/],
    [
      'a value too many',
      bytes([0x32, 0, 0x0a, 0], [0x12, 4, 0x10, 1, 0x10, 2]),
      /sample at byte 4 .* 2 values, .* 1 sample type/,
    ],
    ['values without types', bytes([0x32, 0], [0x12, 2, 0x10, 1]), /sample at byte 2 .* 1 values, .* 0 sample types/],
    [
      'a location that is not there',
      bytes([0x32, 0, 0x0a, 0], [0x12, 4, 0x08, 9, 0x10, 1]),
      /sample at byte 4 .* location/,
    ],
    ['location 0', bytes([0x32, 0, 0x0a, 0], [0x12, 4, 0x08, 0, 0x10, 1]), /sample at byte 4 .* location 0/],
    ['a location without id', bytes([0x32, 0], [0x22, 2, 0x18, 1]), /location at byte 2 .* id is missing or 0/],
    ['a function twice', bytes([0x32, 0], [0x2a, 2, 8, 1], [0x2a, 2, 8, 1]), /function at byte 6 .* same id/],
    ['a mapping twice', bytes([0x32, 0], [0x1a, 2, 8, 1], [0x1a, 2, 8, 1]), /mapping at byte 6 .* same id/],
    [
      'a line without function',
      bytes([0x32, 0], [0x22, 6, 8, 1, 0x22, 2, 0x10, 1]),
      /location at byte 2 .* line without a function/,
    ],
    [
      'a function that is not there',
      bytes([0x32, 0], [0x22, 6, 8, 1, 0x22, 2, 8, 7]),
      /location at byte 2 .* function/,
    ],
    ['a field that is too long', bytes([0x32, 0], [0x12, 0x7f, 1]), /sample at byte 2 .* runs past the end/],
    ['a field longer than its message', bytes([0x32, 0], [0x22, 3, 8, 0x81, 0x81, 1]), /location at byte 2/],
  ])('refuses %s in one sentence that says where', (_, bytes, message) => {
    expect(() => decodeProfile(bytes)).toThrow(ProfileError);
    expect(() => decodeProfile(bytes)).toThrow(message);
  });

  test.each([
    ['compressedBytes', { compressedBytes: 10 }, /more than the limit of 10/],
    ['inflatedBytes', { inflatedBytes: 100 }, /more than the limit of 100 bytes/],
    ['samples', { samples: 1 }, /more than 1 samples, the limit/],
    ['frames', { frames: 1 }, /more than 1 frames|runs past|frames, the limit/],
    ['values', { values: 3 }, /more than 3 values, the limit/],
    ['entries', { entries: 1 }, /more than 1 \w+, the limit/],
    ['headers', { headers: 1 }, /more than 1 sample types, the limit/],
  ])('refuses what exceeds the limit of %s', (_, limit, message) => {
    const many = { samples: Array.from({ length: 50 }, (_, i) => ({ stack: [`f${i}`, 'g', 'main'], values: [1, 2] })) };
    const bytes = gzipSync(profileBytes(many));
    expect(() => decodeProfile(bytes, { ...DEFAULT_LIMITS, ...limit })).toThrow(message);
  });

  test('stops a gzip bomb at the limit', () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    expect(() => decodeProfile(bomb, { ...DEFAULT_LIMITS, inflatedBytes: 1_000_000 })).toThrow(
      /decompresses to more than/,
    );
  });

  test('ends in a profile or in one ProfileError for any bytes', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        fc.nat(),
        (seed, changes, cut) => {
          const [original] = generateProfiles(seed);
          const bytes = cut % 5 === 0 ? original!.slice(0, cut % original!.length) : original!.slice();
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          try {
            decodeProfile(encodeProfile(decodeProfile(bytes)));
          } catch (error) {
            expect(error).toBeInstanceOf(ProfileError);
          }
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeProfile(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProfileError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('encodeProfile()', () => {
  test('writes what reads the same, again and again', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        for (const bytes of generateProfiles(seed, { columns: true, timeless: true })) {
          const profile = decodeProfile(bytes);
          const written = encodeProfile(profile);
          const again = decodeProfile(written);
          expect(canonical(again)).toEqual(canonical(profile));
          expect(again.header).toEqual(profile.header);
          expect(again.sampleCount).toBe(profile.sampleCount);
          expect(encodeProfile(again)).toEqual(written);
        }
      }),
      { numRuns: 100 },
    );
  });
});

function bytes(...parts: number[][]): Uint8Array {
  return Uint8Array.from(parts.flat());
}
