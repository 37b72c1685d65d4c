import { describe, expect, it } from 'vitest';
import type { GitHub } from '../../src/github/client.ts';
import { fetchBaselineCommits, fetchChangedFiles, fetchFile, measuredCommit } from '../../src/github/commits.ts';
import { type GitHubContext, readContext } from '../../src/github/context.ts';
import { OWNER, REPO, startFixture } from '../cloud/github/fixture.ts';
import type { GitHubServer } from '../cloud/github/server.ts';

function contextOf(
  github: GitHubServer,
  eventName: string,
  sha: string,
  event: Record<string, unknown>,
): GitHubContext {
  return readContext(
    {
      GITHUB_REPOSITORY: `${OWNER}/${REPO}`,
      GITHUB_RUN_ID: '7',
      GITHUB_EVENT_NAME: eventName,
      GITHUB_SHA: sha,
      GITHUB_API_URL: github.url,
    },
    event,
  );
}

async function story() {
  const fixture = await startFixture();
  const { github, root } = fixture;
  const second = github.commit({ branch: 'main', files: { 'src/orders.ts': 'export const a = 1;\n' } });
  github.commit({ branch: 'topic', parents: [second], files: { 'src/tax.ts': 'export const t = 1;\n' } });
  const tip = github.commit({ branch: 'main', files: { 'docs/a.md': 'a\n' } });
  const pull = github.openPullRequest({ head: 'topic', base: 'main' });
  const context = contextOf(github, 'pull_request', pull.mergeSha, github.pullRequestEvent(pull.number));
  return { ...fixture, client: fixture.octokit as GitHub, root, second, tip, pull, context };
}

describe('fetchBaselineCommits()', () => {
  it('takes the first parent of the merge commit, then its first-parent ancestors', async () => {
    const { client, context, pull, tip, second, root } = await story();
    expect(await fetchBaselineCommits(client, context, pull.mergeSha, '')).toEqual({
      relation: 'first parent of the merge commit',
      commits: [tip, second, root],
    });
  });

  it('takes the merge base when the head was deployed, not the tip of the base', async () => {
    const { client, context, pull, second, root } = await story();
    expect(await fetchBaselineCommits(client, context, pull.headSha, '')).toEqual({
      relation: 'merge base with main',
      commits: [second, root],
    });
  });

  it('takes the parent of a commit pushed to the base branch, also when that branch is named', async () => {
    const { client, github, tip, second, root } = await story();
    const context = contextOf(github, 'push', tip, github.pushEvent('main'));
    const expected = { relation: 'parent commit', commits: [second, root] };
    expect(await fetchBaselineCommits(client, context, tip, '')).toEqual(expected);
    expect(await fetchBaselineCommits(client, context, tip, 'main')).toEqual(expected);
  });

  it('takes the merge base with the default branch for a branch without a pull request', async () => {
    const { client, github, pull, second, root } = await story();
    for (const event of ['push', 'workflow_dispatch', 'workflow_run'])
      expect(await fetchBaselineCommits(client, contextOf(github, event, pull.headSha, {}), pull.headSha, '')).toEqual({
        relation: 'merge base with main',
        commits: [second, root],
      });
  });

  it('takes the merge base for a head that is itself a merge of the base branch, not its first parent', async () => {
    const { client, github, pull, tip, second, root } = await story();
    const head = github.commit({ branch: 'topic', parents: [pull.headSha, tip], files: { 'src/tax.ts': '2\n' } });
    const context = contextOf(github, 'pull_request', 'e'.repeat(40), github.pullRequestEvent(pull.number));
    expect(await fetchBaselineCommits(client, context, head, '')).toEqual({
      relation: 'merge base with main',
      commits: [tip, second, root],
    });
  });

  it('takes the commit a merge group was put on, which may be a group before it', async () => {
    const { client, github, tip, second, root } = await story();
    const queue = 'gh-readonly-queue/main';
    const first = github.commit({ branch: `${queue}/pr-8-${tip}`, parents: [tip], files: { a: '1\n' } });
    const group = github.commit({ branch: `${queue}/pr-9-${first}`, parents: [first], files: { b: '1\n' } });
    const context = contextOf(github, 'merge_group', group, {
      merge_group: { base_sha: first, base_ref: 'refs/heads/main', head_sha: group },
    });
    expect(await fetchBaselineCommits(client, context, group, '')).toEqual({
      relation: 'base of the merge group',
      commits: [first, tip, second, root],
    });
  });

  it('takes the parent of the commit that a schedule measures', async () => {
    const { client, github, tip, second, root } = await story();
    const context = contextOf(github, 'schedule', tip, { schedule: '0 3 * * *' });
    expect(await fetchBaselineCommits(client, context, tip, '')).toEqual({
      relation: 'parent commit',
      commits: [second, root],
    });
  });

  it('passes over the commits of merged branches', async () => {
    const { client, github, tip, pull, second, root } = await story();
    const merge = github.commit({ branch: 'main', parents: [tip, pull.headSha], files: { 'docs/b.md': 'b\n' } });
    const next = github.commit({ branch: 'main', files: { 'docs/c.md': 'c\n' } });
    const context = contextOf(github, 'push', next, github.pushEvent('main'));
    expect((await fetchBaselineCommits(client, context, next, '')).commits).toEqual([merge, tip, second, root]);
  });

  it('has none for the first commit of a repository', async () => {
    const { client, github, root } = await story();
    const context = contextOf(github, 'push', root, github.pushEvent('main'));
    expect((await fetchBaselineCommits(client, context, root, '')).commits).toEqual([]);
  });
});

describe('measuredCommit()', () => {
  it('is what the workflow runs for, the head of the pull request, or the commit named', async () => {
    const { context, pull } = await story();
    expect(measuredCommit(context, '')).toBe(pull.mergeSha);
    expect(measuredCommit(context, 'merge')).toBe(pull.mergeSha);
    expect(measuredCommit(context, 'head')).toBe(pull.headSha);
    expect(measuredCommit(context, 'f'.repeat(40))).toBe('f'.repeat(40));
  });
});

describe('fetchChangedFiles() and fetchFile()', () => {
  it('list what a pull request changes, and read a file as it is at a branch', async () => {
    const { client, context, pull } = await story();
    expect(await fetchChangedFiles(client, context.repository, pull.number)).toEqual([
      { path: 'src/tax.ts', on: 'head' },
    ]);
    expect(await fetchFile(client, context.repository, 'src/orders.ts', 'main')).toBe('export const a = 1;\n');
    expect(await fetchFile(client, context.repository, 'src/tax.ts', 'main')).toBeUndefined();
  });
});
