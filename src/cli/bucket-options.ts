import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import type { Shell } from './shell.ts';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Adds `--s3-bucket`, which LAMBDA_PROFILE_BUCKET may give too: the functions' own variable. */
export function addBucketOption(command: Command): Command {
  return command.option('--s3-bucket <bucket>', 'bucket of snapshots and recordings (default: LAMBDA_PROFILE_BUCKET)');
}

/** The bucket of the options or of the environment. @throws ConfigurationError that names the flag */
export function bucketOf(options: { s3Bucket?: string }, { env }: Pick<Shell, 'env'>): string {
  const bucket = options.s3Bucket ?? env.LAMBDA_PROFILE_BUCKET;
  if (bucket === undefined)
    throw new ConfigurationError('Cannot tell the bucket: give --s3-bucket, or set LAMBDA_PROFILE_BUCKET.');
  if (!BUCKET.test(bucket))
    throw new ConfigurationError(
      `Cannot use --s3-bucket ${JSON.stringify(bucket.slice(0, 80))}: it is not the name of a bucket.`,
    );
  return bucket;
}

const KEY_PATH = /^[\w!*'()-][\w.!*'()-]*(\/[\w!*'()-][\w.!*'()-]*)*$/;

/** A prefix without slashes at its ends. @throws ConfigurationError that names the flag */
export function prefixOf(flag: string, prefix: string): string {
  if (!KEY_PATH.test(prefix))
    throw new ConfigurationError(
      `Cannot use ${flag} ${JSON.stringify(prefix.slice(0, 80))}: it must be a path without a slash at either end.`,
    );
  return prefix;
}
