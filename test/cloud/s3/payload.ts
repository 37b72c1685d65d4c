import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Authenticated } from './authenticate.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import type { Call } from './call.ts';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  fullObjectChecksum,
  isChecksumValue,
  parseAlgorithm,
} from './checksums.ts';
import { S3Error } from './errors.ts';
import { sha256Hex, signChunk, signTrailer } from './signature.ts';

/** The body of a request, decoded and verified. */
export interface Payload {
  bytes: Buffer;
  /** The checksum the client sent; undefined when it sent none. */
  checksum: Checksum | undefined;
}

/** Everything is kept in memory, so uploads stop far below S3's own 5 GB. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** Reads a request's body. Throws `EntityTooLarge` before reading what is announced as more than 256 MB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = (bytes: number) =>
    new S3Error('EntityTooLarge', {
      details: { ProposedSize: bytes, MaxSizeAllowed: MAX_BODY_BYTES },
      headers: { connection: 'close' },
    });
  const announcedBytes = Math.max(
    Number(request.headers['content-length'] ?? 0),
    Number(request.headers['x-amz-decoded-content-length'] ?? 0),
  );
  if (announcedBytes > MAX_BODY_BYTES) throw tooLarge(announcedBytes);
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  // Leaving the loop early must not destroy the connection the error is to be sent on.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    receivedBytes += chunk.length;
    if (receivedBytes > MAX_BODY_BYTES) throw tooLarge(receivedBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Undoes the transfer of a body and verifies everything said about it: `x-amz-content-sha256`,
 * chunk and trailer signatures, `Content-MD5` and, unless `checksumIsOfObject` (completing a multipart
 * upload names the checksum of the object, not of the request), `x-amz-checksum-*`.
 */
export function openPayload(raw: Buffer, call: Call, sender: Authenticated, checksumIsOfObject: boolean): Payload {
  const { bytes, trailers } = decodeTransfer(raw, call, sender);
  verifyMd5(bytes, call.headers.get('content-md5'));
  if (checksumIsOfObject) return { bytes, checksum: undefined };
  const given = givenChecksum(call, trailers);
  if (!given) return { bytes, checksum: undefined };

  const { algorithm, value, where } = given;
  if (!isChecksumValue(algorithm, value)) {
    throw new S3Error('InvalidRequest', { message: `Value for ${checksumHeader(algorithm)} ${where} is invalid.` });
  }
  const checksum = fullObjectChecksum(algorithm, bytes);
  if (checksum.value !== value) {
    throw new S3Error('BadDigest', {
      message: `The ${algorithm} you specified did not match the calculated checksum.`,
    });
  }
  return { bytes, checksum };
}

function decodeTransfer(
  raw: Buffer,
  call: Call,
  sender: Authenticated,
): { bytes: Buffer; trailers: Map<string, string> } {
  const { payloadHash, key, scope } = sender;
  if (!payloadHash.startsWith('STREAMING-')) {
    if (call.headers.has('transfer-encoding')) {
      throw new S3Error('NotImplemented', { details: { Header: 'Transfer-Encoding' } });
    }
    if (payloadHash !== 'UNSIGNED-PAYLOAD') verifySha256(raw, payloadHash);
    return { bytes: raw, trailers: new Map() };
  }
  const announced = call.headers.get('x-amz-decoded-content-length');
  if (announced === undefined) throw new S3Error('MissingContentLength');
  const trailerNames = payloadHash.endsWith('-TRAILER')
    ? (call.headers.get('x-amz-trailer') ?? '')
        .split(',')
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== '')
    : undefined;
  const signatures = payloadHash.startsWith('STREAMING-AWS4')
    ? {
        seed: sender.signature,
        chunk: (previous: string, data: Uint8Array) => signChunk(key, scope, previous, data),
        trailer: (previous: string, lines: string) => signTrailer(key, scope, previous, lines),
      }
    : undefined;
  const decoded = decodeAwsChunked(raw, trailerNames, signatures);
  if (String(decoded.bytes.length) !== announced) {
    throw new S3Error('IncompleteBody', {
      message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
    });
  }
  return decoded;
}

function verifySha256(raw: Buffer, claimed: string): void {
  const computed = sha256Hex(raw);
  if (computed !== claimed) {
    throw new S3Error('XAmzContentSHA256Mismatch', {
      details: { ClientComputedContentSHA256: claimed, S3ComputedContentSHA256: computed },
    });
  }
}

function verifyMd5(bytes: Buffer, given: string | undefined): void {
  if (given === undefined) return;
  if (Buffer.from(given, 'base64').length !== 16)
    throw new S3Error('InvalidDigest', { details: { 'Content-MD5': given } });
  const computed = createHash('md5').update(bytes).digest('base64');
  if (computed !== given) {
    throw new S3Error('BadDigest', { details: { ExpectedDigest: given, CalculatedDigest: computed } });
  }
}

/** The one checksum of a request, from its headers or its trailers. */
function givenChecksum(
  call: Call,
  trailers: ReadonlyMap<string, string>,
): { algorithm: ChecksumAlgorithm; value: string; where: string } | undefined {
  const settings = ['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode'];
  const found = [
    ...[...call.headers].map(([name, value]) => ({ name, value, where: 'header' })),
    ...[...trailers].map(([name, value]) => ({ name, value, where: 'trailing header' })),
  ].filter(({ name }) => name.startsWith('x-amz-checksum-') && !settings.includes(name));
  const announced = call.headers.get('x-amz-sdk-checksum-algorithm');
  const [first] = found;
  if (!first) {
    if (announced === undefined) return undefined;
    throw new S3Error('InvalidRequest', {
      message:
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    });
  }
  if (found.length > 1) {
    throw new S3Error('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    });
  }
  const algorithm = parseAlgorithm(first.name.slice('x-amz-checksum-'.length));
  if (!algorithm) {
    throw new S3Error('InvalidRequest', {
      message: 'The algorithm type you specified in x-amz-checksum- header is invalid.',
    });
  }
  if (announced !== undefined && announced.toUpperCase() !== algorithm) {
    throw new S3Error('InvalidRequest', { message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.' });
  }
  return { algorithm, value: first.value, where: first.where };
}
