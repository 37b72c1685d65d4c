import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { S3Error } from './errors.ts';

/** One request, taken apart but not yet believed. */
export interface Call {
  method: string;
  /** The path and the query exactly as they came, for the signature. */
  rawPath: string;
  query: (readonly [name: string, value: string])[];
  /** Headers as they came on the wire, names in lower case, several values joined by a comma. */
  wireHeaders: Map<string, string>;
  /** Headers as S3 reads them: the wire's, and for a presigned URL those hoisted into the query. */
  headers: Map<string, string>;
  presigned: boolean;
  /** Empty for requests to the service itself. */
  bucket: string;
  /** Empty for requests to a bucket. */
  key: string;
}

const MAX_KEY_BYTES = 1024;
/** `bucket.s3.eu-west-1.amazonaws.com`, `bucket.s3.localhost`, `bucket.localhost`, each also without a bucket. */
const ENDPOINT = /^(?:(.+?)\.)??(?:s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|s3\.localhost|localhost)$/;
/**
 * The SDK presigns an upload with the checksum of an empty body (`x-amz-checksum-crc32=AAAAAA==`).
 * S3 takes hoisted headers seriously except these, or no such URL would ever work.
 */
const NOT_HOISTED = /^x-amz-(?:checksum-(?:crc32|crc32c|crc64nvme|sha1|sha256)|sdk-checksum-algorithm)$/;

/** Decodes a component of the URL; S3 reads `+` as a space in the path as well as in the query. */
function decode(component: string): string {
  try {
    return decodeURIComponent(component.replaceAll('+', '%20'));
  } catch {
    throw new S3Error('InvalidURI', { details: { URI: component } });
  }
}

/** The bucket in a virtual-hosted-style `Host`, undefined for path style. */
function bucketOfHost(host: string): string | undefined {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  return isIP(name) ? undefined : ENDPOINT.exec(name)?.[1];
}

/** Header lines joined per name: SigV4 joins repeated headers with a bare comma, Node with `, `. */
function joinHeaders(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    const value = rawHeaders[index + 1]!;
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return headers;
}

/** Reads address, query and headers of a request. Throws `InvalidURI` and `KeyTooLongError`. */
export function parseCall(request: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>): Call {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const query = (mark < 0 ? '' : url.slice(mark + 1))
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0
        ? ([decode(pair), ''] as const)
        : ([decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))] as const);
    });

  const wireHeaders = joinHeaders(request.rawHeaders);
  const presigned = query.some(([name]) => name === 'X-Amz-Signature' || name === 'X-Amz-Algorithm');
  const headers = new Map(wireHeaders);
  if (presigned) {
    for (const [name, value] of query) {
      const header = name.toLowerCase();
      if (header.startsWith('x-amz-') && !NOT_HOISTED.test(header) && !headers.has(header)) headers.set(header, value);
    }
  }

  const path = decode(rawPath).replace(/^\//, '');
  const hosted = bucketOfHost(wireHeaders.get('host') ?? '');
  const slash = path.indexOf('/');
  const bucket = hosted ?? (slash < 0 ? path : path.slice(0, slash));
  const key = hosted !== undefined ? path : slash < 0 ? '' : path.slice(slash + 1);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', {
      details: { Size: Buffer.byteLength(key), MaxSizeAllowed: MAX_KEY_BYTES },
    });
  }
  return { method: request.method ?? 'GET', rawPath, query, wireHeaders, headers, presigned, bucket, key };
}

/** The first value of a query parameter. */
export function parameter(call: Call, name: string): string | undefined {
  return call.query.find(([given]) => given === name)?.[1];
}
