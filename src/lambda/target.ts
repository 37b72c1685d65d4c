import {
  type FunctionConfiguration,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { explainAwsError, readAwsFailure } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import { ConfigurationError, MeasurementError } from '../errors.ts';

/** A function as the user names it. */
export interface FunctionReference {
  name: string;
  /** Given by a full ARN only. */
  region?: string;
  accountId?: string;
  /** Version or alias. */
  qualifier?: string;
}

/** One immutable version of the function under test (or `$LATEST`, guarded by `codeSha256`). */
export interface Target {
  functionName: string;
  /** What Invoke takes as FunctionName: the name, or the full ARN when the user gave one. Never print it. */
  invokeName: string;
  /** e.g. `7`, or `$LATEST` */
  version: string;
  region: string;
  codeSha256: string;
  /** When code or configuration were last updated, as AWS writes it. */
  lastModified?: string;
  memoryMb: number;
  timeoutSeconds: number;
  architecture: string;
  /** e.g. `nodejs24.x`, `provided.al2023`, `image` */
  runtime: string;
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const QUALIFIER = /^(\$LATEST|[a-zA-Z0-9_-]{1,128})$/;
const REGION = /^[a-z]{2,}(-[a-z]+)+-\d$/;

/**
 * A function name, partial ARN or full ARN, with or without a version or alias.
 * @throws ConfigurationError when it is none of these, or names two different qualifiers
 */
export function parseFunctionName(input: string, qualifier = ''): FunctionReference {
  const wrong = (why: string): ConfigurationError =>
    new ConfigurationError(
      `Cannot use function-name '${shown(input)}': ${why}. Give a name (orders), a name with a version or alias (orders:live), or a full ARN (arn:aws:lambda:eu-west-1:<account>:function:orders).`,
    );
  const parts = input.trim().split(':');
  let name: string | undefined;
  let inline: string | undefined;
  let region: string | undefined;
  let accountId: string | undefined;
  if (parts[0] === 'arn') {
    if (parts.length < 7 || parts.length > 8)
      throw wrong(`an ARN of a function has 7 or 8 parts, this has ${parts.length}`);
    if (parts[2] !== 'lambda' || parts[5] !== 'function') throw wrong('it is not the ARN of a Lambda function');
    if (!REGION.test(parts[3]!)) throw wrong(`'${shown(parts[3]!)}' is not a region`);
    if (!/^\d{12}$/.test(parts[4]!)) throw wrong('the account id must be 12 digits');
    [region, accountId, name, inline] = [parts[3], parts[4], parts[6], parts[7]];
  } else if (parts[1] === 'function') {
    if (!/^\d{12}$/.test(parts[0]!)) throw wrong('the account id must be 12 digits');
    [accountId, name, inline] = [parts[0], parts[2], parts[3]];
  } else {
    if (parts.length > 2) throw wrong('it has too many colons');
    [name, inline] = [parts[0], parts[1]];
  }
  if (name === undefined || !NAME.test(name))
    throw wrong('a name has 1 to 64 letters, digits, hyphens and underscores');
  const asked = qualifier.trim();
  for (const given of [inline, asked])
    if (given && !QUALIFIER.test(given)) throw wrong(`'${shown(given)}' is not a version or an alias`);
  if (inline && asked && inline !== asked)
    throw wrong(`it names '${shown(inline)}', but qualifier is '${shown(asked)}'`);
  const chosen = inline || asked;
  return {
    name,
    ...(region !== undefined && { region }),
    ...(accountId !== undefined && { accountId }),
    ...(chosen && { qualifier: chosen }),
  };
}

function shown(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?').replace(/\d{12}/g, '<account>');
  return printable.length > 120 ? `${printable.slice(0, 120)}…` : printable;
}

/**
 * Resolves a reference to one immutable version that is ready to be invoked.
 * Polls itself: the SDK's waiters take a 403 for "not yet" and hang.
 * @throws MeasurementError when it does not exist, may not be read, is split over versions, or does not become ready
 */
export async function resolveTarget(
  client: Pick<LambdaClient, 'send'>,
  reference: FunctionReference,
  region: string,
  clock: Clock,
  readyTimeoutMs: number,
): Promise<Target> {
  const invokeName =
    reference.accountId === undefined
      ? reference.name
      : `arn:${partitionOf(region)}:lambda:${region}:${reference.accountId}:function:${reference.name}`;
  const version = await resolveVersion(client, invokeName, region, reference);
  const configuration = await fetchReady(client, invokeName, region, reference.name, version, clock, readyTimeoutMs);
  refuseUnsupported(configuration, reference.name);
  return {
    functionName: reference.name,
    invokeName,
    version: configuration.Version ?? version ?? '$LATEST',
    region,
    codeSha256: configuration.CodeSha256 ?? '',
    ...(configuration.LastModified && { lastModified: configuration.LastModified }),
    memoryMb: configuration.MemorySize ?? 128,
    timeoutSeconds: configuration.Timeout ?? 3,
    architecture: configuration.Architectures?.[0] ?? 'x86_64',
    runtime: configuration.Runtime ?? 'image',
  };
}

/**
 * `$LATEST` may be replaced while it is measured; then the profiles belong to two programs, or to one in two
 * environments.
 * @throws MeasurementError when code or configuration are not those that were resolved
 */
export async function assertUnchanged(client: Pick<LambdaClient, 'send'>, target: Target): Promise<void> {
  if (target.version !== '$LATEST') return;
  const { CodeSha256, LastModified } = await fetchConfiguration(
    client,
    target.invokeName,
    target.region,
    target.functionName,
    target.version,
  );
  const isSameCode = (CodeSha256 ?? '') === target.codeSha256;
  if (isSameCode && (target.lastModified === undefined || LastModified === target.lastModified)) return;
  const what = isSameCode ? 'configuration was changed' : 'code was replaced';
  throw new MeasurementError(
    `Cannot trust the measurement of ${target.functionName}: its ${what} while it ran.`,
    'Publish a version for each deployment and give it as qualifier, or let no other deployment run at the same time.',
    [
      {
        what: `Version $LATEST of ${target.functionName}`,
        state: 'failed',
        found: `another ${isSameCode ? 'LastModified' : 'CodeSha256'} than at the start`,
      },
    ],
  );
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

async function resolveVersion(
  client: Pick<LambdaClient, 'send'>,
  invokeName: string,
  region: string,
  { name, qualifier }: FunctionReference,
): Promise<string | undefined> {
  if (qualifier === undefined || qualifier === '$LATEST' || /^\d+$/.test(qualifier)) return qualifier;
  try {
    const alias = await client.send(new GetAliasCommand({ FunctionName: invokeName, Name: qualifier }));
    const weights = Object.entries(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
    if (weights.length > 0)
      throw new MeasurementError(
        `Cannot measure ${name}:${qualifier}: the alias splits its traffic between version ${alias.FunctionVersion} and ${weights.map(([version, weight]) => `version ${version} (${weight * 100} %)`).join(', ')}.`,
        'Give the version to measure as qualifier, or an alias that points to one version.',
      );
    return alias.FunctionVersion;
  } catch (error) {
    if (readAwsFailure(error).status === 404) throw notFound(`${name}:${qualifier}`, region, error);
    throw explainAwsError(error, `read the alias ${name}:${qualifier}`, 'lambda:GetAlias');
  }
}

async function fetchConfiguration(
  client: Pick<LambdaClient, 'send'>,
  invokeName: string,
  region: string,
  name: string,
  version: string | undefined,
): Promise<FunctionConfiguration> {
  try {
    return await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: invokeName, ...(version && { Qualifier: version }) }),
    );
  } catch (error) {
    const label = version ? `${name}:${version}` : name;
    if (readAwsFailure(error).status === 404) throw notFound(label, region, error);
    throw explainAwsError(error, `read the configuration of ${label}`, 'lambda:GetFunctionConfiguration');
  }
}

function notFound(label: string, region: string, error: unknown): MeasurementError {
  return new MeasurementError(
    `Cannot find the function ${label}.`,
    `It was looked for in ${region}. Check the name, the region and the account, and that the deploy step ran before this one.`,
    [{ what: `GetFunctionConfiguration ${label}`, state: 'failed', found: 'ResourceNotFoundException (HTTP 404)' }],
    { cause: error },
  );
}

const POLL_MS = 1_000;

async function fetchReady(
  client: Pick<LambdaClient, 'send'>,
  invokeName: string,
  region: string,
  name: string,
  version: string | undefined,
  clock: Clock,
  readyTimeoutMs: number,
): Promise<FunctionConfiguration> {
  const deadlineMs = clock.nowMs() + readyTimeoutMs;
  let isWoken = false;
  for (;;) {
    const configuration = await fetchConfiguration(client, invokeName, region, name, version);
    const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = configuration;
    if (State === 'Failed' || LastUpdateStatus === 'Failed')
      throw new MeasurementError(
        `Cannot measure ${name}: its last deployment failed${withReason(StateReason ?? LastUpdateStatusReason)}.`,
        'Fix the deployment, then run the job again.',
      );
    if (State === 'Deleting' || State === 'Deactivating' || State === 'Deactivated')
      throw new MeasurementError(
        `Cannot measure ${name}: it is ${State.toLowerCase()}${withReason(StateReason)}.`,
        'Deploy the function again, and let nothing delete or deactivate it while it is measured.',
        [{ what: `State of ${name}`, state: 'failed', found: State }],
      );
    if (State === 'Inactive' && !isWoken) {
      // Idle for weeks. A call wakes it, but fails itself, and runs nothing.
      isWoken = true;
      await client
        .send(new InvokeCommand({ FunctionName: invokeName, ...(version && { Qualifier: version }) }))
        .catch(() => {});
      continue;
    }
    // While an update is in progress, calls still reach the old code.
    const active = State === undefined || State === 'Active';
    // A version with SnapStart is restored from a snapshot that is taken when it is published.
    const { ApplyOn, OptimizationStatus } = configuration.SnapStart ?? {};
    const snapshotTaken =
      ApplyOn !== 'PublishedVersions' || configuration.Version === '$LATEST' || OptimizationStatus === 'On';
    if (active && snapshotTaken && (LastUpdateStatus === undefined || LastUpdateStatus === 'Successful'))
      return configuration;
    if (clock.nowMs() >= deadlineMs)
      throw new MeasurementError(
        `${name} was not ready within ${Math.round(readyTimeoutMs / 1000)} s: State ${State}, LastUpdateStatus ${LastUpdateStatus}${snapshotTaken ? '' : ', SnapStart without a snapshot'}${withReason(StateReason)}.`,
        'Let the deploy step wait until the function is active and updated.',
      );
    await clock.sleep(POLL_MS);
  }
}

function withReason(reason: string | undefined): string {
  return reason ? ` (${shown(reason)})` : '';
}

/** Kinds of functions whose invocations and instances do not correspond: measuring them would mislead. */
function refuseUnsupported(configuration: FunctionConfiguration, name: string): void {
  const { CapacityProviderConfig, DurableConfig, TenancyConfig } = configuration as FunctionConfiguration & {
    CapacityProviderConfig?: unknown;
    DurableConfig?: unknown;
    TenancyConfig?: unknown;
  };
  const kind =
    (CapacityProviderConfig && 'runs on Lambda Managed Instances, where one process serves many invocations at once') ||
    (DurableConfig && 'is a durable function, whose invocations replay') ||
    (TenancyConfig && 'isolates tenants, and an invocation needs a tenant id');
  if (kind)
    throw new MeasurementError(
      `Cannot measure ${name}: it ${kind}.`,
      'Measure a plain on-demand version of the same code.',
    );
}
