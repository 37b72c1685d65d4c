import type { S3Account } from './authenticate.ts';
import { type Call, parameter } from './call.ts';
import { S3Error } from './errors.ts';
import type { Operation } from './routing.ts';

/** AWS's own placeholder account in its documentation; every bucket belongs to it. */
const ACCOUNT_ID = '123456789012';

export interface Permission {
  /** `s3:PutObject` */
  action: string;
  /** `bucket/key`, `bucket`, or `*` for the service */
  resource: string;
}

/** "Required permissions for Amazon S3 API operations" (S3 user guide). Object-level actions act on the key. */
const ACTIONS: Record<Operation, { action: string; on: 'service' | 'bucket' | 'object' }> = {
  AbortMultipartUpload: { action: 's3:AbortMultipartUpload', on: 'object' },
  CompleteMultipartUpload: { action: 's3:PutObject', on: 'object' },
  CopyObject: { action: 's3:PutObject', on: 'object' },
  CreateBucket: { action: 's3:CreateBucket', on: 'bucket' },
  CreateMultipartUpload: { action: 's3:PutObject', on: 'object' },
  DeleteBucket: { action: 's3:DeleteBucket', on: 'bucket' },
  DeleteObject: { action: 's3:DeleteObject', on: 'object' },
  // Checked key by key, and reported key by key.
  DeleteObjects: { action: '', on: 'object' },
  DeleteObjectTagging: { action: 's3:DeleteObjectTagging', on: 'object' },
  GetBucketEncryption: { action: 's3:GetEncryptionConfiguration', on: 'bucket' },
  GetBucketLocation: { action: 's3:GetBucketLocation', on: 'bucket' },
  GetBucketVersioning: { action: 's3:GetBucketVersioning', on: 'bucket' },
  GetObject: { action: 's3:GetObject', on: 'object' },
  GetObjectTagging: { action: 's3:GetObjectTagging', on: 'object' },
  HeadBucket: { action: 's3:ListBucket', on: 'bucket' },
  HeadObject: { action: 's3:GetObject', on: 'object' },
  ListBuckets: { action: 's3:ListAllMyBuckets', on: 'service' },
  ListMultipartUploads: { action: 's3:ListBucketMultipartUploads', on: 'bucket' },
  ListObjects: { action: 's3:ListBucket', on: 'bucket' },
  ListObjectsV2: { action: 's3:ListBucket', on: 'bucket' },
  ListObjectVersions: { action: 's3:ListBucketVersions', on: 'bucket' },
  ListParts: { action: 's3:ListMultipartUploadParts', on: 'object' },
  PutBucketVersioning: { action: 's3:PutBucketVersioning', on: 'bucket' },
  PutObject: { action: 's3:PutObject', on: 'object' },
  PutObjectTagging: { action: 's3:PutObjectTagging', on: 'object' },
  UploadPart: { action: 's3:PutObject', on: 'object' },
  UploadPartCopy: { action: 's3:PutObject', on: 'object' },
};

/** `s3:GetObject` becomes `s3:GetObjectVersion` when a version is named. */
export function versioned(action: string): string {
  return action.endsWith('Tagging') ? action.replace(/Tagging$/, 'VersionTagging') : `${action}Version`;
}

/** What a request needs to be allowed. A copy's source is checked where the source is known. */
function permissionsFor(operation: Operation, call: Call): Permission[] {
  const { action, on } = ACTIONS[operation];
  if (action === '') return [];
  const resource = on === 'service' ? '*' : on === 'bucket' ? call.bucket : `${call.bucket}/${call.key}`;
  const ofVersion = on === 'object' && parameter(call, 'versionId') !== undefined;
  const permissions = [{ action: ofVersion ? versioned(action) : action, resource }];
  if (action === 's3:PutObject') {
    if (call.headers.has('x-amz-tagging')) permissions.push({ action: 's3:PutObjectTagging', resource });
    // "To perform conditional writes with an HTTP If-Match header you must have s3:PutObject and s3:GetObject."
    if (call.headers.has('if-match')) permissions.push({ action: 's3:GetObject', resource });
  }
  return permissions;
}

export function isAllowed(account: S3Account, { action, resource }: Permission): boolean {
  return account.allows?.(action, resource) ?? true;
}

/** The 403 for a missing permission, in the words S3 uses within one account. */
export function accessDenied({ action, resource }: Permission): S3Error {
  const arn = resource === '*' ? '*' : `"arn:aws:s3:::${resource}"`;
  return new S3Error('AccessDenied', {
    message: `User: arn:aws:sts::${ACCOUNT_ID}:assumed-role/lambda-profile/github-actions is not authorized to perform: ${action} on resource: ${arn} because no identity-based policy allows the ${action} action`,
  });
}

/** Throws the 403 unless the account may do all of it in this AWS account's buckets. */
export function authorize(account: S3Account, operation: Operation, call: Call): void {
  const expectedOwner = call.headers.get('x-amz-expected-bucket-owner');
  if (expectedOwner !== undefined && expectedOwner !== ACCOUNT_ID) throw new S3Error('AccessDenied');
  const missing = permissionsFor(operation, call).find((permission) => !isAllowed(account, permission));
  if (missing) throw accessDenied(missing);
}
