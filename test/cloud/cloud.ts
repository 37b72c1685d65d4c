import { type GitHubOptions, type GitHubServer, startGitHub } from './github/server.ts';
import { type LambdaOptions, type LambdaServer, startLambda } from './lambda/server.ts';
import { type S3Options, type S3Server, startS3 } from './s3/server.ts';

/** AWS Lambda, S3 and GitHub on loopback, wired to each other as an account and a repository are. */
export interface Cloud {
  lambda: LambdaServer;
  s3: S3Server;
  github: GitHubServer;
  /** What `aws-actions/configure-aws-credentials` and the runner leave in a job's environment. */
  jobEnvironment: Record<string, string>;
  close(): Promise<void>;
}

export interface CloudOptions {
  owner: string;
  repository: string;
  bucket: string;
  lambda?: Partial<LambdaOptions>;
  s3?: Partial<S3Options>;
  github?: Partial<GitHubOptions>;
  /** May the function's role do so? Default: put snapshots. */
  functionAllows?: (action: string, resource: string) => boolean;
}

export const REGION = 'eu-west-1';
const ACCOUNT = '123456789012';
/** The job and the function have credentials of their own, as a role each. */
const JOB = { accessKeyId: 'ASIAJOBLOOPBACK00001', secretAccessKey: 'job-secret-of-the-loopback-cloud' };
const FUNCTION = { accessKeyId: 'ASIAFUNLOOPBACK00001', secretAccessKey: 'function-secret-of-the-loopback-cloud' };
export const JOB_TOKEN = 'ghs_loopbackTokenOfTheJob';

/** Starts the three services. They listen on 127.0.0.1 only, and keep nothing but temporary folders until `close()`. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const putsSnapshots = (action: string): boolean => action === 's3:PutObject';
  const s3 = await startS3({
    accounts: [JOB, { ...FUNCTION, allows: options.functionAllows ?? putsSnapshots }],
    ...options.s3,
  });
  s3.createBucket(options.bucket);
  const lambda = await startLambda({
    region: REGION,
    accountId: ACCOUNT,
    functionEnvironment: {
      AWS_ACCESS_KEY_ID: FUNCTION.accessKeyId,
      AWS_SECRET_ACCESS_KEY: FUNCTION.secretAccessKey,
      AWS_ENDPOINT_URL_S3: s3.url,
    },
    ...options.lambda,
  });
  const github = await startGitHub({
    tokens: [
      {
        token: JOB_TOKEN,
        login: 'github-actions[bot]',
        type: 'Bot',
        permissions: { contents: 'read', issues: 'write', 'pull-requests': 'write', checks: 'write' },
      },
    ],
    repository: { owner: options.owner, name: options.repository },
    ...options.github,
  });
  return {
    lambda,
    s3,
    github,
    jobEnvironment: {
      AWS_ACCESS_KEY_ID: JOB.accessKeyId,
      AWS_SECRET_ACCESS_KEY: JOB.secretAccessKey,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_LAMBDA: lambda.url,
      GITHUB_API_URL: github.url,
      GITHUB_SERVER_URL: 'https://github.example.com',
      GITHUB_REPOSITORY: `${options.owner}/${options.repository}`,
    },
    async close() {
      await Promise.all([lambda.close(), s3.close(), github.close()]);
    },
  };
}
