import { type Command, Option } from 'commander';
import { ConfigurationError } from '../errors.ts';
import type { PolicyInput } from '../iam.ts';
import * as git from './local-git.ts';
import { ask } from './questions.ts';
import type { Shell } from './shell.ts';

/** Everything the policies are about, as options. */
export interface PolicyOptions {
  s3Bucket?: string;
  region?: string;
  accountId?: string;
  s3Prefix: string;
  stack?: string;
  baselinePrefix: string;
  repository?: string;
  branch?: string;
  kmsKeyArn?: string;
  payloads?: string;
}

/** Adds the options of the policies. */
export function addPolicyOptions(command: Command): Command {
  return command
    .option('--s3-bucket <bucket>', 'bucket of snapshots and recordings (default: LAMBDA_PROFILE_BUCKET)')
    .option('--region <region>', 'region of function and bucket (default: AWS_REGION)')
    .option('--account-id <id>', 'AWS account, 12 digits (default: that of the ARN)')
    .option('--repository <owner/name>', 'repository on GitHub (default: the remote origin)')
    .option('--branch <branch>', 'branch whose recordings are baselines (default: that of origin)')
    .option('--stack <stack>', "LAMBDA_PROFILE_STACK of the function (default: the function's name)")
    .addOption(new Option('--s3-prefix <prefix>', 'where snapshots are in the bucket').default('sparta/pprof'))
    .addOption(
      new Option('--baseline-prefix <prefix>', 'where recordings are in the bucket').default(
        'lambda-profile/recordings',
      ),
    )
    .option('--kms-key-arn <arn>', 'key that encrypts the bucket, if it is not that of S3')
    .option('--payloads <url>', 's3://bucket/prefix of the payloads, if they are there');
}

interface Place {
  functionName: string | undefined;
  region: string | undefined;
  accountId: string | undefined;
}

/** Reads a name or an ARN. */
function placeOf(input: string | undefined): Place {
  const parts = input?.split(':') ?? [];
  if (parts[0] !== 'arn') return { functionName: parts[0], region: undefined, accountId: undefined };
  return { functionName: parts[6], region: parts[3], accountId: parts[4] };
}

/**
 * What the policies are about: from the options, the environment and the checkout; what is missing is asked for.
 * @throws ConfigurationError that names the flag where nobody can be asked
 */
export async function policyInput(
  functionArgument: string | undefined,
  options: PolicyOptions,
  shell: Shell,
): Promise<PolicyInput> {
  const arn = placeOf(functionArgument);
  const origin = quiet(() => git.originOf(git.localGit));
  const missing: string[] = [];
  const need = (value: string | undefined, flag: string, text: string, form: RegExp, placeholder: string) => {
    if (value !== undefined && value !== '') return value;
    if (shell.interactive)
      return ask(
        { flag, text, placeholder },
        (answer) => (form.test(answer) ? undefined : `Give ${placeholder}.`),
        shell,
      );
    missing.push(`Missing ${flag}: ${placeholder}.`);
    return '';
  };
  const functionName = await need(arn.functionName, '<function>', 'Which function?', /^[\w-]{1,64}$/, 'its name');
  const bucket = await need(
    options.s3Bucket ?? shell.env.LAMBDA_PROFILE_BUCKET,
    '--s3-bucket',
    'Which bucket for snapshots and recordings?',
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'the name of a bucket',
  );
  const region = await need(
    options.region ?? arn.region ?? shell.env.AWS_REGION ?? shell.env.AWS_DEFAULT_REGION,
    '--region',
    'Which region?',
    /^[a-z]{2,}(-[a-z]+)+-\d$/,
    'a region such as eu-west-1',
  );
  const accountId = await need(
    options.accountId ?? arn.accountId,
    '--account-id',
    'Which AWS account?',
    /^\d{12}$/,
    '12 digits',
  );
  const repository = await need(
    options.repository ?? (origin && `${origin.owner}/${origin.name}`),
    '--repository',
    'Which repository on GitHub?',
    /^[\w.-]+\/[\w.-]+$/,
    'owner/name',
  );
  if (missing.length > 0) throw new ConfigurationError(missing.join('\n'));
  return {
    functionName,
    region,
    accountId,
    bucket,
    prefix: options.s3Prefix,
    stack: options.stack ?? functionName,
    baselinePrefix: options.baselinePrefix,
    repository,
    branch: options.branch ?? (quiet(() => git.defaultBranch(git.localGit)) ?? 'main').replace(/^origin\//, ''),
    ...(options.kmsKeyArn !== undefined && { kmsKeyArn: options.kmsKeyArn }),
    ...(options.payloads !== undefined && { payloads: options.payloads }),
  };
}

/** Without git there is nothing to read off the checkout; the options say it all. */
function quiet<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

/** The flags that say the same as an input. */
export function policyFlags(input: PolicyInput): string[] {
  const flags: [string, string | undefined][] = [
    ['s3-bucket', input.bucket],
    ['region', input.region],
    ['account-id', input.accountId],
    ['repository', input.repository],
    ['branch', input.branch],
    ['stack', input.stack === input.functionName ? undefined : input.stack],
    ['s3-prefix', input.prefix === 'sparta/pprof' ? undefined : input.prefix],
    ['baseline-prefix', input.baselinePrefix === 'lambda-profile/recordings' ? undefined : input.baselinePrefix],
    ['kms-key-arn', input.kmsKeyArn],
    ['payloads', input.payloads],
  ];
  const named = flags.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  return input.shards ? [...named, '--shards'] : named;
}
