import { accessDenied, isAllowed, type Permission } from './access.ts';
import type { S3Account } from './authenticate.ts';
import type { Call } from './call.ts';
import { S3Error } from './errors.ts';
import type { Bucket } from './objects.ts';
import type { Payload } from './payload.ts';

/** Everything an operation works on. Operations are synchronous, so each is one atomic step. */
export interface Context {
  call: Call;
  account: S3Account;
  payload: Payload;
  buckets: Map<string, Bucket>;
  now: Date;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export type Handler = (context: Context) => Reply;

/** The bucket of the request, or of another name; throws `NoSuchBucket`. */
export function bucketOf({ buckets, call }: Pick<Context, 'buckets' | 'call'>, name = call.bucket): Bucket {
  const bucket = buckets.get(name);
  if (!bucket) throw new S3Error('NoSuchBucket', { details: { BucketName: name } });
  return bucket;
}

/** Throws the 403 when the sender lacks this permission. */
export function demand({ account }: Context, permission: Permission): void {
  if (!isAllowed(account, permission)) throw accessDenied(permission);
}
