import { accessDenied, isAllowed, versioned } from './access.ts';
import { OWNER_ID, XML } from './answers.ts';
import { bucketOf, type Handler } from './context.ts';
import { S3Error } from './errors.ts';
import { compareUtf8 } from './listing.ts';
import { type Bucket, deleteObject, newBucket } from './objects.ts';
import type { Operation } from './routing.ts';
import { branch, childrenOf, childText, document, leaf, parseDocument } from './xml.ts';

const MAX_DELETES = 1000;
/** "Bucket naming rules" (S3 user guide), the parts a machine can check. */
const BUCKET_NAME = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const bucketOperations = {
  ListBuckets({ buckets }) {
    const entries = [...buckets.values()].sort((a, b) => compareUtf8(a.name, b.name)).map(bucketXml);
    const owner = branch('Owner', leaf('ID', OWNER_ID));
    return {
      status: 200,
      headers: XML,
      body: document('ListAllMyBucketsResult', owner, branch('Buckets', ...entries)),
    };
  },

  CreateBucket({ call, buckets, payload, now }) {
    if (!BUCKET_NAME.test(call.bucket))
      throw new S3Error('InvalidBucketName', { details: { BucketName: call.bucket } });
    const location =
      payload.bytes.length === 0
        ? ''
        : (childText(parseDocument(payload.bytes, 'CreateBucketConfiguration'), 'LocationConstraint') ?? '');
    const existing = buckets.get(call.bucket);
    // In us-east-1 creating one's own bucket again succeeds, for historical reasons.
    if (existing && existing.location + location !== '') {
      throw new S3Error('BucketAlreadyOwnedByYou', { details: { BucketName: call.bucket } });
    }
    if (!existing) buckets.set(call.bucket, newBucket(call.bucket, location, now));
    return { status: 200, headers: { location: `/${call.bucket}` } };
  },

  HeadBucket(context) {
    const { location } = bucketOf(context);
    return {
      status: 200,
      headers: { 'x-amz-bucket-region': location || 'us-east-1', 'x-amz-access-point-alias': 'false' },
    };
  },

  DeleteBucket(context) {
    const bucket = bucketOf(context);
    if (bucket.objects.size > 0) throw new S3Error('BucketNotEmpty', { details: { BucketName: bucket.name } });
    context.buckets.delete(bucket.name);
    return { status: 204 };
  },

  GetBucketLocation(context) {
    const { location } = bucketOf(context);
    // The one document whose root element is itself the value.
    return { status: 200, headers: XML, body: document('LocationConstraint', location) };
  },

  GetBucketEncryption(context) {
    const { name } = bucketOf(context);
    throw new S3Error('ServerSideEncryptionConfigurationNotFoundError', { details: { BucketName: name } });
  },

  GetBucketVersioning(context) {
    const { versioning } = bucketOf(context);
    return {
      status: 200,
      headers: XML,
      body: document('VersioningConfiguration', leaf('Status', versioning || undefined)),
    };
  },

  PutBucketVersioning(context) {
    const status = childText(parseDocument(context.payload.bytes, 'VersioningConfiguration'), 'Status');
    if (status !== 'Enabled' && status !== 'Suspended') throw new S3Error('MalformedXML');
    bucketOf(context).versioning = status;
    return { status: 200 };
  },

  DeleteObjects(context) {
    const { call, payload, account, now } = context;
    const bucket = bucketOf(context);
    if (!payload.checksum && !call.headers.has('content-md5')) {
      throw new S3Error('InvalidRequest', {
        message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
      });
    }
    const root = parseDocument(payload.bytes, 'Delete');
    const wanted = childrenOf(root, 'Object');
    if (wanted.length === 0 || wanted.length > MAX_DELETES) throw new S3Error('MalformedXML');
    const quiet = childText(root, 'Quiet') === 'true';
    const results = wanted.map((object) => {
      const key = childText(object, 'Key');
      const versionId = childText(object, 'VersionId');
      if (!key) throw new S3Error('MalformedXML');
      const action = versionId === undefined ? 's3:DeleteObject' : versioned('s3:DeleteObject');
      const permission = { action, resource: `${bucket.name}/${key}` };
      if (!isAllowed(account, permission)) {
        const { code, message } = accessDenied(permission);
        const error = [leaf('Code', code), leaf('Message', message)];
        return branch('Error', leaf('Key', key), leaf('VersionId', versionId), ...error);
      }
      const deleted = deleteObject(bucket, key, versionId, now);
      const marker = deleted?.deleteMarker
        ? [leaf('DeleteMarker', true), leaf('DeleteMarkerVersionId', deleted.versionId)]
        : [];
      return quiet ? '' : branch('Deleted', leaf('Key', key), leaf('VersionId', versionId), ...marker);
    });
    return { status: 200, headers: XML, body: document('DeleteResult', ...results) };
  },
} satisfies Partial<Record<Operation, Handler>>;

function bucketXml({ name, created }: Bucket): string {
  return branch('Bucket', leaf('Name', name), leaf('CreationDate', created.toISOString()));
}
