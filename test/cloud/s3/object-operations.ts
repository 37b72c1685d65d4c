import { checksumHeaders, copyResult, encryptionHeaders, versionHeader, XML } from './answers.ts';
import { metadataHeaders, parseAttributes, parseTagging, taggingDocument } from './attributes.ts';
import { parameter } from './call.ts';
import { fullObjectChecksum, parseAlgorithm } from './checksums.ts';
import { checkWrite, evaluateRead, parseRange, preconditionFailed } from './conditions.ts';
import { bucketOf, type Context, type Handler, type Reply } from './context.ts';
import { S3Error } from './errors.ts';
import { copySource, findVersion } from './lookup.ts';
import { currentVersion, deleteObject, putObject } from './objects.ts';
import type { Operation } from './routing.ts';

/** `response-content-type` and so on: what a GET may ask to be answered with instead. */
const OVERRIDES = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

export const objectOperations = {
  GetObject: readObject,
  HeadObject: readObject,

  PutObject(context) {
    const { call, payload, now } = context;
    const bucket = bucketOf(context);
    const attributes = parseAttributes(call.headers);
    checkWrite(currentVersion(bucket, call.key), call.key, call.headers);
    const written = putObject(
      bucket,
      { ...attributes, key: call.key, body: payload.bytes, checksum: payload.checksum },
      now,
    );
    return {
      status: 200,
      headers: {
        etag: `"${written.etag}"`,
        ...checksumHeaders(written.checksum),
        ...encryptionHeaders(written),
        ...versionHeader(bucket, written),
      },
    };
  },

  CopyObject(context) {
    const { call, now } = context;
    const bucket = bucketOf(context);
    const { source, sourceBucket } = copySource(context);
    const given = parseAttributes(call.headers);
    const replaced = directive(context, 'x-amz-metadata-directive') === 'REPLACE';
    const retagged = directive(context, 'x-amz-tagging-directive') === 'REPLACE';
    if (!replaced && source === currentVersion(bucket, call.key) && !call.headers.has('x-amz-storage-class')) {
      throw new S3Error('InvalidRequest', {
        message:
          "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      });
    }
    checkWrite(currentVersion(bucket, call.key), call.key, call.headers);
    const algorithm = parseAlgorithm(call.headers.get('x-amz-checksum-algorithm') ?? '') ?? source.checksum.algorithm;
    const written = putObject(
      bucket,
      {
        key: call.key,
        body: source.body,
        headers: replaced ? given.headers : source.headers,
        metadata: replaced ? given.metadata : source.metadata,
        tags: retagged ? given.tags : source.tags,
        checksum: fullObjectChecksum(algorithm, source.body),
      },
      now,
    );
    const headers: Record<string, string> = {
      ...XML,
      ...encryptionHeaders(written),
      ...versionHeader(bucket, written),
    };
    if (sourceBucket.versioning !== '') headers['x-amz-copy-source-version-id'] = source.versionId;
    return { status: 200, headers, body: copyResult('CopyObjectResult', written) };
  },

  DeleteObject(context) {
    const { call, now } = context;
    const bucket = bucketOf(context);
    if (call.headers.has('if-match')) throw new S3Error('NotImplemented', { details: { Header: 'If-Match' } });
    const versionId = parameter(call, 'versionId');
    const deleted = deleteObject(bucket, call.key, versionId, now);
    const headers: Record<string, string> = {};
    if (versionId !== undefined) headers['x-amz-version-id'] = versionId;
    else if (deleted) headers['x-amz-version-id'] = deleted.versionId;
    if (deleted?.deleteMarker) headers['x-amz-delete-marker'] = 'true';
    return { status: 204, headers };
  },

  GetObjectTagging(context) {
    const { bucket, version } = findVersion(context);
    return { status: 200, headers: { ...XML, ...versionHeader(bucket, version) }, body: taggingDocument(version.tags) };
  },

  PutObjectTagging(context) {
    const { bucket, version } = findVersion(context);
    version.tags = parseTagging(context.payload.bytes);
    return { status: 200, headers: versionHeader(bucket, version) };
  },

  DeleteObjectTagging(context) {
    const { bucket, version } = findVersion(context);
    version.tags = [];
    return { status: 204, headers: versionHeader(bucket, version) };
  },
} satisfies Partial<Record<Operation, Handler>>;

/** GET and HEAD: the server drops the body of the latter. */
function readObject(context: Context): Reply {
  const { call } = context;
  const { bucket, version } = findVersion(context);
  const identity = {
    etag: `"${version.etag}"`,
    'last-modified': version.lastModified.toUTCString(),
    ...versionHeader(bucket, version),
  };
  const outcome = evaluateRead(version, call.headers);
  if (outcome === 'not-modified') return { status: 304, headers: identity };
  if (outcome !== 'ok') throw preconditionFailed(outcome.failed);

  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...version.headers,
    ...metadataHeaders(version.metadata),
    ...identity,
    'accept-ranges': 'bytes',
  };
  for (const name of OVERRIDES) {
    const value = parameter(call, `response-${name}`);
    if (value !== undefined) headers[name] = value;
  }
  if (version.tags.length > 0) headers['x-amz-tagging-count'] = String(version.tags.length);
  const range = parseRange(call.headers.get('range'), version.body.length);
  if (range) {
    headers['content-range'] = `bytes ${range.start}-${range.end}/${version.body.length}`;
    return { status: 206, headers, body: version.body.subarray(range.start, range.end + 1) };
  }
  // The checksum is that of the whole object, so a range is answered without it.
  const wantsChecksum = call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  if (wantsChecksum) Object.assign(headers, checksumHeaders(version.checksum));
  return { status: 200, headers, body: version.body };
}

function directive({ call }: Context, name: string): 'COPY' | 'REPLACE' {
  const value = call.headers.get(name) ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw new S3Error('InvalidArgument', { details: { ArgumentName: name, ArgumentValue: value } });
}
