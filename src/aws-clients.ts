import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { systemClock } from './clock.ts';
import { ConfigurationError } from './errors.ts';
import { type Calls, countCalls, createCalls } from './lambda/calls.ts';
import { timeRequests } from './lambda/request-times.ts';
import type { Settings } from './settings.ts';

export interface AwsClients {
  /** Asks about functions; what fails on the way is asked again. */
  lambda: LambdaClient;
  /**
   * A client for nothing but Invoke, of a function that may run so long. It never retries: a retry runs the user's
   * function again.
   */
  createInvoker(timeoutSeconds: number): LambdaClient;
  s3: S3Client;
  region: string;
  /** What the invokers sent so far. */
  calls: Calls;
}

/** Beyond the time a function may run: its start, and the way there and back. */
const INVOKE_MARGIN_SECONDS = 15;
/** Three attempts of these. AWS answers within a second; a body that moves has as long as it needs. */
const LAMBDA_TIMEOUT_MS = 10_000;
const S3_TIMEOUT_MS = 15_000;
const CONNECTION_TIMEOUT_MS = 10_000;

/**
 * Clients with the credentials of the environment. Every request has a time limit.
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
  const calls = createCalls();
  const within = (requestTimeout: number) => ({
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout,
    socketTimeout: requestTimeout,
    throwOnRequestTimeout: true,
  });
  return {
    region,
    calls,
    lambda: new LambdaClient({ region, requestHandler: within(LAMBDA_TIMEOUT_MS) }),
    createInvoker(timeoutSeconds) {
      // A socket for every call in flight: with fewer, calls would queue in this process. The load bounds how many.
      const agents = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
      const client = new LambdaClient({
        region,
        maxAttempts: 1,
        cacheMiddleware: true,
        requestHandler: {
          ...within((timeoutSeconds + INVOKE_MARGIN_SECONDS) * 1000),
          httpAgent: new HttpAgent(agents),
          httpsAgent: new HttpsAgent(agents),
        },
      });
      timeRequests(client, systemClock);
      countCalls(client, calls);
      return client;
    },
    s3: new S3Client({ region, requestHandler: within(S3_TIMEOUT_MS) }),
  };
}
