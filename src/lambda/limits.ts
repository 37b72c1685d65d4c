import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { explainAwsError, isDenied, readAwsFailure } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import type { Target } from './target.ts';

/** How many invocations of a version may run at once. Undefined: there is no such limit, or the role may not ask. */
export interface Limits {
  /** Instances that are kept warm for this version: beyond them, others start, which are not the same kind. */
  provisioned?: number;
  /** Reserved for the function, of all its versions together. */
  reserved?: number;
  /** Shared by all functions of the account without a reservation. */
  unreserved?: number;
  /** IAM actions the role lacks: the limits they would tell are unknown. */
  denied: string[];
}

const POLL_MS = 2_000;
/** What a measurement takes of the concurrency that it shares with everything else in the account. */
const SHARE_OF_ACCOUNT = 0.5;

/**
 * Asks for the limits that hold for a version, and waits until its provisioned concurrency is ready.
 * @throws MeasurementError when provisioned concurrency failed or does not become ready
 */
export async function fetchLimits(
  client: Pick<LambdaClient, 'send'>,
  { invokeName, functionName, version }: Target,
  clock: Clock,
  readyTimeoutMs: number,
): Promise<Limits> {
  const denied: string[] = [];
  const ask = async <T>(action: string, request: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await request();
    } catch (error) {
      const failure = readAwsFailure(error);
      if (isDenied(failure)) denied.push(action);
      else if (failure.status !== 404) throw explainAwsError(error, `read the limits of ${functionName}`, action);
      return undefined;
    }
  };
  const [provisioned, reserved, account] = await Promise.all([
    version === '$LATEST'
      ? undefined
      : ask('lambda:GetProvisionedConcurrencyConfig', () =>
          provisionedWhenReady(client, invokeName, `${functionName}:${version}`, version, clock, readyTimeoutMs),
        ),
    ask('lambda:GetFunctionConcurrency', () =>
      client.send(new GetFunctionConcurrencyCommand({ FunctionName: invokeName })),
    ),
    ask('lambda:GetAccountSettings', () => client.send(new GetAccountSettingsCommand({}))),
  ]);
  const unreserved = account?.AccountLimit?.UnreservedConcurrentExecutions;
  return {
    ...(provisioned !== undefined && { provisioned }),
    ...(reserved?.ReservedConcurrentExecutions !== undefined && { reserved: reserved.ReservedConcurrentExecutions }),
    ...(unreserved !== undefined && { unreserved }),
    denied: denied.sort(),
  };
}

async function provisionedWhenReady(
  client: Pick<LambdaClient, 'send'>,
  invokeName: string,
  label: string,
  version: string,
  clock: Clock,
  readyTimeoutMs: number,
): Promise<number> {
  const deadlineMs = clock.monotonicMs() + readyTimeoutMs;
  for (;;) {
    const config = await client.send(
      new GetProvisionedConcurrencyConfigCommand({ FunctionName: invokeName, Qualifier: version }),
    );
    if (config.Status === 'READY') return config.AvailableProvisionedConcurrentExecutions ?? 0;
    if (config.Status === 'FAILED' || clock.monotonicMs() >= deadlineMs)
      throw new MeasurementError(
        `Cannot measure ${label}: its provisioned concurrency is ${config.Status === 'FAILED' ? 'not available' : `still not ready after ${Math.round(readyTimeoutMs / 1000)} s`}.`,
        'Look at the provisioned concurrency of that version in the console, or measure a version without it.',
        [{ what: `Provisioned concurrency of ${label}`, state: 'failed', found: config.Status ?? 'no status' }],
      );
    await clock.sleep(POLL_MS);
  }
}

/**
 * The concurrency of one version that the limits allow, and a sentence when it is less than was asked for.
 * @param versions measured at the same time, each with so many calls in flight
 * @throws MeasurementError when nothing may run at all
 */
export function clipConcurrency(
  limits: Limits,
  wanted: number,
  versions: number,
  name: string,
): { concurrency: number; warning?: string } {
  const bounds = [
    { most: limits.provisioned, what: 'its provisioned concurrency is' },
    { most: limits.reserved && Math.floor(limits.reserved / versions), what: 'its reserved concurrency allows' },
    {
      most:
        limits.reserved === undefined && limits.unreserved !== undefined
          ? Math.floor((limits.unreserved * SHARE_OF_ACCOUNT) / versions)
          : undefined,
      what: `half of the account's unreserved concurrency (${limits.unreserved}) is`,
    },
  ].filter((bound): bound is { most: number; what: string } => bound.most !== undefined);
  const tightest = bounds.sort((a, b) => a.most - b.most)[0];
  if (!tightest || tightest.most >= wanted) return { concurrency: wanted };
  if (limits.reserved === 0 || tightest.most < 1)
    throw new MeasurementError(
      `Cannot measure ${name}: ${tightest.what} ${tightest.most}${versions > 1 ? ` for each of ${versions} versions` : ''}, so Lambda would run nothing.`,
      'Raise the reserved concurrency of the function, or the concurrency quota of the account.',
      [{ what: `Concurrency of ${name}`, state: 'failed', found: `${tightest.what} ${tightest.most}` }],
    );
  return {
    concurrency: tightest.most,
    warning: `concurrency was lowered from ${wanted} to ${tightest.most}: ${tightest.what} ${tightest.most}${versions > 1 ? ` for each of ${versions} versions` : ''}. Raise it to measure more instances.`,
  };
}
