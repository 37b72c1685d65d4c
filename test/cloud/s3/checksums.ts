import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The object checksums of S3, as they are spelt in `x-amz-checksum-algorithm`. */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** A stored checksum. `value` is base64; a composite one ends in `-` and the number of parts. */
export interface Checksum {
  algorithm: ChecksumAlgorithm;
  type: 'FULL_OBJECT' | 'COMPOSITE';
  value: string;
}

/** Byte length of each checksum, to tell a malformed value from a wrong one. */
const LENGTH_BYTES: Record<ChecksumAlgorithm, number> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** Table of a reflected 32-bit CRC. */
function crc32Table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
}

/** RFC 3720 appendix B.4 (Castagnoli), reflected. */
const CRC32C = crc32Table(0x82f63b78);

/** NVM Express NVM command set, "64b CRC", polynomial 0xad93d23594c93659 reflected; in two 32-bit halves. */
const CRC64_HIGH = new Uint32Array(256);
const CRC64_LOW = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
  CRC64_HIGH[byte] = Number(crc >> 32n);
  CRC64_LOW[byte] = Number(crc & 0xffffffffn);
}

function crc32c(bytes: Uint8Array): Buffer {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC32C[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  const result = Buffer.alloc(4);
  result.writeInt32BE(~crc);
  return result;
}

function crc64nvme(bytes: Uint8Array): Buffer {
  let high = -1;
  let low = -1;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ CRC64_LOW[index]!;
    high = (high >>> 8) ^ CRC64_HIGH[index]!;
  }
  const result = Buffer.alloc(8);
  result.writeInt32BE(~high, 0);
  result.writeInt32BE(~low, 4);
  return result;
}

/** The raw checksum of these bytes, big-endian as S3 encodes it. */
export function computeChecksum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Buffer {
  switch (algorithm) {
    case 'CRC32': {
      const result = Buffer.alloc(4);
      result.writeUInt32BE(crc32(bytes));
      return result;
    }
    case 'CRC32C':
      return crc32c(bytes);
    case 'CRC64NVME':
      return crc64nvme(bytes);
    case 'SHA1':
      return createHash('sha1').update(bytes).digest();
    case 'SHA256':
      return createHash('sha256').update(bytes).digest();
  }
}

/** The checksum of a whole object. */
export function fullObjectChecksum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Checksum {
  return { algorithm, type: 'FULL_OBJECT', value: computeChecksum(algorithm, bytes).toString('base64') };
}

/** The checksum of a multipart object: that of its parts' raw checksums, and their number. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const raw = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
  const value = `${computeChecksum(algorithm, raw).toString('base64')}-${parts.length}`;
  return { algorithm, type: 'COMPOSITE', value };
}

/** Is this base64 of the right length for the algorithm? */
export function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const raw = Buffer.from(value, 'base64');
  return raw.length === LENGTH_BYTES[algorithm] && raw.toString('base64') === value;
}

/** The algorithm of a name in any case (`crc32c`), or undefined. */
export function parseAlgorithm(name: string): ChecksumAlgorithm | undefined {
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
}

/** `x-amz-checksum-crc32c` */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}
