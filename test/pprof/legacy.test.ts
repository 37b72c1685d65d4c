import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/pprof/columns.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { parseMemoryMap } from '../../src/pprof/memory-map.ts';
import { canonical } from './canonical.ts';
import { samplesOf } from './fixtures.ts';

const read = (...lines: string[]) => decodeProfile(Buffer.from(lines.join('\n')));
const types = ({ sampleTypes }: Profile) => sampleTypes.map(({ type, unit }) => `${type}/${unit}`);
const values = (profile: Profile) =>
  Array.from({ length: profile.sampleCount }, (_, i) =>
    profile.sampleTypes.map((_, type) => Number(profile.value(i, type))),
  );

describe('profiles of old Go versions', () => {
  test('reads the block and mutex profiles without samples that Go 1.9 wrote', () => {
    for (const name of ['contention', 'mutex']) {
      const profile = read(`--- ${name}:`, 'cycles/second=2494254000', '');
      expect(types(profile)).toEqual(['contentions/count', 'delay/nanoseconds']);
      expect(profile.sampleCount).toBe(0);
      expect(profile.periodType).toEqual({ type: 'contentions', unit: 'count' });
    }
  });

  test('converts cycles of a contention profile to nanoseconds', () => {
    const profile = read(
      '--- contention:',
      'cycles/second=2000000000',
      'sampling period=10',
      '600 3 @ 0x401001 0x402001',
      '#	0x401000	main.f	/a.go:3',
    );
    expect(values(profile)).toEqual([[30, 3000]]);
    expect(profile.period).toBe(10n);
    expect(profile.locations.size).toBe(2);
  });

  test('reads heap profiles, and undoes the sampling', () => {
    const profile = read(
      'heap profile: 1: 524288 [3: 1572864] @ heap/1048576',
      '1: 524288 [3: 1572864] @ 0x420cef 0x422151',
      '# 0x1 main.f',
    );
    expect(types(profile)).toEqual([
      'alloc_objects/count',
      'alloc_space/bytes',
      'inuse_objects/count',
      'inuse_space/bytes',
    ]);
    const scale = 1 / (1 - Math.exp(-1));
    expect(values(profile)).toEqual([[3, 1572864, 1, 524288].map((value) => Math.trunc(value * scale))]);
    expect(profile.labels(0)).toEqual([{ key: 'bytes', number: 524288n, unit: '' }]);
  });

  test('reads counts', () => {
    const profile = read('goroutine profile: total 3', '2 @ 0x44cb3 0x45045', '1 @ 0x44cb3', '');
    expect(types(profile)).toEqual(['goroutine/count']);
    expect(values(profile)).toEqual([[2], [1]]);
  });

  test.each([true, false])('reads binary CPU profiles (little-endian: %s)', (littleEndian) => {
    const words = [0, 3, 0, 10_000, 0, 5, 2, 0x401000, 0x402001, 1, 1, 0x401000, 0, 1, 0];
    const view = new DataView(new ArrayBuffer(words.length * 8));
    for (const [i, word] of words.entries()) view.setBigUint64(i * 8, BigInt(word), littleEndian);
    const map = Buffer.from('00400000-00500000: /var/task/main\n');
    const profile = decodeProfile(Buffer.concat([new Uint8Array(view.buffer), map]));
    expect(values(profile)).toEqual([
      [5, 50_000_000],
      [1, 10_000_000],
    ]);
    expect(profile.mappings.map(({ file }) => profile.text(file))).toEqual(['/var/task/main']);
    expect(canonical(decodeProfile(encodeProfile(profile)))).toEqual(canonical(profile));
  });

  test.each([
    [['--- contention:', 'cycles/second=x'], /line 2 is malformed: "cycles\/second=x"/],
    [['--- mutex:', 'abc'], /line 2 is malformed/],
    [['heap profile: 1: 2 [3: 4] @ other/3'], /line 1 is malformed/],
    [['heap profile: 1: 2 [3: 4] @ heap/3', '1: 2 @'], /line 2 is malformed/],
    [['goroutine profile: total 1', '1 @ zzz'], /line 2 is malformed/],
  ])('says which line it does not understand: %s', (lines, message) => {
    expect(() => read(...lines)).toThrow(message);
  });

  test('reads the names that profiles of Java hold', () => {
    const profile = read(
      ...['--- contentionz 1 ---', 'format = java', 'resolution = microseconds', 'sampling period = 10'],
      ...[
        '  14     2 @ 0x00000003 0x0000000d',
        '',
        ' 0x0000003 GC',
        ' 0x000000d com.example.Orders.read (Orders.java:12)',
      ],
    );
    expect(types(profile)).toEqual(['contentions/count', 'delay/microseconds']);
    expect(samplesOf(profile)).toEqual(['GC;com.example.Orders.read {} 20,140']);
    expect(profile.mappings).toEqual([]);
  });

  test('refuses a binary sample that is longer than the data', () => {
    const words = Int32Array.of(0, 3, 0, 10_000, 0, 1, 1000, 7);
    expect(() => decodeProfile(new Uint8Array(words.buffer))).toThrow('the sample at byte 20 is longer than the data');
  });
});

describe('parseMemoryMap()', () => {
  test('reads /proc/self/maps and short lists, joins parts, and puts the binary first', () => {
    expect(
      parseMemoryMap([
        '7f00-8000 r-xp 00001000 08:01 1234 /lib/libc.so.6',
        '8000-9000 rw-p 00002000 08:01 1234 /lib/libc.so.6',
        'build=/home/me',
        '  00400000-00500000: $build/main (@ff00) abc123',
        '00500000-00600000: /home/me/main',
        'nonsense',
      ]),
    ).toEqual([
      { start: 0x400000n, limit: 0x600000n, offset: 0xff00n, file: '/home/me/main', buildId: 'abc123' },
      { start: 0x7f00n, limit: 0x8000n, offset: 0x1000n, file: '/lib/libc.so.6', buildId: '' },
    ]);
  });

  test('does not let variables grow without bound', () => {
    const lines = Array.from({ length: 90 }, (_, i) => `v${i}=$v${i - 1}$v${i - 1}xxxxxxxx`);
    expect(parseMemoryMap([...lines, '00400000-00500000: $v89'])).toHaveLength(1);
  });
});
