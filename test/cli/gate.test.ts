import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GATE_OPTIONS } from '../../src/cli/gate-options.ts';
import { INPUT_NAMES } from '../../src/settings.ts';
import { BUCKET, type Scenario, sampleFunction, startScenario } from '../action/scenario.ts';
import { startS3 } from '../cloud/s3/server.ts';
import { useCommandLine } from './command.ts';

const { run, directory } = useCommandLine();
let scenario: Scenario;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=octocat', '-c', 'user.email=octocat@example.com', ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: '1' },
  }).trimEnd();

/** The files of the function as a commit of the folder. */
function commit(files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
    git('add', path);
  }
  git('commit', '-q', '-m', 'orders');
  return git('rev-parse', 'HEAD');
}

const lambdaProfile = (...args: string[]) => run(args, scenario.cloud.jobEnvironment);
const small = ['--concurrency', '5', '--invocations', '100', '--warmup-invocations', '25', '--s3-bucket', BUCKET];

beforeAll(async () => {
  scenario = await startScenario();
  git('init', '-q', '-b', 'main');
  writeFileSync(join(directory, '.gitignore'), '.dist\n.lambda-profile\n');
}, 120_000);
afterAll(() => scenario.close());

describe('lambda-profile on the loopback cloud', () => {
  let base = '';
  test('gate records a commit of the base branch', async () => {
    base = commit(sampleFunction());
    const version = await scenario.deploy('orders', sampleFunction());
    const { exitCode, stdout, stderr } = await lambdaProfile(
      'gate',
      `orders:${version}`,
      ...small,
      '--update-baseline',
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain('first profile recorded, nothing to compare with yet');
    expect(stderr).toContain(`${base.slice(0, 7)} stored`);
    expect(existsSync(join(directory, '.lambda-profile/gate/orders-report.html'))).toBe(true);
  });

  test('gate fails for a slower commit, against the recording of its merge base', async () => {
    git('checkout', '-q', '-b', 'slower');
    commit(sampleFunction(true));
    const version = await scenario.deploy('orders', sampleFunction(true));
    const { exitCode, stdout } = await lambdaProfile('gate', `orders:${version}`, ...small, '--json');
    const report = JSON.parse(stdout);
    expect({ exitCode, kind: report.verdict.kind }).toEqual({ exitCode: 1, kind: 'fail' });
    expect(report.verdict.regressed).toEqual(['bestDiscount']);
    expect(report.base).toMatchObject({ commit: base, relation: 'merge base with main', distance: 0 });
    expect(report.changedFiles).toContain('src/promotions.mjs');
    const saved = readFileSync(join(directory, '.lambda-profile/gate/orders-report.json'), 'utf8');
    expect(JSON.parse(saved).verdict.kind).toBe('fail');
  });

  test('gate ends with 130 on Ctrl-C, and tells what was measured until then', async () => {
    const args = ['gate', 'orders', '--s3-bucket', BUCKET, '--concurrency', '5', '--invocations', '100000', '--json'];
    const { exitCode, stdout } = await run(args, scenario.cloud.jobEnvironment, 'measured ');
    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout).verdict.kind).not.toBe('pass');
  });

  test('gate exits 4 for an inconclusive run where the config file says that it fails', async () => {
    const config = join(directory, 'strict.yml');
    writeFileSync(config, 'fail-on: [function, inconclusive]\n');
    const few = ['--concurrency', '2', '--invocations', '20', '--warmup-invocations', '4', '--s3-bucket', BUCKET];
    const lenient = await lambdaProfile('gate', 'orders', ...few, '--json');
    expect({ exitCode: lenient.exitCode, kind: JSON.parse(lenient.stdout).verdict.kind }).toEqual({
      exitCode: 0,
      kind: 'inconclusive',
    });
    const { exitCode, stdout } = await lambdaProfile('gate', 'orders', ...few, '--config', config, '--json');
    expect({ exitCode, kind: JSON.parse(stdout).verdict.kind }).toEqual({ exitCode: 4, kind: 'inconclusive' });
  });

  test('gate could not measure: exit 3, and why', async () => {
    const { exitCode, stdout } = await lambdaProfile('gate', 'missing', '--s3-bucket', BUCKET);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('missing');
  });

  test('gate names every option that is wrong: exit 2', async () => {
    const { exitCode, stderr } = await run(['gate', 'orders', '--invocations', 'many', '--fail-threshold', '5']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('- invocations must be a whole number: it is "many".');
    expect(stderr).toContain('- s3-bucket is missing');
  });

  test('profile compares what was published with the recording of the base branch, or of a commit', async () => {
    const args = ['profile', 'orders', '--type', 'cpu', '--s3-bucket', BUCKET, '-o', 'change.html'];
    const branch = await lambdaProfile(...args, '--base', 'branch');
    expect(branch.stderr).toContain(`Base: recording of ${base.slice(0, 7)} (merge base with main).`);
    expect(branch.exitCode).toBe(0);
    expect(readFileSync(join(directory, 'change.html'), 'utf8')).toContain(`orders cpu since ${base.slice(0, 7)}`);
    expect((await lambdaProfile(...args, '--base', base.slice(0, 8))).exitCode).toBe(0);
    const unknown = await lambdaProfile(...args, '--base', 'ffffffff');
    expect(unknown).toMatchObject({ exitCode: 3 });
    expect(unknown.stderr).toContain('Cannot find a recording of ffffffff of orders.');
  });

  test('recordings lists, shows and deletes what was recorded', async () => {
    const place = ['--s3-bucket', BUCKET];
    const list = await lambdaProfile('recordings', 'list', ...place, '--json');
    expect(JSON.parse(list.stdout)).toMatchObject({
      schemaVersion: 1,
      recordings: [{ function: 'orders', commit: base, complete: true, objects: 2 }],
    });
    const show = await lambdaProfile('recordings', 'show', 'orders', base.slice(0, 7), ...place);
    expect(show.stdout).toContain(`Commit:      ${base}\nFunction:    orders:1\n`);
    const dry = await lambdaProfile('recordings', 'prune', '--keep', '0', ...place);
    expect(dry.stderr).toContain('Would delete 1 of 1 recording');
    expect(scenario.cloud.s3.objects(BUCKET, 'lambda-profile/')).toHaveLength(2);
    const real = await lambdaProfile('recordings', 'prune', '--keep', '0', '--yes', ...place);
    expect(real.stderr).toContain('Deleted 1 of 1 recording');
    expect(scenario.cloud.s3.objects(BUCKET, 'lambda-profile/')).toEqual([]);
  });

  test('collect writes the snapshots of a stack to a folder, which other commands read', async () => {
    scenario.cloud.s3.put(BUCKET, 'sparta/pprof/orders/profiles/cpu/0-cpu.i-1.profile', 'not a profile');
    const { exitCode, stdout, stderr } = await lambdaProfile(
      'collect',
      'orders',
      '--s3-bucket',
      BUCKET,
      '-o',
      'snapshots',
      '--json',
    );
    expect(exitCode).toBe(0);
    expect(stderr).toContain('i-1.profile: Cannot read the profile');
    const { snapshots, skipped } = JSON.parse(stdout);
    expect(skipped).toHaveLength(1);
    expect(snapshots[0].window).toMatchObject({ function: 'orders' });
    const objects = scenario.cloud.s3.objects(BUCKET, 'sparta/').length;
    expect(snapshots).toHaveLength(objects - 1);
    const top = await lambdaProfile('top', 'snapshots', '--focus', 'bestDiscount');
    expect(top.stdout).toContain('bestDiscount');
    const url = await lambdaProfile('top', `s3://${BUCKET}/sparta/pprof/orders/profiles/cpu/`, '--json');
    expect(JSON.parse(url.stdout).functions.some(({ name }: { name: string }) => name.includes('bestDiscount'))).toBe(
      true,
    );
    expect(url.stderr).toContain('Skipped 1 of');
  });

  test('collect tells where it looked when there is nothing', async () => {
    const { exitCode, stderr } = await lambdaProfile('collect', 'none', '--s3-bucket', BUCKET, '-o', 'none');
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`Cannot find a snapshot in s3://${BUCKET}/sparta/pprof/none/profiles/`);
  });
});

describe('lambda-profile load', () => {
  test('invokes a function, and tells how it went', async () => {
    await scenario.deploy('load', sampleFunction());
    const { exitCode, stdout } = await lambdaProfile(
      ...['load', 'load', '--concurrency', '2', '--invocations', '20', '--warmup-invocations', '4', '--json'],
    );
    expect(exitCode).toBe(0);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({
      schemaVersion: 1,
      function: 'load:$LATEST',
      end: 'complete',
      requests: 20,
      success: 1,
      statuses: { succeeded: 20 },
    });
    expect(summary.duration.p50Ms).toBeGreaterThan(0);
    const measured = summary.records.filter(({ op }: { op: string }) => op === 'invoke');
    expect(measured).toHaveLength(20);
    expect(measured[0]).toEqual({
      ...{ op: 'invoke', status: 'succeeded', attempts: 1, executedVersion: '$LATEST', requestId: expect.any(String) },
      ...{ scheduledMs: expect.any(Number), lateMs: 0, sentMs: expect.any(Number), receivedMs: expect.any(Number) },
      report: expect.objectContaining({ status: 'success', billedDurationMs: expect.any(Number) }),
    });
    expect(summary.records.filter(({ op }: { op: string }) => op === 'warmup')).toHaveLength(4);
    expect(summary.publishedSnapshots).toBeGreaterThan(0);
    const { stderr } = await lambdaProfile(
      ...['collect', 'load', '--run', summary.run, '--s3-bucket', BUCKET, '-o', 'of-run'],
    );
    expect(stderr).toContain(`Wrote ${summary.publishedSnapshots} snapshot`);
  });

  test('tells on Ctrl-C what was measured until then, and has it published', async () => {
    const args = [
      'load',
      'load',
      '--concurrency',
      '2',
      '--invocations',
      '100000',
      '--warmup-invocations',
      '4',
      '--json',
    ];
    const { exitCode, stdout } = await run(args, scenario.cloud.jobEnvironment, 'measured ');
    expect(exitCode).toBe(130);
    const { end, requests, records, publishedSnapshots } = JSON.parse(stdout);
    expect(end).toBe('interrupted');
    expect(requests).toBe(records.filter(({ op }: { op: string }) => op === 'invoke').length);
    expect(publishedSnapshots).toBeGreaterThan(0);
  });

  test('ends its document when the function cannot be measured', async () => {
    const throwing = { 'index.mjs': "export const handler = () => { throw new RangeError('no'); };" };
    await scenario.deploy('throwing', throwing, { agent: false });
    const { exitCode, stdout, stderr } = await lambdaProfile('load', 'throwing', '--invocations', '20', '--json');
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ end: 'failed', records: expect.any(Array) });
    expect(stderr).toContain('every one of its');
  });

  test('prints a summary for people', async () => {
    const args = ['load', 'load', '--concurrency', '1', '--invocations', '3', '--warmup-invocations', '1'];
    const { stdout } = await lambdaProfile(...args);
    expect(stdout).toMatch(/^Requests +\[total, rate, throughput\] +3, /);
    expect(stdout).toContain('succeeded:3');
  });
});

describe('lambda-profile doctor', () => {
  test('finds everything in order', async () => {
    const { exitCode, stdout, stderr } = await lambdaProfile('doctor', 'load', '--s3-bucket', BUCKET);
    expect(stdout).not.toContain('✗');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/✓ Agent: \S+ published cpu\n✓ Snapshot: \d+ samples? in sparta/);
    expect(stderr).toBe('Everything the gate needs is there.\n');
    expect(stdout).toContain('✓ Store lambda-profile/recordings/load/: allowed\n');
    expect(scenario.cloud.s3.objects(BUCKET, 'lambda-profile/recordings/load/')).toEqual([]);
  });

  test('says what to do about a function without an agent', async () => {
    await scenario.deploy('bare', { 'index.mjs': 'export const handler = () => 1;' }, { agent: false });
    const { exitCode, stdout } = await lambdaProfile('doctor', 'bare', '--s3-bucket', BUCKET, '--json');
    expect(exitCode).toBe(3);
    const { ok, findings } = JSON.parse(stdout);
    expect(ok).toBe(false);
    const todo = findings.filter(({ state }: { state: string }) => state === 'failed');
    expect(todo.map(({ what }: { what: string }) => what)).toEqual([
      ...['AWS_LAMBDA_EXEC_WRAPPER', 'LAMBDA_PROFILE_BUCKET', 'Agent'],
    ]);
    expect(todo.every(({ fix }: { fix?: string }) => fix)).toBe(true);
  });

  test('says what a role of pull requests may not do, and that this is right', async () => {
    const reader = { accessKeyId: 'ASIAREADERLOOPBACK01', secretAccessKey: 'reader-secret-of-the-loopback-cloud' };
    const s3 = await startS3({ accounts: [{ ...reader, allows: (action) => action !== 's3:PutObject' }] });
    s3.createBucket(BUCKET);
    const { stdout } = await run(['doctor', 'load', '--s3-bucket', BUCKET, '--no-invoke'], {
      ...scenario.cloud.jobEnvironment,
      ...{ AWS_ENDPOINT_URL_S3: s3.url, AWS_ACCESS_KEY_ID: reader.accessKeyId },
      AWS_SECRET_ACCESS_KEY: reader.secretAccessKey,
    });
    await s3.close();
    expect(stdout).toContain(
      '? Store lambda-profile/recordings/load/: not allowed: right for the role of pull requests;',
    );
  });

  test('says so when there is no such function', async () => {
    const { exitCode, stdout } = await lambdaProfile('doctor', 'nowhere', '--s3-bucket', BUCKET);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('✗ Reason: Cannot find the function nowhere.');
  });
});

describe('options of gate', () => {
  test('are the inputs of the Action', () => {
    expect(Object.keys(GATE_OPTIONS).sort()).toEqual([...INPUT_NAMES].sort());
  });
});
