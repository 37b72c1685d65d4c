import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { checkProfile } from '../fuzz/target.ts';

const directory = fileURLToPath(new URL('fuzz-findings', import.meta.url));

/** What decodeProfile() says of bytes; undefined if they are a profile. */
function refusal(bytes: Uint8Array): unknown {
  try {
    decodeProfile(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('what fuzzing found stays fixed', () => {
  test.each(readdirSync(directory))('%s is a profile that can be written again, or one ProfileError', (file) => {
    const bytes = readFileSync(join(directory, file));
    const refused = refusal(bytes);
    if (refused === undefined) checkProfile(bytes);
    else expect(refused).toBeInstanceOf(ProfileError);
  });
});

describe('old formats cannot make the decoder hang', () => {
  const megabytes = (text: string, count: number) => Buffer.from(text.repeat((count * 2 ** 20) / text.length));
  const head = (...lines: string[]) => Buffer.from(`${lines.join('\n')}\n`);

  test.each([
    ['blank lines where a format may be named', [head('--- contentionz 1 ---'), megabytes('\n', 7)]],
    [
      'a thread with millions of frames',
      [head('--- threadz 1 ---', '--- Thread 7f (name: a) stack: ---'), megabytes('0x1\n', 4)],
    ],
    [
      'variables that stand for more and more variables',
      [
        head('goroutine profile: total 1', '1 @ 0x1', '--- Memory map: ---'),
        head(...['a', 'b', 'c', 'd'].map((name, i, all) => `${name}=${`$${all[i + 1] ?? 'x'}`.repeat(100)}`)),
        megabytes(`${'$a'.repeat(2000)}\n`, 4),
      ],
    ],
    [
      'many addresses in many mapped files',
      [
        head('goroutine profile: total 1'),
        head(...Array.from({ length: 50_000 }, (_, i) => `1 @ 0x${(i + 1).toString(16)}`)),
        head('--- Memory map: ---', ...Array.from({ length: 50_000 }, () => 'f0000000-f0000001: /x')),
      ],
    ],
    [
      'a memory map of millions of lines',
      [head('goroutine profile: total 1', '--- Memory map: ---'), megabytes('$\n', 7)],
    ],
  ])('%s', (_, parts) => {
    const bytes = Buffer.concat(parts);
    const refused = refusal(bytes);
    if (refused !== undefined) expect(refused).toBeInstanceOf(ProfileError);
  });
});
