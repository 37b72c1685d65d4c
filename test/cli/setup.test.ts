import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseSettings } from '../../src/settings.ts';
import { useCommandLine } from './command.ts';

const { run, directory } = useCommandLine();
const flags = [
  ...['--s3-bucket', 'octo-profiles', '--region', 'eu-west-1', '--account-id', '123456789012'],
  ...['--repository', 'octo-org/orders', '--branch', 'main'],
];

describe('lambda-profile iam', () => {
  test('prints the policy of every role', async () => {
    const { exitCode, stdout } = await run(['iam', 'orders', ...flags, '--json']);
    expect(exitCode).toBe(0);
    const { schemaVersion, policies } = JSON.parse(stdout);
    expect(schemaVersion).toBe(1);
    expect(policies.function.Statement[0].Resource).toEqual([
      'arn:aws:s3:::octo-profiles/sparta/pprof/orders/profiles/*',
    ]);
  });

  test('lets jobs that measure in shards store them', async () => {
    const { stdout } = await run(['iam', 'orders', ...flags, '--shards', '--only', 'read']);
    const statement = JSON.parse(stdout).Statement.find(({ Sid }: { Sid: string }) => Sid === 'StoreShards');
    expect(statement.Resource[0]).toMatch(/orders\/\*\/shards\/\*$/);
  });

  test('reads region and account off an ARN, and prints one policy alone', async () => {
    const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';
    const { stdout } = await run([
      'iam',
      arn,
      '--s3-bucket',
      'octo-profiles',
      '--repository',
      'a/b',
      '--only',
      'prune',
    ]);
    expect(JSON.parse(stdout).Statement[0].Action).toEqual(['s3:DeleteObject']);
  });

  test.each([
    ['<function>', []],
    ['--s3-bucket', ['orders']],
    ['--account-id', ['orders', '--s3-bucket', 'octo-profiles', '--region', 'eu-west-1']],
  ])('names %s when it is missing', async (flag, args) => {
    const { exitCode, stderr } = await run(['iam', ...args]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`Missing ${flag}:`) });
  });

  test('names all that is missing at once', async () => {
    const { stderr } = await run(['iam'], { AWS_REGION: 'eu-west-1' });
    expect(stderr).toBe(
      'Missing <function>: its name.\nMissing --s3-bucket: the name of a bucket.\nMissing --account-id: 12 digits.\nMissing --repository: owner/name.\n',
    );
  });

  test('refuses what is no name', async () => {
    const { exitCode, stderr } = await run(['iam', 'orders*', ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("functionName must be the name of a function, and 'orders*' is not.");
  });
});

describe('lambda-profile init', () => {
  const workflow = join(directory, '.github/workflows/lambda-profile.yml');

  test('tells what it would write', async () => {
    const { stdout } = await run(['init', 'orders', ...flags, '--dry-run']);
    expect(stdout).toContain('would write  .github/workflows/lambda-profile.yml\n');
    expect(existsSync(workflow)).toBe(false);
  });

  test('writes workflow, config and policies', async () => {
    const { exitCode, stdout } = await run(['init', 'orders', ...flags]);
    expect(exitCode).toBe(0);
    expect(stdout.match(/^wrote /gm)).toHaveLength(8);
    const { on, jobs } = parse(readFileSync(workflow, 'utf8'));
    expect(on.push).toEqual({ branches: ['main'] });
    const step = jobs.profile.steps.at(-1);
    expect(step.uses).toMatch(/\/lambda-profile-action@v1$/);
    expect(step.with).toEqual({
      'function-name': 'orders',
      qualifier: `\${{ steps.deploy.outputs.version }}`,
      's3-bucket': 'octo-profiles',
    });
    const config = readFileSync(join(directory, '.github/lambda-profile.yml'), 'utf8');
    expect(parseSettings({ ...step.with, qualifier: '7' }, config).failThreshold).toBe(0.1);
    const policy = JSON.parse(readFileSync(join(directory, '.github/lambda-profile/store-trust.json'), 'utf8'));
    expect(JSON.stringify(policy)).toContain('repo:octo-org/orders:ref:refs/heads/main');
  });

  test('changes nothing when it is run again, and keeps what was changed by hand', async () => {
    const again = await run(['init', 'orders', ...flags]);
    expect(again.stdout.match(/^unchanged /gm)).toHaveLength(8);
    writeFileSync(workflow, 'mine\n');
    const kept = await run(['init', 'orders', ...flags]);
    expect(kept.stdout).toContain('kept       .github/workflows/lambda-profile.yml\n');
    expect(readFileSync(workflow, 'utf8')).toBe('mine\n');
    await run(['init', 'orders', ...flags, '--force']);
    expect(readFileSync(workflow, 'utf8')).toContain('lambda-profile-action@v1');
  });
});

describe('lambda-profile demo', () => {
  test('says where the demo is when it is not here', async () => {
    const { exitCode, stderr } = await run(['demo']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        'Cannot find the demo: it is in the repository of the project. Clone it, then run `npm ci && npm run demo` there.\n',
    });
  });
});
