import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { type PolicyDocument, renderPolicies } from '../../src/iam.ts';
import { isAllowed } from './evaluate.ts';
import { type GuardedGate, INPUT, startGuardedGate } from './gate.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const COMMIT = { base: '1'.repeat(40), head: '2'.repeat(40), other: '3'.repeat(40) };

const without = (policy: PolicyDocument, sid: string): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.filter(({ Sid }) => Sid !== sid),
});

describe('a gate with exactly what the policies allow', () => {
  let guarded: GuardedGate;
  const directory = mkdtempSync(join(tmpdir(), 'iam-'));
  beforeAll(async () => {
    guarded = await startGuardedGate((await buildLayer(directory)).zip);
  });
  afterAll(async () => {
    await guarded?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('stores a recording on the base branch, and compares with it on a pull request', async () => {
    const { policies, run } = guarded;
    const stored = await run(
      COMMIT.base,
      { function: policies.function, job: policies.store },
      { store: true, baselines: [] },
    );
    expect(stored.verdict.kind).toBe('no-baseline');
    expect(stored.notes.join()).not.toContain('lacks');
    const compared = await run(
      COMMIT.head,
      { function: policies.function, job: policies.read },
      { store: false, baselines: [COMMIT.other, COMMIT.base] },
    );
    expect(compared.baseline?.recording.manifest.commit).toBe(COMMIT.base);
    expect(compared.verdict.kind).not.toBe('error');
  });

  it('made only calls that the policies allow, conditions included, and was refused none', () => {
    const { s3, lambda, policies } = guarded;
    const roles: Record<string, PolicyDocument> = { ASIAJOB: policies.store, ASIAFUNCTION: policies.function };
    expect(s3.requests.length).toBeGreaterThan(10);
    for (const { operation, key, query, accessKeyId, status } of s3.requests) {
      const onBucket = operation === 'ListObjectsV2';
      const allowed = isAllowed([roles[accessKeyId]!], {
        action: onBucket ? 's3:ListBucket' : `s3:${operation}`,
        resource: `arn:aws:s3:::${INPUT.bucket}${onBucket ? '' : `/${key}`}`,
        context: onBucket ? { 's3:prefix': query.prefix ?? '' } : {},
      });
      expect(`${operation} ${key} ${query.prefix ?? ''} ${allowed}`).toMatch(/true$/);
      expect(status).not.toBe(403);
    }
    expect(lambda.requests.filter(({ status }) => status === 403)).toEqual([]);
  });

  it.each([
    ['InvokeFunction', 'lambda:InvokeFunction'],
    ['ResolveFunction', 'lambda:GetFunctionConfiguration'],
    ['ListSnapshotsAndRecordings', 's3:ListBucket'],
    ['ReadSnapshotsAndRecordings', 's3:GetObject'],
    ['StoreRecordings', 's3:PutObject'],
  ])('names what is missing without %s', async (sid, action) => {
    const { policies, run } = guarded;
    const roles = { function: policies.function, job: without(policies.store, sid) };
    const { verdict } = await run(COMMIT.other, roles, { store: true, baselines: [COMMIT.base] });
    expect(verdict.kind).toBe('error');
    expect(JSON.stringify(verdict)).toContain(action);
  });

  it('names what the function may not do', async () => {
    const { policies, run } = guarded;
    const roles = { function: without(policies.function, 'PublishSnapshots'), job: policies.read };
    const { verdict } = await run(COMMIT.head, roles, { store: false, baselines: [] });
    expect(verdict.kind).toBe('error');
    expect(JSON.stringify(verdict)).toContain('s3:PutObject');
  });

  it.each([
    ['ReadConcurrency', 'lambda:GetFunctionConcurrency'],
    ['ReadAccountConcurrency', 'lambda:GetAccountSettings'],
  ])('goes on without %s, and says so', async (sid, action) => {
    const { policies, run } = guarded;
    const roles = { function: policies.function, job: without(policies.read, sid) };
    const { verdict, notes } = await run(COMMIT.head, roles, { store: false, baselines: [COMMIT.base] });
    expect(verdict.kind).not.toBe('error');
    expect(notes.join()).toContain(action);
  });

  it('stores nothing with the role of pull requests', async () => {
    const { policies, run, s3 } = guarded;
    const before = s3.objects(INPUT.bucket, INPUT.baselinePrefix).length;
    const { verdict } = await run(
      COMMIT.head,
      { function: policies.function, job: policies.read },
      { store: true, baselines: [] },
    );
    expect(JSON.stringify(verdict)).toContain('s3:PutObject');
    expect(s3.objects(INPUT.bucket, INPUT.baselinePrefix)).toHaveLength(before);
  });
});

describe('renderPolicies()', () => {
  const policies = renderPolicies(INPUT);
  const all = Object.values(policies).flatMap(({ Statement }) => Statement);

  it('has a statement for every call of an AWS client in the sources, and none for anything else', () => {
    const called = new Set<string>();
    for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const source = readFileSync(join(root, 'src', file), 'utf8');
      for (const [, service, names] of [
        ...source.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-(lambda|s3)'/g),
      ].map(([, names, service]) => ['', service!, names!] as const))
        for (const [, operation] of names.matchAll(/\b(\w+)Command\b/g)) called.add(`${service}:${operation}`);
    }
    const actionOf: Record<string, string> = {
      'lambda:Invoke': 'lambda:InvokeFunction',
      's3:ListObjectsV2': 's3:ListBucket',
    };
    const needed = [...called].map((call) => actionOf[call] ?? call).sort();
    const allowed = [...new Set(all.flatMap(({ Action }) => Action))].filter((action) => !action.startsWith('sts:'));
    expect(allowed.sort()).toEqual([...new Set(needed)].sort());
  });

  it('has no wildcard action, and no wildcard resource but for what has no other', () => {
    for (const { Sid, Action, Resource = [] } of all) {
      expect(Action.join()).not.toContain('*');
      if (Sid !== 'ReadAccountConcurrency') expect(Resource).not.toContain('*');
    }
  });

  it('keeps functions apart whose names begin alike, and allows measurements with a key', () => {
    const put = (key: string): boolean =>
      isAllowed([policies.store], { action: 's3:PutObject', resource: `arn:aws:s3:::octo-profiles/${key}` });
    expect(put('lambda-profile/recordings/orders/abc/recording.json')).toBe(true);
    expect(put('lambda-profile/recordings/orders.eu/abc/recording.json')).toBe(true);
    expect(put('lambda-profile/recordings/orders-admin/abc/recording.json')).toBe(false);
    expect(put('sparta/pprof/orders/profiles/cpu/0-cpu.i-1.profile')).toBe(false);
  });

  it('trusts the repository only, and for storing the branch only', () => {
    const subject = ({ Statement }: PolicyDocument): unknown =>
      Statement[0]?.Condition?.StringEquals?.['token.actions.githubusercontent.com:sub'];
    expect(subject(policies.storeTrust)).toBe('repo:octo-org/shop:ref:refs/heads/main');
    expect(subject(policies.readTrust)).toBe('repo:octo-org/shop:pull_request');
  });

  it('adds the key of the bucket, through S3 only, and payloads', () => {
    const kmsKeyArn = 'arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d';
    const more = renderPolicies({ ...INPUT, kmsKeyArn, payloads: 's3://octo-payloads/orders/' });
    const request = { resource: kmsKeyArn, context: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } };
    expect(isAllowed([more.function], { action: 'kms:GenerateDataKey', ...request })).toBe(true);
    expect(isAllowed([more.read], { action: 'kms:Decrypt', ...request })).toBe(true);
    expect(isAllowed([more.read], { action: 'kms:Decrypt', resource: kmsKeyArn, context: {} })).toBe(false);
    const payload = { action: 's3:GetObject', resource: 'arn:aws:s3:::octo-payloads/orders/a.json' };
    expect(isAllowed([more.read], payload)).toBe(true);
    expect(isAllowed([policies.read], payload)).toBe(false);
  });

  it('lets jobs of pull requests store shards when they measure in shards, and no recording', () => {
    const { read } = renderPolicies({ ...INPUT, shards: true });
    const put = (key: string): boolean =>
      isAllowed([read], {
        action: 's3:PutObject',
        resource: `arn:aws:s3:::octo-profiles/lambda-profile/recordings/${key}`,
      });
    expect(put('orders/abc/shards/7001/1-of-4/recording.json')).toBe(true);
    expect(put('orders/abc/recording.json')).toBe(false);
    expect(isAllowed([policies.read], { action: 's3:PutObject', resource: 'arn:aws:s3:::octo-profiles/x' })).toBe(
      false,
    );
  });

  it('lets those jobs use the key of the bucket for their shards, and no other job', () => {
    const kmsKeyArn = 'arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d';
    const context = { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' };
    const encrypt = { action: 'kms:GenerateDataKey', resource: kmsKeyArn, context };
    expect(isAllowed([renderPolicies({ ...INPUT, kmsKeyArn, shards: true }).read], encrypt)).toBe(true);
    expect(isAllowed([renderPolicies({ ...INPUT, kmsKeyArn }).read], encrypt)).toBe(false);
  });

  it('speaks the ARNs of other partitions', () => {
    const text = JSON.stringify(renderPolicies({ ...INPUT, region: 'cn-north-1' }));
    expect(text).toContain('arn:aws-cn:s3:::octo-profiles');
    expect(text).not.toContain('arn:aws:');
  });

  it.each([
    ['functionName', 'orders*'],
    ['accountId', '12'],
    ['bucket', 'octo-profiles/*'],
    ['stack', 'a/b'],
    ['prefix', 'sparta/*'],
    ['repository', 'octo-org/*'],
    ['branch', 'main"'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable.
    ['baselinePrefix', '${aws:username}'],
  ])('refuses %s %s', (name, value) => {
    expect(() => renderPolicies({ ...INPUT, [name]: value })).toThrow(`Cannot write policies: ${name} must be`);
  });

  it('is what docs/iam.md shows', () => {
    const documented = readFileSync(join(root, 'docs/iam.md'), 'utf8');
    const { read, ...shown } = policies;
    expect(read).toEqual(without(policies.store, 'StoreRecordings'));
    for (const [name, policy] of Object.entries(shown))
      expect(documented.includes(JSON.stringify(policy, null, 2)), `${name} is in docs/iam.md`).toBe(true);
  });
});

it('docs/iam.md names options that exist', () => {
  const [documented, reference] = ['docs/iam.md', 'docs/cli.md'].map((file) => readFileSync(join(root, file), 'utf8'));
  const options = new Set(documented!.match(/--[a-z][a-z-]+/g));
  expect([...options].filter((option) => !reference!.includes(`${option} `))).toEqual([]);
});

describe.each(['node', 'go'])('the examples of deploying the %s function', (language) => {
  const { function: ofFunction, store, readTrust, storeTrust } = renderPolicies(INPUT);
  const actionsOf = (text: string): string[] => [...new Set(text.match(/\b(?:s3|lambda|sts):[A-Z]\w+/g))].sort();

  it.each(['template.yaml', 'stack.mjs', 'main.tf'])('allow in %s what the policies allow', (file) => {
    const example = readFileSync(join(root, 'examples/functions', language, 'deploy', file), 'utf8');
    // How Lambda takes the function's own role is Terraform's to say; SAM and CDK do it by themselves.
    const actions = actionsOf(example).filter((action) => action !== 'sts:AssumeRole');
    expect(actions).toEqual(actionsOf(JSON.stringify([ofFunction, store, readTrust, storeTrust])));
    expect(example).toMatch(/sparta\/pprof\/(?:orders|\$\{NAME\}|\$\{local\.name\})\/profiles\/\*/);
    expect(example).toMatch(/lambda-profile\/recordings\/(?:orders|\$\{NAME\}|\$\{local\.name\})\/\*/);
    expect(example).toContain('pull_request');
    expect(example).toContain('ref:refs/heads/');
  });
});
