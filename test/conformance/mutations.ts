import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProfile, ProfileError } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { inflate } from '../../src/pprof/inflate.ts';
import type { Description } from './descriptions.ts';
import { randomNumbers } from './generate.ts';
import type { Outcomes } from './outcomes.ts';

/** Mutants of each file. */
const MUTANTS = 40;

/**
 * Corrupted and truncated files end in a profile that can be written and read again, or in one ProfileError, within
 * bounded time.
 */
export function checkMutations(directory: string, descriptions: Description[], outcomes: Outcomes): void {
  const random = randomNumbers(20_240_607);
  for (const { File } of descriptions) {
    if (/bomb/.test(File)) continue;
    outcomes.check(`mutants of ${File}`, () => {
      let bytes: Uint8Array;
      try {
        bytes = inflate(readFileSync(join(directory, File)));
      } catch {
        return [];
      }
      if (bytes.length === 0 || bytes.length > 200_000) return [];
      for (let i = 0; i < MUTANTS; i++) {
        const started = performance.now();
        tryDecoding(mutated(bytes, random));
        if (performance.now() - started > 2000) return [`mutant ${i} took longer than two seconds`];
      }
      return [];
    });
  }
}

function tryDecoding(bytes: Uint8Array): void {
  try {
    decodeProfile(encodeProfile(decodeProfile(bytes)));
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
  }
}

function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = bytes.slice(0, random() < 0.2 ? Math.floor(random() * bytes.length) : bytes.length);
  const changes = 1 + Math.floor(random() * 8);
  for (let i = 0; i < changes; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  return copy;
}
