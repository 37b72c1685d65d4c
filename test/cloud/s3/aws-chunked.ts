import { S3Error } from './errors.ts';

/** How to check the signatures inside a signed body; each takes the signature before it. */
export interface ChunkSignatures {
  /** The request's own signature, from which the chain starts. */
  seed: string;
  chunk: (previous: string, data: Uint8Array) => string;
  trailer: (previous: string, lines: string) => string;
}

const MIN_CHUNK_BYTES = 8192;
const MAX_LINE_BYTES = 128;
const MAX_TRAILER_BYTES = 4096;
const CRLF = '\r\n';

/**
 * Undoes `Content-Encoding: aws-chunked`: `size[;chunk-signature=…]CRLF data CRLF`, a chunk of size
 * zero, then the trailing headers. `trailerNames` are those announced in `x-amz-trailer`, or undefined
 * for the variants without trailers. Signatures are checked when `signatures` is given.
 */
export function decodeAwsChunked(
  raw: Buffer,
  trailerNames: readonly string[] | undefined,
  signatures: ChunkSignatures | undefined,
): { bytes: Buffer; trailers: Map<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  let signature = signatures?.seed ?? '';
  for (;;) {
    const end = raw.indexOf(CRLF, at);
    if (end < 0 || end - at > MAX_LINE_BYTES) throw new S3Error('IncompleteBody');
    const header = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(raw.toString('latin1', at, end));
    if (!header) throw new S3Error('IncompleteBody');
    const sizeBytes = Number.parseInt(header[1]!, 16);
    const chunk = raw.subarray(end + 2, end + 2 + sizeBytes);
    if (chunk.length < sizeBytes) throw new S3Error('IncompleteBody');
    if (signatures) {
      const expected = signatures.chunk(signature, chunk);
      if (header[2] !== expected) throw new S3Error('SignatureDoesNotMatch');
      signature = expected;
    }
    at = end + 2 + sizeBytes;
    if (sizeBytes === 0) break;

    const before = chunks.at(-1);
    if (before && before.length < MIN_CHUNK_BYTES) {
      throw new S3Error('InvalidChunkSizeError', {
        details: { Chunk: chunks.length + 1, BadChunkSize: before.length },
      });
    }
    if (raw.toString('latin1', at, at + 2) !== CRLF) throw new S3Error('IncompleteBody');
    at += 2;
    chunks.push(chunk);
  }
  if (raw.length - at > MAX_TRAILER_BYTES) throw new S3Error('MalformedTrailerError');
  const trailers = parseTrailers(raw.toString('latin1', at));
  const trailerSignature = trailers.get('x-amz-trailer-signature');
  trailers.delete('x-amz-trailer-signature');
  const announced = new Set(trailerNames ?? []);
  if (announced.size !== trailers.size || [...trailers.keys()].some((name) => !announced.has(name))) {
    throw new S3Error('MalformedTrailerError');
  }
  if (signatures && trailerNames) {
    const lines = [...trailers].map(([name, value]) => `${name}:${value}\n`).sort();
    if (trailerSignature !== signatures.trailer(signature, lines.join(''))) throw new S3Error('SignatureDoesNotMatch');
  }
  return { bytes: Buffer.concat(chunks), trailers };
}

function parseTrailers(text: string): Map<string, string> {
  const trailers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw new S3Error('MalformedTrailerError');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return trailers;
}
