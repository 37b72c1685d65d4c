import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { systemClock } from './clock.ts';
import { ConfigurationError } from './errors.ts';
import { timeRequests } from './lambda/request-times.ts';
import type { Settings } from './settings.ts';

export interface AwsClients {
  lambda: LambdaClient;
  s3: S3Client;
  region: string;
}

/** Longer than any function may run: a call that is answered is never given up. */
const INVOKE_TIMEOUT_MS = (15 * 60 + 15) * 1000;
const S3_TIMEOUT_MS = 60_000;
const CONNECTION_TIMEOUT_MS = 10_000;

/**
 * Clients with the credentials of the environment. The Lambda client never retries: a retry of Invoke runs the user's
 * function again. It has a socket for every call in flight: with fewer, calls would queue in this process.
 * @throws ConfigurationError when nothing names a region
 */
export function createClients(
  settings: Pick<Settings, 'function' | 'concurrency'>,
  env: Record<string, string | undefined>,
): AwsClients {
  const region = settings.function.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  if (!region)
    throw new ConfigurationError(
      `Cannot tell the region of ${settings.function.name}: give its full ARN as function-name, or set AWS_REGION (aws-actions/configure-aws-credentials does).`,
    );
  // The load bounds what is in flight, of two versions and beside excluded instances too.
  const agents = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  const lambda = new LambdaClient({
    region,
    maxAttempts: 1,
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: INVOKE_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agents),
      httpsAgent: new HttpsAgent(agents),
    },
  });
  timeRequests(lambda, systemClock);
  return {
    region,
    lambda,
    s3: new S3Client({
      region,
      requestHandler: {
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        requestTimeout: S3_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    }),
  };
}
