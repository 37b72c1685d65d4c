import { versioned } from './access.ts';
import { parameter } from './call.ts';
import { evaluateRead, preconditionFailed } from './conditions.ts';
import { bucketOf, type Context, demand } from './context.ts';
import { S3Error } from './errors.ts';
import type { Bucket, ObjectVersion } from './objects.ts';

/** The version a request means. Who may not list the bucket is not told that a key is missing. */
export function findVersion(context: Context): { bucket: Bucket; version: ObjectVersion } {
  const { call } = context;
  return locate(context, call.bucket, call.key, parameter(call, 'versionId'));
}

function locate(
  context: Context,
  bucketName: string,
  key: string,
  versionId: string | undefined,
): { bucket: Bucket; version: ObjectVersion } {
  const bucket = bucketOf(context, bucketName);
  const versions = bucket.objects.get(key) ?? [];
  const version = versionId === undefined ? versions[0] : versions.find((known) => known.versionId === versionId);
  if (version && !version.deleteMarker) return { bucket, version };
  const marker = version ? { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId } : undefined;
  if (version && versionId !== undefined) {
    const headers = { ...marker, allow: 'DELETE', 'last-modified': version.lastModified.toUTCString() };
    throw new S3Error('MethodNotAllowed', {
      headers,
      details: { Method: context.call.method, ResourceType: 'DeleteMarker' },
    });
  }
  demand(context, { action: 's3:ListBucket', resource: bucketName });
  if (versionId !== undefined) throw new S3Error('NoSuchVersion', { details: { Key: key, VersionId: versionId } });
  throw new S3Error('NoSuchKey', { details: { Key: key }, headers: marker ?? {} });
}

/** The object named in `x-amz-copy-source`, which the sender must be allowed to read. */
export function copySource(context: Context): { source: ObjectVersion; sourceBucket: Bucket } {
  const { call } = context;
  const header = call.headers.get('x-amz-copy-source') ?? '';
  const [path, versionId] = header.replace(/^\//, '').split('?versionId=') as [string, string?];
  const decoded = decodeSource(path);
  const slash = decoded.indexOf('/');
  if (slash <= 0 || slash === decoded.length - 1) {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid copy source object key',
      details: { ArgumentName: 'x-amz-copy-source', ArgumentValue: header },
    });
  }
  const [bucketName, key] = [decoded.slice(0, slash), decoded.slice(slash + 1)];
  bucketOf(context, bucketName);
  const action = versionId === undefined ? 's3:GetObject' : versioned('s3:GetObject');
  demand(context, { action, resource: decoded });
  const { bucket, version } = locate(context, bucketName, key, versionId);
  const outcome = evaluateRead(version, call.headers, (name) => `x-amz-copy-source-${name}`);
  if (outcome === 'not-modified') throw preconditionFailed('x-amz-copy-source-If-None-Match');
  if (outcome !== 'ok') throw preconditionFailed(`x-amz-copy-source-${outcome.failed}`);
  return { source: version, sourceBucket: bucket };
}

function decodeSource(path: string): string {
  try {
    return decodeURIComponent(path.replaceAll('+', '%20'));
  } catch {
    throw new S3Error('InvalidArgument', { message: 'Invalid copy source encoding.' });
  }
}
