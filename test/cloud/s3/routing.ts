import { type Call, parameter } from './call.ts';

/** The operations this server has, under the names of S3's API reference. */
export type Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'DeleteObjectTagging'
  | 'GetBucketEncryption'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'GetObject'
  | 'GetObjectTagging'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListMultipartUploads'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'ListParts'
  | 'PutBucketVersioning'
  | 'PutObject'
  | 'PutObjectTagging'
  | 'UploadPart'
  | 'UploadPartCopy';

/** Query parameters that name a sub-resource; those without a route below are not implemented. */
const SUBRESOURCES = new Set(
  (
    'accelerate acl analytics annotation attributes cors delete encryption intelligent-tiering inventory ' +
    'legal-hold lifecycle location logging metadataConfiguration metadataTable metrics notification object-lock ' +
    'ownershipControls partNumber policy policyStatus publicAccessBlock renameObject replication requestPayment ' +
    'restore retention select session tagging torrent uploadId uploads versioning versions website'
  ).split(' '),
);

/** `METHOD level sub-resource…`, the sub-resources in alphabetical order. */
const ROUTES: Record<string, Operation> = {
  'GET service': 'ListBuckets',
  'PUT bucket': 'CreateBucket',
  'HEAD bucket': 'HeadBucket',
  'DELETE bucket': 'DeleteBucket',
  'GET bucket location': 'GetBucketLocation',
  'GET bucket encryption': 'GetBucketEncryption',
  'GET bucket versioning': 'GetBucketVersioning',
  'PUT bucket versioning': 'PutBucketVersioning',
  'GET bucket versions': 'ListObjectVersions',
  'GET bucket uploads': 'ListMultipartUploads',
  'POST bucket delete': 'DeleteObjects',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'DELETE object': 'DeleteObject',
  'GET object tagging': 'GetObjectTagging',
  'PUT object tagging': 'PutObjectTagging',
  'DELETE object tagging': 'DeleteObjectTagging',
  'POST object uploads': 'CreateMultipartUpload',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
  'GET object uploadId': 'ListParts',
};

/** Which operation a request is, or undefined when this server does not have it. */
export function operationOf(call: Call): Operation | undefined {
  const level = call.bucket === '' ? 'service' : call.key === '' ? 'bucket' : 'object';
  const subresources = [...new Set(call.query.map(([name]) => name))].filter((name) => SUBRESOURCES.has(name)).sort();
  const route = [call.method, level, ...subresources].join(' ');
  if (route === 'GET bucket') return parameter(call, 'list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  if (route === 'PUT object') return call.headers.has('x-amz-copy-source') ? 'CopyObject' : 'PutObject';
  if (route === 'PUT object partNumber uploadId') {
    return call.headers.has('x-amz-copy-source') ? 'UploadPartCopy' : 'UploadPart';
  }
  return ROUTES[route];
}
