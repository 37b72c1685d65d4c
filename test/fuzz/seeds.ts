import { gzipSync } from 'node:zlib';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { generateProfiles } from '../conformance/generate.ts';
import { MAX_BYTES } from './mutate.ts';

/** What the fuzzer begins with: generated profiles as two encoders write them, and one of every old format. */
export function seedInputs(): Uint8Array[] {
  const generated: Uint8Array[] = [];
  for (let seed = 1; generated.length < 60; seed++)
    for (const bytes of generateProfiles(seed, { columns: true, timeless: true }))
      if (bytes.length <= MAX_BYTES) generated.push(bytes);
  const small = generated.slice(0, 40);
  const written = small.map((bytes) => encodeProfile(decodeProfile(bytes)));
  const compressed = small.slice(0, 2).map((bytes) => new Uint8Array(gzipSync(bytes)));
  return [...small, ...written, ...compressed, ...texts(), ...binaries()].filter(({ length }) => length <= MAX_BYTES);
}

const MAP = [
  '',
  '--- Memory map: ---',
  '  build=/var/task',
  '  00400000-00500000: $build/main (@ff00) abc123',
  '  7f00000-8000000 r-xp 00001000 08:01 1234 /lib/libc.so.6',
  '  8000000-9000000 rw-p 00002000 08:01 1234 /lib/libc.so.6',
];

function texts(): Uint8Array[] {
  const rows = ['600 3 @ 0x401001 0x402001', '#	0x401000	main.f	/a.go:3', '1 1 @ 0x7f00100'];
  const header = ['cycles/second=2000000000', 'sampling period=10', 'ms since reset = 7', 'discarded samples = 1'];
  return [
    ...['contention', 'mutex'].map((name) => [`--- ${name}:`, ...header, ...rows, ...MAP]),
    ['--- contentionz 1 ---', ...header, ...rows, ...MAP],
    ...['heap/1048576', 'heap_v2/524288', 'heapz_v2/1', 'heapprofile', 'growthz', 'fragmentationz'].map((kind) => [
      `heap profile: 1: 524288 [3: 1572864] @ ${kind}`,
      '1: 524288 [3: 1572864] @ 0x420cef 0x422151',
      ' -1: -8 [ 0: 0] @ 0x420cef',
      ...MAP,
    ]),
    ['goroutine profile: total 3', '2 @ 0x44cb3 0x45045', '1 @ 0x44cb3', ...MAP],
    [
      ...['--- threadz 1 ---', '', '--- Thread 7f794ab90940 (name: main/14748) stack: ---'],
      ...['  PC:  0x00bc8f1c: helper(arg *)', '  0x0040be31: main', '--- Thread 7f (name: b) stack: ---'],
      ...['  [same as previous thread]', '---- no stack trace for 3', ...MAP],
    ],
    [
      ...['--- contentionz 1 ---', 'format = java', 'resolution = microseconds', 'sampling period = 10'],
      ...['  14     2 @ 0x00000003 0x0000000d', '', ' 0x0000003 GC'],
      ' 0x000000d com.example.Orders.read (Orders.java:12)',
    ],
    [
      ...['--- heapz 1 ---', 'format = java', 'resolution = bytes', '  1024     2 @ 0x00000003 0x0000000d'],
      ...['', ' 0x0000003 generated stub/JIT', ' 0x000000d a.b (c/D.java)'],
    ],
  ].map((lines) => new TextEncoder().encode(lines.join('\n')));
}

function binaries(): Uint8Array[] {
  const words = [0, 3, 0, 10_000, 0, 5, 2, 0x401000, 0x402001, 1, 3, 0x401000, 0x401001, 0x402001, 0, 1, 0];
  const inputs: Uint8Array[] = [];
  for (const isJava of [false, true])
    for (const size of [4, 8])
      for (const littleEndian of [true, false]) {
        const view = new DataView(new ArrayBuffer(words.length * size));
        for (const [i, word] of words.entries()) {
          const value = i === 2 && isJava ? 1 : word;
          if (size === 4) view.setUint32(i * 4, value, littleEndian);
          else view.setBigUint64(i * 8, BigInt(value), littleEndian);
        }
        const rest = isJava ? ' 0x401000 com.example.Orders.read (Orders.java:12)\n' : MAP.join('\n');
        inputs.push(Buffer.concat([new Uint8Array(view.buffer), Buffer.from(rest)]));
      }
  return inputs;
}
