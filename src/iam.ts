import { ConfigurationError } from './errors.ts';

/** What the policies are about; everything in them is one of these values, never a wildcard beside them. */
export interface PolicyInput {
  functionName: string;
  /** Of the function, and of the bucket. */
  region: string;
  /** 12 digits. */
  accountId: string;
  bucket: string;
  /** Of snapshots, `sparta/pprof` unless changed. */
  prefix: string;
  /** `LAMBDA_PROFILE_STACK` of the function, by default its name. */
  stack: string;
  /** Of recordings, `lambda-profile/recordings` unless changed. */
  baselinePrefix: string;
  /** `owner/name` on GitHub. */
  repository: string;
  /** Whose recordings are baselines. */
  branch: string;
  /** Of a bucket encrypted with a key of one's own. */
  kmsKeyArn?: string;
  /** `s3://bucket/prefix` of the input `payload`, if it is one. */
  payloads?: string;
  /** Jobs of pull requests measure in shards (`mode: measure`), which meet in the bucket. */
  shards?: boolean;
}

export interface Statement {
  Sid: string;
  Effect: 'Allow';
  Action: string[];
  Resource?: string[];
  Principal?: { Federated: string };
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface PolicyDocument {
  Version: '2012-10-17';
  Statement: Statement[];
}

/** Who may do what: a policy for each role, and one to add to somebody's own. */
export interface Policies {
  /** The function's role: publishes snapshots. */
  function: PolicyDocument;
  /** The role of jobs that only read, those of pull requests: invokes, collects, compares. */
  read: PolicyDocument;
  /** The role of jobs on the base branch: the same, and stores recordings. */
  store: PolicyDocument;
  /** Added to somebody's own role: `lambda-profile recordings prune`. */
  prune: PolicyDocument;
  /** Trust policies of the two roles of jobs, by GitHub's OIDC provider. */
  readTrust: PolicyDocument;
  storeTrust: PolicyDocument;
}

/**
 * The least that every part needs, as IAM policies: the function writes its own snapshots, a job reads them and the
 * recordings of this function, and writes recordings only when it runs on the base branch. Nothing is ever deleted,
 * except by who prunes.
 * @throws ConfigurationError when a value is not what it must be: a policy is not the place for surprises
 */
export function renderPolicies(input: PolicyInput): Policies {
  for (const [name, [pattern, what]] of Object.entries(FORMS)) {
    const value = input[name as keyof typeof FORMS];
    if (value !== undefined && !pattern.test(value))
      throw new ConfigurationError(
        `Cannot write policies: ${name} must be ${what}, and '${value.slice(0, 80)}' is not.`,
      );
  }
  const { functionName, region, accountId, bucket, kmsKeyArn, repository, branch } = input;
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const s3 = (path: string): string => `arn:${partition}:s3:::${path}`;
  const lambdaArn = `arn:${partition}:lambda:${region}:${accountId}:function:${functionName}`;
  const versions = [lambdaArn, `${lambdaArn}:*`];
  const snapshots = `${input.prefix}/${input.stack}/profiles/*`;
  // A measurement with a key of its own is beside the function's, after a dot; function names have none.
  const recordings = [`${input.baselinePrefix}/${functionName}/*`, `${input.baselinePrefix}/${functionName}.*`];
  const shards = [
    `${input.baselinePrefix}/${functionName}/*/shards/*`,
    `${input.baselinePrefix}/${functionName}.*/shards/*`,
  ];
  const inBucket = (paths: string[]): string[] => paths.map((path) => s3(`${bucket}/${path}`));

  const read: Statement[] = [
    allow('InvokeFunction', ['lambda:InvokeFunction'], versions),
    allow('ResolveFunction', ['lambda:GetAlias', 'lambda:GetFunctionConfiguration'], versions),
    // Without these two the gate does not know how many instances it may bring up, and tries.
    allow('ReadConcurrency', ['lambda:GetFunctionConcurrency', 'lambda:GetProvisionedConcurrencyConfig'], versions),
    allow('ReadAccountConcurrency', ['lambda:GetAccountSettings'], ['*']),
    allow('ListSnapshotsAndRecordings', ['s3:ListBucket'], [s3(bucket)], {
      StringLike: { 's3:prefix': [snapshots, ...recordings] },
    }),
    allow('ReadSnapshotsAndRecordings', ['s3:GetObject'], inBucket([snapshots, ...recordings])),
    ...payloadStatements(input.payloads, s3),
    ...(input.shards ? [allow('StoreShards', ['s3:PutObject'], inBucket(shards))] : []),
    ...key('DecryptObjects', ['kms:Decrypt'], kmsKeyArn, region),
    ...(input.shards ? key('EncryptShards', ['kms:GenerateDataKey'], kmsKeyArn, region) : []),
  ];
  return {
    function: policy(
      allow('PublishSnapshots', ['s3:PutObject'], inBucket([snapshots])),
      ...key('EncryptSnapshots', ['kms:GenerateDataKey'], kmsKeyArn, region),
    ),
    read: policy(...read),
    store: policy(
      ...read,
      allow('StoreRecordings', ['s3:PutObject'], inBucket(recordings)),
      ...key('EncryptRecordings', ['kms:GenerateDataKey'], kmsKeyArn, region),
    ),
    prune: policy(allow('DeleteRecordings', ['s3:DeleteObject'], inBucket(recordings))),
    readTrust: trust(partition, accountId, `repo:${repository}:pull_request`),
    storeTrust: trust(partition, accountId, `repo:${repository}:ref:refs/heads/${branch}`),
  };
}

const segment = '[A-Za-z0-9_.-]+';
const path = /^[A-Za-z0-9!_.'()-][A-Za-z0-9!_.'()/-]{0,510}$/;
/** What each value must look like. No form lets a wildcard or a policy variable through. */
const FORMS: Record<Exclude<keyof PolicyInput, 'shards'>, [RegExp, string]> = {
  functionName: [/^[a-zA-Z0-9_-]{1,64}$/, 'the name of a function'],
  region: [/^[a-z]{2,}(-[a-z]+)+-\d$/, 'a region'],
  accountId: [/^\d{12}$/, '12 digits'],
  bucket: [/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket'],
  prefix: [path, 'a prefix without slashes around it'],
  stack: [new RegExp(`^${segment}$`), 'a name without slashes'],
  baselinePrefix: [path, 'a prefix without slashes around it'],
  repository: [new RegExp(`^${segment}/${segment}$`), 'owner/name'],
  branch: [/^[A-Za-z0-9][A-Za-z0-9_./-]{0,200}$/, 'the name of a branch'],
  kmsKeyArn: [/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a key'],
  payloads: [/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/[A-Za-z0-9!_.'()/-]{0,512}$/, 's3://bucket/prefix'],
};

function policy(...statements: Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

function allow(Sid: string, Action: string[], Resource: string[], Condition?: Statement['Condition']): Statement {
  return { Sid, Effect: 'Allow', Action, Resource, ...(Condition && { Condition }) };
}

/** S3 uses the key in the caller's name; nobody needs it for anything else. */
function key(sid: string, actions: string[], arn: string | undefined, region: string): Statement[] {
  if (arn === undefined) return [];
  const dns = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return [allow(sid, actions, [arn], { StringEquals: { 'kms:ViaService': `s3.${region}.${dns}` } })];
}

function payloadStatements(url: string | undefined, s3: (path: string) => string): Statement[] {
  if (url === undefined) return [];
  const [bucket, ...rest] = url.slice('s3://'.length).split('/');
  const prefix = rest.join('/');
  const all = prefix === '' || prefix.endsWith('/') ? `${prefix}*` : prefix;
  return [
    allow('ListPayloads', ['s3:ListBucket'], [s3(bucket!)], { StringLike: { 's3:prefix': [all] } }),
    allow('ReadPayloads', ['s3:GetObject'], [s3(`${bucket}/${all}`)]),
  ];
}

/** https://docs.github.com/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws */
function trust(partition: string, accountId: string, subject: string): PolicyDocument {
  const provider = 'token.actions.githubusercontent.com';
  return policy({
    Sid: 'AssumeByWorkflow',
    Effect: 'Allow',
    Principal: { Federated: `arn:${partition}:iam::${accountId}:oidc-provider/${provider}` },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: { StringEquals: { [`${provider}:aud`]: 'sts.amazonaws.com', [`${provider}:sub`]: subject } },
  });
}
