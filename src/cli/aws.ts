import { S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError } from '../errors.ts';
import type { Shell } from './shell.ts';

/**
 * The environment with a region in it: that of AWS_REGION, or of the profile in the AWS configuration files.
 * @throws ConfigurationError if neither names one
 */
export async function withRegion({ env }: Pick<Shell, 'env'>): Promise<Record<string, string | undefined>> {
  if (env.AWS_REGION ?? env.AWS_DEFAULT_REGION) return env;
  try {
    return { ...env, AWS_REGION: await new S3Client({}).config.region() };
  } catch {
    throw new ConfigurationError('Cannot tell the AWS region: set AWS_REGION, or `region` in your AWS profile.');
  }
}

/** A client of S3 with the credentials of the environment or of the AWS profile. */
export async function createS3(shell: Pick<Shell, 'env'>): Promise<S3Client> {
  const { AWS_REGION, AWS_DEFAULT_REGION } = await withRegion(shell);
  return new S3Client({ region: AWS_REGION ?? AWS_DEFAULT_REGION ?? '', followRegionRedirects: true });
}
