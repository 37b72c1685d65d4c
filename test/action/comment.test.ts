import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { renderJson } from '../../src/report/json.ts';
import type { Report } from '../../src/report/report.ts';
import { BOT, OWNER, REPO, startFixture } from '../cloud/github/fixture.ts';
import { runAction } from '../cloud/runner.ts';
import { samples } from '../report/samples.ts';

// The job that comments has a token that may write to pull requests and do nothing else; what it posts is not trusted.

const main = fileURLToPath(new URL('../../dist/comment.js', import.meta.url));
const permissions = { 'pull-requests': 'write' } as const;

async function start() {
  const directory = mkdtempSync(join(tmpdir(), 'comment-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const fixture = await startFixture({ tokens: [{ ...BOT, permissions }], pathPrefix: '/api/v3' });
  const { github, root } = fixture;
  github.commit({ branch: 'octocat:faster', parents: [root], files: { a: '1\n' } });
  const pull = github.openPullRequest({ head: 'faster', base: 'main', fork: { owner: 'octocat' } });
  const startedBy = {
    id: 900,
    run_attempt: 2,
    head_sha: pull.headSha,
    head_branch: 'faster',
    head_repository: { owner: { login: 'octocat' } },
    pull_requests: [],
  };
  const path = join(directory, 'report.json');
  let runs = 0;
  const run = (report: Report | string, inputs: Record<string, string> = {}, workflow_run: object = startedBy) => {
    writeFileSync(path, typeof report === 'string' ? report : renderJson(report));
    return runAction({
      main,
      eventName: 'workflow_run',
      event: { workflow_run, repository: { default_branch: 'main' } },
      sha: root,
      runId: 901,
      directory: join(directory, `run-${++runs}`),
      inputs: { 'report-json': path, 'github-token': BOT.token, ...inputs },
      environment: {
        GITHUB_API_URL: github.url,
        GITHUB_SERVER_URL: 'https://github.example.com',
        GITHUB_REPOSITORY: `${OWNER}/${REPO}`,
      },
    });
  };
  return { ...fixture, pull, run, startedBy };
}

describe('the comment action', () => {
  it('posts the report on the pull request of the fork, with links that it knows itself', async () => {
    const { github, pull, run } = await start();
    const report: Report = {
      ...samples.regression!,
      repository: { serverUrl: 'https://evil.example', owner: 'evil', name: 'evil' },
      run: { id: 99_999, attempt: 9, url: 'https://evil.example/evil/evil/actions/runs/1' },
      pullRequest: 4711,
      pageUrl: 'https://evil.example/page.html',
    };
    const { exitCode, outputs, log } = await run(report);
    expect([exitCode, log]).toEqual([0, expect.not.stringContaining('::error')]);
    const [comment, ...others] = github.comments(pull.number);
    expect(others).toEqual([]);
    expect(comment!.body).toContain(`run=900 attempt=2`);
    expect(comment!.body).toContain('https://github.example.com/octo-org/orders/blob/');
    expect(comment!.body).toContain('https://github.example.com/octo-org/orders/actions/runs/900');
    expect(comment!.body).not.toContain('evil');
    expect(comment!.body).toContain('This change comes from a fork');
    expect(outputs['comment-url']).toContain(`/pull/${pull.number}#issuecomment-${comment!.id}`);
    expect(github.violations).toEqual([]);
  });

  it('lets the report say that this very run measured it, and nothing beyond', async () => {
    const { github, pull, run } = await start();
    await run({ ...samples.pass!, run: { id: 901, attempt: 7, url: 'https://evil.example' } });
    expect(github.comments(pull.number)[0]!.body).toContain('run=901 attempt=1');
  });

  it('updates its comment, and links to the page where the workflow says it is', async () => {
    const { github, pull, run } = await start();
    await run(samples.pass!);
    const page = 'https://pages.example.com/8f3a1b0/orders.html';
    const { exitCode } = await run(samples.regression!, { 'page-url': page });
    expect(exitCode).toBe(0);
    const [comment, ...others] = github.comments(pull.number);
    expect(others).toEqual([]);
    expect(comment!.body).toContain(`${page}#f=`);
  });

  it('comments on nothing when the branch has moved on, and does not fail', async () => {
    const { github, run, startedBy, pull } = await start();
    const { exitCode, log, outputs } = await run(samples.pass!, {}, { ...startedBy, head_sha: 'e'.repeat(40) });
    expect(exitCode).toBe(0);
    expect(log).toContain('There is no open pull request of octocat:faster at eeeeeee');
    expect(outputs['comment-url']).toBe('');
    expect(github.comments(pull.number)).toEqual([]);
  });

  it.each([
    ['is no JSON', '<html>', 'it is not JSON'],
    ['is of another shape', '{"schemaVersion":1}', 'Cannot read the report: tool'],
    ['has a hostile address', renderJson(samples.pass!).replace('https://github.com', 'javascript:x'), 'serverUrl'],
  ])('refuses a report that %s', async (_, text, message) => {
    const { github, pull, run } = await start();
    const { exitCode, log } = await run(text);
    expect(exitCode).toBe(1);
    expect(log).toContain(message);
    expect(log).not.toContain('    at ');
    expect(github.comments(pull.number)).toEqual([]);
  });

  it('says when there is no report, or no such pull request', async () => {
    const { run } = await start();
    const missing = await run(samples.pass!, { 'report-json': '/nowhere/report.json' });
    expect(missing.log).toContain('::error::Cannot read the report: there is no file /nowhere/report.json');
    const other = await run(samples.pass!, { 'pr-number': '404' });
    expect(other.log).toContain('::error::Cannot find pull request 404');
    expect([missing.exitCode, other.exitCode]).toEqual([1, 1]);
  });
});
