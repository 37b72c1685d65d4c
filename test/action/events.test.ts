import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOB_TOKEN } from '../cloud/cloud.ts';
import { type Scenario, sampleFunction, startScenario } from './scenario.ts';

// What starts the job decides which commit it is about, what that is compared with, and whether there is a comment.
// GitHub is an Enterprise Server here: its API is below a path.

let scenario: Scenario;
let tip: string;
const event = { repository: { default_branch: 'main' } };
/** Half a recording would do, but only a real measurement makes one. */
const load = { concurrency: '5', invocations: '50', 'warmup-invocations': '10' };

beforeAll(async () => {
  scenario = await startScenario({ github: { pathPrefix: '/api/v3' } });
  tip = scenario.cloud.github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
  await scenario.deploy('orders', sampleFunction());
});
afterAll(() => scenario.close());

/** The commit under test, its baseline, and the comments that were written, of one run. */
async function run(step: Parameters<Scenario['run']>[0]) {
  const { github } = scenario.cloud;
  const before = github.requests.length;
  const result = await scenario.run({ event, ...step, inputs: { ...load, ...step.inputs } });
  const written = github.requests.slice(before).filter(({ method }) => method === 'POST' || method === 'PATCH');
  return {
    ...result,
    comments: written.filter(({ operation }) => operation.startsWith('issues/')),
    compared: { commit: result.outputs.commit, baseline: result.outputs['baseline-commit'] },
  };
}

describe('the Action', { timeout: 180_000 }, () => {
  it('compares a merge group with the commit it was put on, and comments nowhere', async () => {
    const { github } = scenario.cloud;
    const first = await run({ sha: tip, event: github.pushEvent('main'), inputs: { 'update-baseline': 'true' } });
    expect(first.summary).not.toContain('xychart');
    const group = github.commit({
      branch: `gh-readonly-queue/main/pr-9-${tip}`,
      parents: [tip],
      files: { 'docs/a.md': 'a\n' },
    });
    const { compared, comments, report } = await run({
      eventName: 'merge_group',
      sha: group,
      event: { ...event, merge_group: { base_sha: tip, base_ref: 'refs/heads/main', head_sha: group } },
    });
    expect(compared).toEqual({ commit: group, baseline: tip });
    expect(report.base).toMatchObject({ relation: 'base of the merge group', distance: 0 });
    expect(comments).toEqual([]);
  });

  it('compares a branch that is measured by hand with its merge base, and comments where it is told to', async () => {
    const { github } = scenario.cloud;
    github.commit({ branch: 'by-hand', parents: [tip], files: { 'docs/b.md': 'b\n' } });
    const { number, headSha } = github.openPullRequest({ head: 'by-hand', base: 'main' });
    const step = { eventName: 'workflow_dispatch', sha: headSha, event };
    const { compared, comments, report, outputs } = await run({
      ...step,
      inputs: { 'pr-number': String(number), 'check-name': 'Lambda profile' },
    });
    expect(compared).toEqual({ commit: headSha, baseline: tip });
    expect(report.base).toMatchObject({ relation: 'merge base with main' });
    expect(comments).toHaveLength(1);
    const [comment] = github.comments(number);
    expect(comment!.body).toContain(`https://github.example.com/octo-org/shop/commit/${headSha}`);
    expect(outputs['comment-url']).toContain(`issuecomment-${comment!.id}`);
    const [check, ...others] = github.checkRuns(headSha);
    expect(others).toEqual([]);
    expect(check).toMatchObject({ name: 'Lambda profile', status: 'completed', conclusion: expect.any(String) });
    expect(github.violations).toEqual([]);
  });

  it('takes the head of the workflow that started a workflow_run, and finds its pull request', async () => {
    const { github } = scenario.cloud;
    github.commit({ branch: 'octocat:theirs', parents: [tip], files: { 'docs/c.md': 'c\n' } });
    const { number, headSha } = github.openPullRequest({ head: 'theirs', base: 'main', fork: { owner: 'octocat' } });
    const workflow_run = {
      id: 7,
      head_sha: headSha,
      head_branch: 'theirs',
      head_repository: { owner: { login: 'octocat' } },
      pull_requests: [],
    };
    const { compared, comments } = await run({
      eventName: 'workflow_run',
      sha: tip,
      event: { ...event, workflow_run },
      inputs: { 'function-name': 'nowhere' },
    });
    expect(compared).toEqual({ commit: headSha, baseline: '' });
    expect(comments).toHaveLength(1);
    expect(github.comments(number)[0]!.body).toContain('Cannot find the function nowhere');
  });
});

describe('the job summary', { timeout: 180_000 }, () => {
  it('draws the recordings of the base branch, the new one last; a scheduled run compares with the same commit', async () => {
    const { github } = scenario.cloud;
    const next = github.commit({ branch: 'main', files: { 'docs/next.md': 'n\n' } });
    const push = { sha: next, event: github.pushEvent('main'), inputs: { 'update-baseline': 'true' } };
    const { summary, compared } = await run(push);
    expect(compared).toEqual({ commit: next, baseline: tip });
    expect(summary).toContain(`x-axis ["${tip.slice(0, 7)}", "${next.slice(0, 7)}"]`);

    // The night's run: the same commit on the default branch, of an event that names no repository.
    const night = { eventName: 'schedule', event: { schedule: '0 3 * * *' }, environment: { GITHUB_REF_NAME: 'main' } };
    const scheduled = await run({ ...night, sha: next, inputs: { 'update-baseline': 'true' } });
    expect(scheduled.compared).toEqual({ commit: next, baseline: tip });
    expect(scheduled.comments).toEqual([]);
    expect(scheduled.report.verdict.kind).not.toBe('error');
  });
});

describe('the config file', { timeout: 60_000 }, () => {
  it('is that of the base branch, and the report says what the pull request changes in it', async () => {
    const { github } = scenario.cloud;
    const path = '.github/lambda-profile.yml';
    const base = github.commit({ branch: 'strict', parents: [tip], files: { [path]: 'fail-on-error: true\n' } });
    github.commit({ branch: 'lenient', parents: [base], files: { [path]: 'fail-on-error: false\ntop: many\n' } });
    const pull = github.openPullRequest({ head: 'lenient', base: 'strict' });
    const { exitCode, report } = await run({
      eventName: 'pull_request',
      event: github.pullRequestEvent(pull.number),
      sha: pull.mergeSha,
      inputs: { 'function-name': 'nowhere' },
    });
    expect(exitCode).toBe(1);
    expect(report.warnings).toContainEqual(
      expect.stringContaining(`changes ${path} (fail-on-error: true → false; top: not set → many)`),
    );
  });
});

describe('the check run', { timeout: 60_000 }, () => {
  const checked = { 'check-name': 'Lambda profile', 'function-name': 'nowhere' };

  function open(branch: string) {
    const { github } = scenario.cloud;
    github.commit({ branch, parents: [tip], files: { [`docs/${branch}.md`]: 'x\n' } });
    const pull = github.openPullRequest({ head: branch, base: 'main' });
    return {
      ...pull,
      step: { eventName: 'pull_request', event: github.pullRequestEvent(pull.number), sha: pull.mergeSha },
    };
  }

  it('is in progress on the head of the pull request from the start, and fails when nothing could be measured', async () => {
    const { headSha, step } = open('check-error');
    let seen: unknown;
    await run({
      ...step,
      inputs: checked,
      onOutput: (text) => {
        if (text.includes('Resolve')) seen ??= scenario.cloud.github.checkRuns(headSha)[0]?.status;
      },
    });
    expect(seen).toBe('in_progress');
    expect(scenario.cloud.github.checkRuns(headSha)).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
  });

  it('is neutral for a measurement that may fail', async () => {
    const { headSha, step } = open('check-neutral');
    await run({ ...step, inputs: { ...checked, 'fail-on-error': 'false' } });
    expect(scenario.cloud.github.checkRuns(headSha)).toMatchObject([{ conclusion: 'neutral' }]);
  });

  it('is completed when an input is wrong', async () => {
    const { headSha, step } = open('check-input');
    const { exitCode } = await run({ ...step, inputs: { ...checked, top: 'many' } });
    expect(exitCode).toBe(1);
    expect(scenario.cloud.github.checkRuns(headSha)).toMatchObject([
      { status: 'completed', conclusion: 'failure', output: { summary: expect.stringContaining('top must be') } },
    ]);
  });

  it('is completed when the Action itself breaks', async () => {
    const { headSha, step } = open('check-crash');
    const { exitCode, log } = await run({
      ...step,
      inputs: checked,
      environment: { RUNNER_TEMP: '/dev/null/nowhere' },
    });
    expect(exitCode).toBe(1);
    expect(log).toContain('Unexpected failure');
    expect(scenario.cloud.github.checkRuns(headSha)).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
  });

  it('is left out with a warning when the job may not write checks', async () => {
    const permissions = { contents: 'read', issues: 'write', 'pull-requests': 'write' } as const;
    const bot = { token: JOB_TOKEN, login: 'github-actions[bot]', type: 'Bot' as const, permissions };
    const limited = await startScenario({ github: { tokens: [bot] } });
    try {
      const sha = limited.cloud.github.commit({ branch: 'main', files: { a: '1' } });
      const { log, outputs } = await limited.run({ sha, inputs: checked });
      expect(log).toMatch(/::warning::Cannot create the check run Lambda profile: .*`permissions: checks: write`/);
      expect(outputs.verdict).toBe('error');
    } finally {
      await limited.close();
    }
  });
});
