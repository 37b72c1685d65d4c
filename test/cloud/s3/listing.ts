import { encodeRfc3986 } from './signature.ts';

/** One page of a listing: items under their own keys, and common prefixes that stand for several. */
export interface Page<T> {
  items: { key: string; item: T }[];
  prefixes: string[];
  truncated: boolean;
  /** The last key or prefix of this page; empty when the page is. */
  last: string;
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

/** Compares as S3 sorts: by UTF-8 bytes, which is by code point (JavaScript compares UTF-16 units). */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    // A surrogate stands for a code point above all single units, U+E000 to U+FFFF included.
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

/**
 * One page of sorted items: those under `prefix`, keys that share the part up to `delimiter` rolled up
 * into one entry, at most `limit` entries. A common prefix not above `after` was on an earlier page.
 */
export function pageOf<T>(
  sorted: Iterable<{ key: string; item: T }>,
  { prefix, delimiter, after, limit }: { prefix: string; delimiter: string; after: string; limit: number },
): Page<T> {
  const page: Page<T> = { items: [], prefixes: [], truncated: false, last: '' };
  if (limit === 0) return page;
  for (const entry of sorted) {
    if (!entry.key.startsWith(prefix)) continue;
    const cut = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const common = cut < 0 ? undefined : entry.key.slice(0, cut + delimiter.length);
    if (common !== undefined && (common === page.prefixes.at(-1) || compareUtf8(common, after) <= 0)) continue;
    if (page.items.length + page.prefixes.length === limit) {
      page.truncated = true;
      break;
    }
    if (common === undefined) page.items.push(entry);
    else page.prefixes.push(common);
    page.last = common ?? entry.key;
  }
  return page;
}

/** `encoding-type=url`: form encoding that leaves slashes alone, so `a b/c+d` is `a+b/c%2Bd`. */
export function encodeKey(key: string): string {
  return encodeRfc3986(key).replaceAll('%20', '+').replaceAll('%2F', '/');
}

/** A continuation token is opaque to clients; this one carries the last entry of the page before. */
export function writeToken(last: string): string {
  return Buffer.from(`1:${last}`).toString('base64');
}

/** The entry a token carries, undefined when this server never issued it. */
export function readToken(token: string): string | undefined {
  const text = Buffer.from(token, 'base64').toString('utf8');
  return text.startsWith('1:') && writeToken(text.slice(2)) === token ? text.slice(2) : undefined;
}
