import { S3Error } from './errors.ts';
import type { ObjectVersion } from './objects.ts';

/** The outcome of conditions on a read: go on, `304 Not Modified`, or the failed header for a 412. */
export type ReadOutcome = 'ok' | 'not-modified' | { failed: string };

function matches(list: string, etag: string): boolean {
  return list.split(',').some((item) => {
    const wanted = item
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return wanted === '*' || wanted === etag;
  });
}

/**
 * Evaluates `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since` in the order of
 * RFC 9110 section 13.2.2; an ETag condition overrules the date of its pair. `name` turns the header into
 * the one at hand, for `x-amz-copy-source-if-match` and its like.
 */
export function evaluateRead(
  version: Pick<ObjectVersion, 'etag' | 'lastModified'>,
  headers: ReadonlyMap<string, string>,
  name: (header: string) => string = (header) => header,
): ReadOutcome {
  const [ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince] = [
    'if-match',
    'if-unmodified-since',
    'if-none-match',
    'if-modified-since',
  ].map((header) => headers.get(name(header)));
  const modifiedMs = version.lastModified.getTime();
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, version.etag)) return { failed: 'If-Match' };
  } else if (ifUnmodifiedSince !== undefined && modifiedMs > Date.parse(ifUnmodifiedSince)) {
    return { failed: 'If-Unmodified-Since' };
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, version.etag) ? 'not-modified' : 'ok';
  if (ifModifiedSince !== undefined && modifiedMs <= Date.parse(ifModifiedSince)) return 'not-modified';
  return 'ok';
}

/** The 412, naming the condition as S3 does. */
export function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', { details: { Condition: condition } });
}

/**
 * Checks the conditions of a write against what is there now. The caller writes in the same turn of the
 * event loop, which makes the two one step and lets one of many racing writers win.
 */
export function checkWrite(
  current: ObjectVersion | undefined,
  key: string,
  headers: ReadonlyMap<string, string>,
): void {
  const ifNoneMatch = headers.get('if-none-match');
  const ifMatch = headers.get('if-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*' || ifMatch !== undefined) {
      throw new S3Error('NotImplemented', { details: { Header: 'If-None-Match' } });
    }
    if (current) throw preconditionFailed('If-None-Match');
  }
  if (ifMatch !== undefined) {
    if (!current) throw new S3Error('NoSuchKey', { details: { Key: key } });
    if (!matches(ifMatch, current.etag)) throw preconditionFailed('If-Match');
  }
}

/** `bytes=10-19`, `bytes=10-` or `bytes=-5` of so many bytes; anything else is ignored, as S3 does. */
export function parseRange(range: string | undefined, sizeBytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, sizeBytes - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? sizeBytes - 1 : Math.min(Number(match[2]), sizeBytes - 1);
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < start) return undefined;
  if (start > end) {
    throw new S3Error('InvalidRange', { details: { RangeRequested: range ?? '', ActualObjectSize: sizeBytes } });
  }
  return { start, end };
}
