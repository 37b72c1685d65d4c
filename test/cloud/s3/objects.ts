import { createHash, randomBytes } from 'node:crypto';
import { type Checksum, fullObjectChecksum } from './checksums.ts';

/** What is said about an object when it is written. */
export interface ObjectAttributes {
  /** `content-type`, `cache-control` and the like, `x-amz-storage-class`, encryption: returned as they came. */
  headers: Record<string, string>;
  /** User metadata without `x-amz-meta-`, names in lower case. */
  metadata: Record<string, string>;
  tags: Tag[];
}

export interface Tag {
  key: string;
  value: string;
}

export interface ObjectVersion extends ObjectAttributes {
  key: string;
  /** `null` (the word) for an object written without versioning. */
  versionId: string;
  /** Whole seconds: S3 keeps no more. */
  lastModified: Date;
  deleteMarker: boolean;
  body: Buffer;
  /** Hex without quotes; ends in `-` and the number of parts after a multipart upload. */
  etag: string;
  checksum: Checksum;
}

export interface Part {
  body: Buffer;
  etag: string;
  checksum: Checksum | undefined;
  lastModified: Date;
}

export interface Upload extends ObjectAttributes {
  id: string;
  key: string;
  initiated: Date;
  /** What every part must be sent with; undefined when the client announced nothing. */
  checksum: Pick<Checksum, 'algorithm' | 'type'> | undefined;
  parts: Map<number, Part>;
}

export interface Bucket {
  name: string;
  created: Date;
  /** Empty for us-east-1, as in `GetBucketLocation`. */
  location: string;
  versioning: '' | 'Enabled' | 'Suspended';
  /** Versions of each key, newest first; never an empty list. */
  objects: Map<string, ObjectVersion[]>;
  uploads: Map<string, Upload>;
}

/** S3 drops the fraction of a second. */
export function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

export function newBucket(name: string, location: string, now: Date): Bucket {
  return { name, created: wholeSeconds(now), location, versioning: '', objects: new Map(), uploads: new Map() };
}

/** Opaque, as versions and uploads of S3 are. */
export function newId(): string {
  return randomBytes(24).toString('base64url');
}

/** MD5 as lower-case hex, S3's ETag of an object written in one piece. */
export function etagOf(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}

/** The object a plain GET sees: the newest version unless that is a delete marker. */
export function currentVersion(bucket: Bucket, key: string): ObjectVersion | undefined {
  const newest = bucket.objects.get(key)?.[0];
  return newest?.deleteMarker ? undefined : newest;
}

/** Puts a version on top; without versioning it takes the place of the version called `null`. */
function addVersion(bucket: Bucket, version: ObjectVersion): ObjectVersion {
  const older = bucket.objects.get(version.key) ?? [];
  const kept = version.versionId === 'null' ? older.filter(({ versionId }) => versionId !== 'null') : older;
  bucket.objects.set(version.key, [version, ...kept]);
  return version;
}

/** Writes an object. `checksum` defaults to CRC64NVME, which S3 computes when a client sends none. */
export function putObject(
  bucket: Bucket,
  object: ObjectAttributes & { key: string; body: Buffer; etag?: string; checksum?: Checksum | undefined },
  now: Date,
): ObjectVersion {
  const { key, body, headers, metadata, tags } = object;
  return addVersion(bucket, {
    key,
    body,
    headers,
    metadata,
    tags,
    versionId: bucket.versioning === 'Enabled' ? newId() : 'null',
    lastModified: wholeSeconds(now),
    deleteMarker: false,
    etag: object.etag ?? etagOf(body),
    checksum: object.checksum ?? fullObjectChecksum('CRC64NVME', body),
  });
}

/**
 * Deletes an object as S3 does: one named version for good; without a name the object itself, or,
 * in a bucket that has ever had versioning, by putting a delete marker on top.
 * Answers the version or marker concerned, undefined when nothing was there to say anything about.
 */
export function deleteObject(
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
  now: Date,
): ObjectVersion | undefined {
  if (versionId === undefined && bucket.versioning !== '') {
    return addVersion(bucket, {
      key,
      versionId: bucket.versioning === 'Enabled' ? newId() : 'null',
      lastModified: wholeSeconds(now),
      deleteMarker: true,
      body: Buffer.alloc(0),
      etag: '',
      checksum: fullObjectChecksum('CRC64NVME', Buffer.alloc(0)),
      headers: {},
      metadata: {},
      tags: [],
    });
  }
  const versions = bucket.objects.get(key) ?? [];
  const doomed = versions.find((version) => version.versionId === (versionId ?? 'null'));
  const rest = versions.filter((version) => version !== doomed);
  if (rest.length > 0) bucket.objects.set(key, rest);
  else bucket.objects.delete(key);
  return versionId === undefined ? undefined : doomed;
}
