import { promisify } from 'node:util';
import { gunzip, gunzipSync, type ZlibOptions } from 'node:zlib';
import { DEFAULT_LIMITS, type DecodeLimits, ProfileError } from './limits.ts';

/** Deflate cannot shrink bytes to less than 1/1032, so a trailer that promises more is not believed. */
const MAX_RATIO = 1032;

/**
 * The bytes of a profile without their gzip, if they have one; gzip may have several members.
 * @throws ProfileError if the bytes are more than the limits allow, or the gzip is damaged.
 */
export function inflate(bytes: Uint8Array, limits: DecodeLimits = DEFAULT_LIMITS): Uint8Array {
  if (!isGzip(bytes, limits)) return bytes;
  try {
    return gunzipSync(bytes, options(bytes, limits));
  } catch (error) {
    throw damaged(error, limits);
  }
}

const gunzipAside = promisify<Uint8Array, ZlibOptions, Uint8Array>(gunzip);

/** Like `inflate`, on the thread pool: several at a time decompress beside a merge. Small inputs do not leave the thread. */
export async function inflateAside(bytes: Uint8Array, limits: DecodeLimits = DEFAULT_LIMITS): Promise<Uint8Array> {
  if (bytes.length < 16_384) return inflate(bytes, limits);
  if (!isGzip(bytes, limits)) return bytes;
  try {
    return await gunzipAside(bytes, options(bytes, limits));
  } catch (error) {
    throw damaged(error, limits);
  }
}

function isGzip(bytes: Uint8Array, limits: DecodeLimits): boolean {
  if (bytes.length > limits.compressedBytes)
    throw new ProfileError(
      `Cannot read the profile: it has ${bytes.length} bytes, more than the limit of ${limits.compressedBytes}.`,
    );
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  if (bytes.length > limits.inflatedBytes)
    throw new ProfileError(
      `Cannot read the profile: it has ${bytes.length} bytes, more than the limit of ${limits.inflatedBytes}.`,
    );
  return false;
}

// One output chunk of the size that the trailer of the (last) member names spares copies; it is only a hint.
function options(bytes: Uint8Array, limits: DecodeLimits): ZlibOptions {
  const end = bytes.length;
  const promised =
    end < 18 ? 0 : (bytes[end - 4]! | (bytes[end - 3]! << 8) | (bytes[end - 2]! << 16) | (bytes[end - 1]! << 24)) >>> 0;
  const chunkSize = Math.max(1024, Math.min(promised + 1, end * MAX_RATIO, limits.inflatedBytes + 1));
  return { chunkSize, maxOutputLength: limits.inflatedBytes };
}

function damaged(error: unknown, limits: DecodeLimits): ProfileError {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_BUFFER_TOO_LARGE'
    ? new ProfileError(
        `Cannot read the profile: it decompresses to more than the limit of ${limits.inflatedBytes} bytes.`,
      )
    : new ProfileError(`Cannot read the profile: its gzip data is damaged (${message}).`);
}
