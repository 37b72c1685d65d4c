import { createHash, createHmac } from 'node:crypto';
import type { Call } from './call.ts';

/** What a SigV4 signature is computed over besides the request itself. */
export interface SigningScope {
  /** `20130524` */
  date: string;
  region: string;
  /** `20130524T000000Z` */
  amzDate: string;
}

const EMPTY_SHA256 = sha256Hex('');

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Percent-encodes everything but RFC 3986's unreserved characters. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `20130524/us-east-1/s3/aws4_request` */
function scopeText(scope: SigningScope): string {
  return `${scope.date}/${scope.region}/s3/aws4_request`;
}

/** The key that signs everything of one day, region and service. */
export function signingKey(secretAccessKey: string, scope: SigningScope): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region), 's3'), 'aws4_request');
}

/**
 * The canonical request of SigV4 as S3 defines it ("Signature calculations for the Authorization
 * header"): the path is decoded and encoded once, never normalised.
 */
export function canonicalRequest(call: Call, signedHeaders: readonly string[], payloadHash: string): string {
  const path = decodeURIComponent(call.rawPath.replaceAll('+', '%20')).split('/').map(encodeRfc3986).join('/');
  const query = call.query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = signedHeaders
    .map((name) => `${name}:${(call.wireHeaders.get(name) ?? '').trim().replace(/\s+/g, ' ')}\n`)
    .join('');
  return [call.method, path, query, headers, signedHeaders.join(';'), payloadHash].join('\n');
}

/** The text that is signed for a request. */
export function stringToSign(scope: SigningScope, canonicalHash: string): string {
  return ['AWS4-HMAC-SHA256', scope.amzDate, scopeText(scope), canonicalHash].join('\n');
}

export function sign(key: Buffer, text: string): string {
  return hmac(key, text).toString('hex');
}

/** The signature of one chunk of an aws-chunked body; `previous` is that of the request or chunk before. */
export function signChunk(key: Buffer, scope: SigningScope, previous: string, data: Uint8Array): string {
  const text = [scope.amzDate, scopeText(scope), previous, EMPTY_SHA256, sha256Hex(data)];
  return sign(key, ['AWS4-HMAC-SHA256-PAYLOAD', ...text].join('\n'));
}

/** The signature of the trailing headers, given as `name:value\n` lines. */
export function signTrailer(key: Buffer, scope: SigningScope, previous: string, trailer: string): string {
  const text = [scope.amzDate, scopeText(scope), previous, sha256Hex(trailer)];
  return sign(key, ['AWS4-HMAC-SHA256-TRAILER', ...text].join('\n'));
}
