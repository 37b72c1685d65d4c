import { type Checksum, checksumHeader } from './checksums.ts';
import type { Bucket, ObjectVersion } from './objects.ts';
import { document, leaf } from './xml.ts';

/** The canonical id of the account that owns every bucket; AWS's own example. */
export const OWNER_ID = '75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a';

/** The type of every document this server answers with. */
export const XML = { 'content-type': 'application/xml' };

/** The body of `CopyObject` and `UploadPartCopy`. */
export function copyResult(
  root: string,
  { etag, lastModified, checksum }: { etag: string; lastModified: Date; checksum: Checksum | undefined },
): string {
  return document(
    root,
    leaf('LastModified', lastModified.toISOString()),
    leaf('ETag', `"${etag}"`),
    checksum ? leaf(`Checksum${checksum.algorithm}`, checksum.value) : '',
    leaf('ChecksumType', checksum?.type),
  );
}

export function checksumHeaders({ algorithm, type, value }: Checksum): Record<string, string> {
  return { [checksumHeader(algorithm)]: value, 'x-amz-checksum-type': type };
}

export function versionHeader(bucket: Bucket, { versionId }: { versionId: string }): Record<string, string> {
  return bucket.versioning === '' ? {} : { 'x-amz-version-id': versionId };
}

/** How an object is encrypted: said to whoever writes or reads it. */
export function encryptionHeaders({ headers }: Pick<ObjectVersion, 'headers'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side-encryption')),
  );
}
