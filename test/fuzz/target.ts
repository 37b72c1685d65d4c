import { type DecodeLimits, Decoder, decodeProfile } from '../../src/pprof/decode.ts';
import { encodeProfile } from '../../src/pprof/encode.ts';
import { DEFAULT_LIMITS, ProfileError } from '../../src/pprof/limits.ts';
import { mergeProfiles } from '../../src/pprof/merge.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';

/** Small limits, so that they are reached by small inputs. */
export const LIMITS: DecodeLimits = {
  ...DEFAULT_LIMITS,
  inflatedBytes: 2 ** 20,
  samples: 200,
  frames: 2000,
  values: 1000,
  entries: 200,
  headers: 50,
};

let decoder = new Decoder(LIMITS);

/** Decodes any bytes, as the first of a process. */
export function decodesFirst(bytes: Uint8Array): boolean {
  decoder = new Decoder(LIMITS);
  return decodes(bytes);
}

/** Decodes any bytes after others, as a merge does. @returns whether they are a profile. @throws what is not a ProfileError: a finding. */
export function decodes(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof ProfileError) return false;
    decoder = new Decoder(LIMITS);
    throw error;
  }
}

/**
 * What must hold of bytes that are a profile: it can be written, and what is written reads the same and is written the
 * same again; merged with itself, every total doubles; it can be weighed.
 * @throws Error if it does not hold.
 */
export function checkProfile(bytes: Uint8Array): void {
  const profile = decodeProfile(bytes, LIMITS);
  const written = encodeProfile(profile);
  if (Buffer.compare(encodeProfile(decoder.decode(bytes)), written) !== 0)
    throw new Error('A decoder that has read other profiles reads this one differently.');
  const again = decodeProfile(written);
  if (again.sampleCount !== profile.sampleCount) throw new Error('Written samples are not read again.');
  // Once, a label of no text may be lost: it is not distinguished from no label.
  const second = encodeProfile(again);
  if (Buffer.compare(encodeProfile(decodeProfile(second)), second) !== 0)
    throw new Error('Written again, the bytes differ.');
  try {
    const doubled = mergeProfiles([again, again]);
    for (const [type, { type: name }] of profile.sampleTypes.entries()) {
      if (BigInt.asIntN(64, 2n * total(profile, type)) !== total(doubled, type))
        throw new Error(`Merged with itself, the total of ${JSON.stringify(name)} does not double.`);
      weighProfile(profile, name);
    }
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error; // values beyond what can be added
  }
}

function total(profile: ReturnType<typeof decodeProfile>, type: number): bigint {
  let sum = 0n;
  for (let sample = 0; sample < profile.sampleCount; sample++) sum += profile.value(sample, type);
  return BigInt.asIntN(64, sum);
}
