import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOB_TOKEN } from '../cloud/cloud.ts';
import { BUCKET, type Scenario, sampleFunction, startScenario } from './scenario.ts';

// One story on one cloud, in order: main is recorded, pull requests are judged against it.

let scenario: Scenario;
let tip: string;
/** The pull request that makes a function slower, and the version it deploys. */
let slower: Pick<ReturnType<typeof open>, 'number' | 'step'> & { version: string };
const load = { concurrency: '6', invocations: '240', 'warmup-invocations': '90' };

beforeAll(async () => {
  scenario = await startScenario();
  tip = scenario.cloud.github.commit({ branch: 'main', files: inService(sampleFunction()) });
});
afterAll(() => scenario.close());

function inService(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`services/orders/${path}`, text]));
}

function open(branch: string, files: Record<string, string>) {
  const { github } = scenario.cloud;
  github.commit({ branch, parents: [tip], files });
  const pull = github.openPullRequest({ head: branch, base: 'main' });
  return {
    ...pull,
    step: { eventName: 'pull_request', event: github.pullRequestEvent(pull.number), sha: pull.mergeSha },
  };
}

const recordings = () =>
  scenario.cloud.s3.objects(BUCKET, 'lambda-profile/recordings/').filter(({ key }) => key.endsWith('recording.json'));

describe('the Action', { timeout: 180_000 }, () => {
  it('says on a pull request that there is no baseline yet, and stores none', async () => {
    const version = await scenario.deploy('orders', sampleFunction());
    const { number, step } = open('early', { 'README.md': 'Soon.\n' });
    const { exitCode, outputs } = await scenario.run({ ...step, inputs: { ...load, qualifier: version } });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ verdict: 'no-baseline', regressed: 'false', 'baseline-commit': '' });
    expect(scenario.cloud.github.comments(number)[0]!.body).toContain('nothing to compare with');
    expect(recordings()).toHaveLength(0);
  });

  it('stores the recording of a push to main under its commit, readable by any pprof tool', async () => {
    const version = await scenario.deploy('orders', sampleFunction());
    const { exitCode, outputs, summary } = await scenario.run({
      sha: tip,
      event: scenario.cloud.github.pushEvent('main'),
      inputs: { ...load, qualifier: version, 'update-baseline': 'true' },
    });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ verdict: 'no-baseline', commit: tip });
    expect(summary).not.toBe('');
    const { key, body } = recordings()[0]!;
    expect(key).toBe(`lambda-profile/recordings/orders/${tip}/recording.json`);
    const manifest = JSON.parse(body.toString());
    expect(manifest).toMatchObject({
      schemaVersion: 1,
      functionVersion: version,
      load: { sent: 240, succeeded: 240, coverage: 1 },
    });
    expect(manifest.instances.length).toBeGreaterThanOrEqual(6);
    expect(manifest.profiles.map(({ type }: { type: string }) => type)).toEqual(['cpu']);
  });

  it('fails the pull request that makes a function slower, names that function alone, and comments once', async () => {
    const { github } = scenario.cloud;
    const head = inService(sampleFunction(true));
    const { number, step } = open('fair-discounts', head);
    const version = await scenario.deploy('orders', sampleFunction(true));
    slower = { number, step, version };
    const result = await scenario.run({ ...step, inputs: { ...load, qualifier: version } });
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ verdict: 'fail', regressed: 'true', 'baseline-commit': tip });
    expect(result.report.verdict.regressed).toEqual(['bestDiscount']);
    expect(result.log).toMatch(
      /::error title=bestDiscount[^\n]*,file=services\/orders\/src\/promotions\.mjs,line=\d+::/,
    );
    expect(result.report.comparison!.functions).toContainEqual(
      expect.objectContaining({
        key: 'taxOfOrder',
        renamedFrom: 'computeTax',
        change: expect.not.stringMatching('slower'),
      }),
    );
    expect(result.report.comparison!.functions).toContainEqual(
      expect.objectContaining({ key: 'sealInvoice', movedFrom: 'src/invoice.mjs' }),
    );
    const [comment, ...others] = github.comments(number);
    expect(others).toEqual([]);
    expect(comment!.body.split('\n')[1]).toContain('bestDiscount');
    expect(result.outputs['comment-url']).toContain(`/pull/${number}#issuecomment-${comment!.id}`);
    expect(result.report.verdict.next).toContain('add the label "perf-regression-accepted"');
  });

  it('accepts the regression by a label that the event of the re-run does not have, and updates the comment', async () => {
    const { github } = scenario.cloud;
    const { number, step, version } = slower;
    github.label(number, 'perf-regression-accepted', 'hubot');
    const again = await scenario.run({ ...step, inputs: { ...load, qualifier: version } });
    expect(again.exitCode).toBe(0);
    expect(again.outputs).toMatchObject({ verdict: 'accepted', regressed: 'true' });
    expect(again.report.verdict.headline).toContain('accepted by @hubot');
    expect(github.comments(number)).toHaveLength(1);
    expect(github.comments(number)[0]!.body).toContain('Accepted regression');
  });

  it('does not overwrite the newer result when an older run comes late', async () => {
    const { github } = scenario.cloud;
    const { number, step, version } = slower;
    const before = github.comments(number)[0]!.body;
    const late = await scenario.run({ ...step, runId: 1, inputs: { ...load, qualifier: version } });
    expect(late.log).toContain('newer run');
    expect(github.comments(number)[0]!.body).toBe(before);
    expect(github.violations).toEqual([]);
  });

  it('only warns when the memory size differs from the baseline, and says so', async () => {
    const version = await scenario.deploy('orders-small', sampleFunction(true), { memoryMb: 512 });
    for (const { key, body } of scenario.cloud.s3.objects(BUCKET, 'lambda-profile/recordings/orders/'))
      scenario.cloud.s3.put(
        BUCKET,
        key.replace('/orders/', '/orders-small/'),
        key.endsWith('.json')
          ? body.toString().replace('"functionName": "orders"', '"functionName": "orders-small"')
          : body,
      );
    const { step } = open('smaller', { 'README.md': 'Smaller.\n' });
    const { exitCode, outputs, report } = await scenario.run({
      ...step,
      inputs: { ...load, 'function-name': 'orders-small', qualifier: version },
    });
    expect(report.differences).toContainEqual({ field: 'memory size', base: '1024 MB', head: '512 MB' });
    expect(outputs.verdict).toBe('warn');
    expect(outputs.regressed).toBe('true');
    expect(exitCode).toBe(0);
  });

  it('finds the baseline of an ancestor when the base has none, and says how far it is', async () => {
    const { github } = scenario.cloud;
    const next = github.commit({ branch: 'main', files: { 'docs/a.md': 'a' } });
    github.commit({ branch: 'later', parents: [next], files: { 'docs/b.md': 'b' } });
    const { number, mergeSha } = github.openPullRequest({ head: 'later', base: 'main' });
    const version = await scenario.deploy('orders', sampleFunction());
    const event = github.pullRequestEvent(number);
    const result = await scenario.run({
      eventName: 'pull_request',
      event,
      sha: mergeSha,
      inputs: { ...load, qualifier: version },
    });
    expect(result.outputs).toMatchObject({ verdict: 'pass', 'baseline-commit': tip });
    expect(result.exitCode).toBe(0);
    expect(github.comments(number)[0]!.body).toMatch(/1 commit/);
  });

  it('warns which permission is missing when it may not comment, and keeps the verdict', async () => {
    const limited = await startScenario({
      github: {
        tokens: [
          {
            token: JOB_TOKEN,
            login: 'github-actions[bot]',
            type: 'Bot',
            permissions: { contents: 'read', issues: 'read', 'pull-requests': 'read' },
          },
        ],
      },
    });
    try {
      const { github } = limited.cloud;
      const base = github.commit({ branch: 'main', files: { a: '1' } });
      github.commit({ branch: 'change', parents: [base], files: { a: '2' } });
      const { number, mergeSha } = github.openPullRequest({ head: 'change', base: 'main' });
      await limited.deploy('orders', sampleFunction());
      const result = await limited.run({
        eventName: 'pull_request',
        event: github.pullRequestEvent(number),
        sha: mergeSha,
      });
      expect(result.log).toMatch(/::warning::Cannot comment on the pull request: .*pull-requests: write/);
      expect(result.outputs).toMatchObject({ verdict: 'no-baseline', 'comment-url': '' });
      expect(result.exitCode).toBe(0);
    } finally {
      await limited.close();
    }
  });

  it('skips a pull request from a fork, which gets no credentials, without failing it', async () => {
    const { github } = scenario.cloud;
    github.commit({ branch: 'from-fork', parents: [tip], files: { 'README.md': 'Hello.\n' } });
    const { number, mergeSha } = github.openPullRequest({
      head: 'from-fork',
      base: 'main',
      fork: { owner: 'octocat' },
    });
    const before = scenario.cloud.lambda.requests.length;
    const { exitCode, outputs, report } = await scenario.run({
      eventName: 'pull_request',
      event: github.pullRequestEvent(number),
      sha: mergeSha,
      environment: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
    });
    expect(exitCode).toBe(0);
    expect(outputs.verdict).toBe('skipped');
    expect(report.verdict.next).toContain('A maintainer can measure it');
    expect(scenario.cloud.lambda.requests).toHaveLength(before);
  });
});
