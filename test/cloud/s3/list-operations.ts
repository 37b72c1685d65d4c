import { OWNER_ID, XML } from './answers.ts';
import { type Call, parameter } from './call.ts';
import { bucketOf, type Handler } from './context.ts';
import { S3Error } from './errors.ts';
import { compareUtf8, encodeKey, pageOf, readToken, writeToken } from './listing.ts';
import { type Bucket, currentVersion, type ObjectVersion } from './objects.ts';
import type { Operation } from './routing.ts';
import { branch, document, leaf } from './xml.ts';

const MAX_KEYS = 1000;

export const listOperations = {
  ListObjectsV2(context) {
    const { call } = context;
    const bucket = bucketOf(context);
    const query = listQuery(call);
    const token = parameter(call, 'continuation-token');
    const startAfter = parameter(call, 'start-after');
    const after = token === undefined ? (startAfter ?? '') : readToken(token);
    if (after === undefined) {
      throw new S3Error('InvalidArgument', {
        message: 'The continuation token provided is incorrect',
        details: { ArgumentName: 'continuation-token' },
      });
    }
    const page = pageOf(currentObjects(bucket, after), { ...query, after });
    const withOwner = parameter(call, 'fetch-owner') === 'true';
    const body = document(
      'ListBucketResult',
      leaf('Name', bucket.name),
      leaf('Prefix', query.text(query.prefix)),
      leaf('StartAfter', startAfter === undefined ? undefined : query.text(startAfter)),
      leaf('ContinuationToken', token),
      leaf('NextContinuationToken', page.truncated ? writeToken(page.last) : undefined),
      leaf('KeyCount', page.items.length + page.prefixes.length),
      leaf('MaxKeys', query.limit),
      leaf('Delimiter', query.delimiter === '' ? undefined : query.text(query.delimiter)),
      leaf('EncodingType', query.encodingType),
      leaf('IsTruncated', page.truncated),
      ...page.items.map(({ item }) => contentsXml(item, query, withOwner)),
      ...page.prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', query.text(prefix)))),
    );
    return { status: 200, headers: XML, body };
  },

  ListObjects(context) {
    const { call } = context;
    const bucket = bucketOf(context);
    const query = listQuery(call);
    const marker = parameter(call, 'marker') ?? '';
    const page = pageOf(currentObjects(bucket, marker), { ...query, after: marker });
    // Without a delimiter the next marker is simply the last key, and S3 leaves it out.
    const nextMarker = page.truncated && query.delimiter !== '' ? query.text(page.last) : undefined;
    const body = document(
      'ListBucketResult',
      leaf('Name', bucket.name),
      leaf('Prefix', query.text(query.prefix)),
      leaf('Marker', query.text(marker)),
      leaf('NextMarker', nextMarker),
      leaf('MaxKeys', query.limit),
      leaf('Delimiter', query.delimiter === '' ? undefined : query.text(query.delimiter)),
      leaf('EncodingType', query.encodingType),
      leaf('IsTruncated', page.truncated),
      ...page.items.map(({ item }) => contentsXml(item, query, true)),
      ...page.prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', query.text(prefix)))),
    );
    return { status: 200, headers: XML, body };
  },

  ListObjectVersions(context) {
    const { call } = context;
    const bucket = bucketOf(context);
    const query = listQuery(call);
    const keyMarker = parameter(call, 'key-marker') ?? '';
    const versionMarker = parameter(call, 'version-id-marker');
    if (versionMarker !== undefined && keyMarker === '') {
      throw new S3Error('InvalidArgument', {
        message: 'A version-id marker cannot be specified without a key marker.',
        details: { ArgumentName: 'version-id-marker' },
      });
    }
    const page = pageOf(versionsAfter(bucket, keyMarker, versionMarker), { ...query, after: keyMarker });
    const lastItem = page.items.at(-1);
    const body = document(
      'ListVersionsResult',
      leaf('Name', bucket.name),
      leaf('Prefix', query.text(query.prefix)),
      leaf('KeyMarker', query.text(keyMarker)),
      leaf('VersionIdMarker', versionMarker ?? ''),
      leaf('NextKeyMarker', page.truncated ? query.text(page.last) : undefined),
      leaf('NextVersionIdMarker', page.truncated && lastItem?.key === page.last ? lastItem.item.versionId : undefined),
      leaf('MaxKeys', query.limit),
      leaf('Delimiter', query.delimiter === '' ? undefined : query.text(query.delimiter)),
      leaf('EncodingType', query.encodingType),
      leaf('IsTruncated', page.truncated),
      ...page.items.map(({ item }) => versionXml(item, bucket, query)),
      ...page.prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', query.text(prefix)))),
    );
    return { status: 200, headers: XML, body };
  },
} satisfies Partial<Record<Operation, Handler>>;

interface ListQuery {
  prefix: string;
  delimiter: string;
  limit: number;
  encodingType: string | undefined;
  /** How keys and prefixes are written in the answer. */
  text: (key: string) => string;
}

function listQuery(call: Call): ListQuery {
  const maxKeys = parameter(call, 'max-keys') || String(MAX_KEYS);
  if (!/^\d{1,10}$/.test(maxKeys)) {
    throw new S3Error('InvalidArgument', {
      message: 'Provided max-keys not an integer or within integer range',
      details: { ArgumentName: 'max-keys', ArgumentValue: maxKeys },
    });
  }
  const encodingType = parameter(call, 'encoding-type') || undefined;
  if (encodingType !== undefined && encodingType !== 'url') {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid Encoding Method specified in Request',
      details: { ArgumentName: 'encoding-type', ArgumentValue: encodingType },
    });
  }
  return {
    prefix: parameter(call, 'prefix') ?? '',
    delimiter: parameter(call, 'delimiter') ?? '',
    limit: Math.min(Number(maxKeys), MAX_KEYS),
    encodingType,
    text: encodingType === 'url' ? encodeKey : (key) => key,
  };
}

function sortedKeys(bucket: Bucket): string[] {
  return [...bucket.objects.keys()].sort(compareUtf8);
}

function* currentObjects(bucket: Bucket, after: string): Generator<{ key: string; item: ObjectVersion }> {
  for (const key of sortedKeys(bucket)) {
    const item = compareUtf8(key, after) > 0 ? currentVersion(bucket, key) : undefined;
    if (item) yield { key, item };
  }
}

/** All versions after the markers: later keys, and of the marked key what is older than the marked version. */
function* versionsAfter(
  bucket: Bucket,
  keyMarker: string,
  versionMarker: string | undefined,
): Generator<{ key: string; item: ObjectVersion }> {
  for (const key of sortedKeys(bucket)) {
    const order = compareUtf8(key, keyMarker);
    const versions = bucket.objects.get(key) ?? [];
    const from = versions.findIndex(({ versionId }) => versionId === versionMarker) + 1;
    if (order > 0) yield* versions.map((item) => ({ key, item }));
    else if (order === 0 && from > 0) yield* versions.slice(from).map((item) => ({ key, item }));
  }
}

function ownerXml(): string {
  return branch('Owner', leaf('ID', OWNER_ID));
}

function storedXml({ etag, checksum, body, headers }: ObjectVersion): string[] {
  return [
    leaf('ETag', `"${etag}"`),
    leaf('ChecksumAlgorithm', checksum.algorithm),
    leaf('ChecksumType', checksum.type),
    leaf('Size', body.length),
    leaf('StorageClass', headers['x-amz-storage-class'] ?? 'STANDARD'),
  ];
}

function contentsXml(version: ObjectVersion, query: ListQuery, withOwner: boolean): string {
  return branch(
    'Contents',
    leaf('Key', query.text(version.key)),
    leaf('LastModified', version.lastModified.toISOString()),
    ...storedXml(version),
    withOwner ? ownerXml() : '',
  );
}

function versionXml(version: ObjectVersion, bucket: Bucket, query: ListQuery): string {
  return branch(
    version.deleteMarker ? 'DeleteMarker' : 'Version',
    leaf('Key', query.text(version.key)),
    leaf('VersionId', version.versionId),
    leaf('IsLatest', bucket.objects.get(version.key)?.[0] === version),
    leaf('LastModified', version.lastModified.toISOString()),
    ...(version.deleteMarker ? [] : storedXml(version)),
    ownerXml(),
  );
}
