import { S3Error } from './errors.ts';
import type { ObjectAttributes, Tag } from './objects.ts';
import { branch, childrenOf, childText, document, leaf, parseDocument } from './xml.ts';

const STORED_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-storage-class',
];
/** Features this server does not have: better refused than silently dropped. */
const REFUSED_HEADERS =
  /^x-amz-(?:server-side-encryption-customer-|object-lock-|website-redirect-location$|grant-|write-offset-bytes$)/;
const MAX_METADATA_BYTES = 2048;
const MAX_TAGS = 10;

/** Reads what a write says about its object. Throws when it asks for a feature this server lacks. */
export function parseAttributes(headers: ReadonlyMap<string, string>): ObjectAttributes {
  const refused = [...headers.keys()].find((name) => REFUSED_HEADERS.test(name));
  if (refused) throw new S3Error('NotImplemented', { details: { Header: refused } });
  const acl = headers.get('x-amz-acl');
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw new S3Error('AccessControlListNotSupported');
  }
  const stored: Record<string, string> = { 'x-amz-server-side-encryption': 'AES256' };
  for (const name of STORED_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined) stored[name] = value;
  }
  const encoding = withoutAwsChunked(stored['content-encoding']);
  if (encoding === '') delete stored['content-encoding'];
  else stored['content-encoding'] = encoding;
  if (stored['x-amz-storage-class'] === 'STANDARD') delete stored['x-amz-storage-class'];

  const metadata: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (name.startsWith('x-amz-meta-')) metadata[name.slice('x-amz-meta-'.length)] = value.trim();
  }
  const metadataBytes = Buffer.byteLength(Object.entries(metadata).flat().join(''));
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', { details: { Size: metadataBytes, MaxSizeAllowed: MAX_METADATA_BYTES } });
  }
  return { headers: stored, metadata, tags: parseTagHeader(headers.get('x-amz-tagging')) };
}

/** `gzip,aws-chunked` is an object encoded with gzip; the rest was only its transfer. */
function withoutAwsChunked(encoding = ''): string {
  return encoding
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token !== 'aws-chunked')
    .join(',');
}

/** Response headers of user metadata: text beyond ASCII leaves as an RFC 2047 word, as from S3. */
export function metadataHeaders(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => {
      const ascii = /^[\x20-\x7e\t]*$/.test(value);
      return [`x-amz-meta-${name}`, ascii ? value : `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`];
    }),
  );
}

function checkTags(tags: Tag[]): Tag[] {
  if (tags.length > MAX_TAGS) throw new S3Error('BadRequest', { message: 'Object tags cannot be greater than 10' });
  if (new Set(tags.map(({ key }) => key)).size < tags.length) {
    throw new S3Error('InvalidTag', { message: 'Cannot provide multiple Tags with the same key' });
  }
  const unfit = tags.find(({ key, value }) => key === '' || key.length > 128 || value.length > 256);
  if (unfit) throw new S3Error('InvalidTag', { details: { TagKey: unfit.key } });
  return tags;
}

function parseTagHeader(header: string | undefined): Tag[] {
  return checkTags([...new URLSearchParams(header ?? '')].map(([key, value]) => ({ key, value })));
}

/** Reads a `Tagging` document. */
export function parseTagging(body: Buffer): Tag[] {
  const set = childrenOf(parseDocument(body, 'Tagging'), 'TagSet')[0];
  if (!set) throw new S3Error('MalformedXML');
  return checkTags(
    childrenOf(set, 'Tag').map((tag) => {
      const [key, value] = [childText(tag, 'Key'), childText(tag, 'Value')];
      if (key === undefined || value === undefined) throw new S3Error('MalformedXML');
      return { key, value };
    }),
  );
}

/** Writes a `Tagging` document. */
export function taggingDocument(tags: readonly Tag[]): string {
  const set = tags.map(({ key, value }) => branch('Tag', leaf('Key', key), leaf('Value', value)));
  return document('Tagging', branch('TagSet', ...set));
}
