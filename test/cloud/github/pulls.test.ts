import { describe, expect, test } from 'vitest';
import { refusal, repo, startFixture } from './fixture.ts';

/** A fixture with a pull request of one commit. */
async function startWithPull() {
  const fixture = await startFixture();
  const feature = fixture.github.commit({ branch: 'feature', files: { 'src/orders.ts': 'export const a = 1;\n' } });
  return { ...fixture, feature, pull: fixture.github.openPullRequest({ head: 'feature', base: 'main' }) };
}

describe('pull requests', () => {
  test('have a test merge whose first parent is the tip of the base branch', async () => {
    const { github, octokit, root, feature, pull } = await startWithPull();
    expect(pull).toEqual({ number: 1, headSha: feature, baseSha: root, mergeSha: pull.mergeSha });
    const { data } = await octokit.rest.git.getRef({ ...repo, ref: 'pull/1/merge' });
    expect(data.object.sha).toBe(pull.mergeSha);
    const merge = await octokit.rest.repos.getCommit({ ...repo, ref: pull.mergeSha });
    expect(merge.data.parents.map(({ sha }) => sha)).toEqual([root, feature]);
    expect(github.violations).toEqual([]);
  });

  test('keep base.sha when the base branch moves on, while the test merge follows it', async () => {
    const { github, octokit, root, feature, pull } = await startWithPull();
    const main = github.commit({ branch: 'main', files: { 'README.md': 'moved on\n' } });
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: 1 });
    expect(data.base.sha).toBe(root);
    expect(data.merge_commit_sha).not.toBe(pull.mergeSha);
    const merge = await octokit.rest.git.getCommit({ ...repo, commit_sha: data.merge_commit_sha! });
    expect(merge.data.parents.map(({ sha }) => sha)).toEqual([main, feature]);
    expect(data).toMatchObject({ mergeable: true, commits: 1, changed_files: 1, additions: 1, deletions: 1 });
  });

  test('follow a push to their head', async () => {
    const { github, octokit } = await startWithPull();
    const main = github.commit({ branch: 'main', files: { 'README.md': 'moved on\n' } });
    const head = github.commit({ branch: 'feature', files: { 'src/tax.ts': 'tax\n' } });
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: 1 });
    expect([data.head.sha, data.base.sha]).toEqual([head, main]);
    const { data: files } = await octokit.rest.pulls.listFiles({ ...repo, pull_number: 1, per_page: 1, page: 2 });
    expect(files.map(({ filename }) => filename)).toEqual(['src/tax.ts']);
  });

  test('that conflict cannot be merged', async () => {
    const { github, octokit } = await startWithPull();
    github.commit({ branch: 'main', files: { 'src/orders.ts': 'export const b = 2;\n' } });
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: 1 });
    expect(data).toMatchObject({ mergeable: false, mergeable_state: 'dirty', merge_commit_sha: null });
  });

  test('are merged by a push that brings their head into the base branch', async () => {
    const { github, octokit, root, feature } = await startWithPull();
    const merge = github.commit({ branch: 'main', files: {}, message: 'Merge', parents: [root, feature] });
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: 1 });
    expect(data).toMatchObject({
      state: 'closed',
      merged: true,
      merge_commit_sha: merge,
      merged_by: { login: 'octocat' },
    });
    const list = async (state: 'open' | 'closed') =>
      (await octokit.rest.pulls.list({ ...repo, state })).data.map(({ number }) => number);
    expect(await list('open')).toEqual([]);
    expect(await list('closed')).toEqual([1]);
    expect(github.violations).toEqual([]);
  });

  test('can be found by head and by base', async () => {
    const { github, octokit } = await startWithPull();
    github.commit({ branch: 'contributor:feature', files: { b: 'b' } });
    github.openPullRequest({ head: 'feature', base: 'main', fork: { owner: 'contributor' } });
    const list = async (filter: object) =>
      (await octokit.rest.pulls.list({ ...repo, ...filter })).data.map(({ number }) => number);
    expect(await list({})).toEqual([2, 1]);
    expect(await list({ direction: 'asc' })).toEqual([1, 2]);
    expect(await list({ head: 'octo-org:feature' })).toEqual([1]);
    expect(await list({ head: 'contributor:feature' })).toEqual([2]);
    expect(await list({ base: 'release' })).toEqual([]);
  });

  test('can be opened by a request, once, between branches that differ', async () => {
    const { github, octokit } = await startFixture();
    github.commit({ branch: 'feature', files: { a: 'a' } });
    const create = (head: string, base = 'main') => octokit.rest.pulls.create({ ...repo, title: 't', head, base });
    const { data } = await create('feature');
    expect(data).toMatchObject({ number: 1, user: { login: 'github-actions[bot]', type: 'Bot' }, mergeable: true });
    for (const [head, base] of [
      ['feature', 'main'],
      ['main', 'main'],
      ['nowhere', 'main'],
      ['feature', 'nowhere'],
    ] as const) {
      expect(await refusal(create(head, base))).toEqual({ status: 422, message: 'Validation Failed' });
    }
    expect((await refusal(octokit.rest.pulls.get({ ...repo, pull_number: 2 }))).status).toBe(404);
    expect(github.violations).toEqual([]);
  });
});

describe('pull requests from forks', () => {
  test('take their branch out of the repository', async () => {
    const { github, octokit } = await startFixture();
    const sha = github.commit({ branch: 'feature', files: { a: 'a' } });
    github.openPullRequest({ head: 'feature', base: 'main', fork: { owner: 'contributor' } });
    expect((await refusal(octokit.rest.git.getRef({ ...repo, ref: 'heads/feature' }))).status).toBe(404);
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: 1 });
    expect(data.head).toMatchObject({ label: 'contributor:feature', sha });
    expect(data.head.repo).toMatchObject({ full_name: 'contributor/orders', fork: true });
    expect(data.base.repo).toMatchObject({ full_name: 'octo-org/orders', fork: false });
    const pushed = github.commit({ branch: 'feature', files: { b: 'b' } });
    expect((await octokit.rest.pulls.get({ ...repo, pull_number: 1 })).data.head.sha).toBe(pushed);
    expect(github.violations).toEqual([]);
  });

  test('may come from a branch of the same name', async () => {
    const { github, root } = await startFixture();
    expect(() => github.openPullRequest({ head: 'main', base: 'main', fork: { owner: 'contributor' } })).toThrow(
      'commit to contributor:main first',
    );
    const headSha = github.commit({ branch: 'contributor:main', files: { a: 'a' } });
    const pull = github.openPullRequest({ head: 'main', base: 'main', fork: { owner: 'contributor' } });
    expect(pull).toMatchObject({ headSha, baseSha: root });
  });
});

describe('events', () => {
  test('of a push hold what a job reads', async () => {
    const { github, root } = await startFixture();
    const after = github.commit({ branch: 'main', files: { 'src/tax.ts': 'tax\n' }, message: 'Add tax' });
    expect(github.pushEvent('main')).toMatchObject({
      ref: 'refs/heads/main',
      before: root,
      after,
      created: false,
      forced: false,
      head_commit: { id: after, message: 'Add tax', added: ['src/tax.ts'] },
      repository: {
        full_name: 'octo-org/orders',
        default_branch: 'main',
        private: false,
        owner: { login: 'octo-org' },
      },
      sender: { login: 'octocat' },
    });
    github.commit({ branch: 'feature', files: { a: 'a' } });
    expect(github.pushEvent('feature')).toMatchObject({
      before: '0'.repeat(40),
      created: true,
      commits: [{ added: ['a'] }],
    });
    expect(() => github.pushEvent('nowhere')).toThrow("Cannot render a push to 'nowhere'");
  });

  test('of a pull request hold what a job reads', async () => {
    const { github, pull, root, feature } = await startWithPull();
    github.label(1, 'accept slower');
    expect(github.pullRequestEvent(1)).toMatchObject({
      action: 'opened',
      number: 1,
      pull_request: {
        number: 1,
        html_url: 'https://github.com/octo-org/orders/pull/1',
        head: { sha: feature, ref: 'feature', repo: { full_name: 'octo-org/orders', fork: false } },
        base: { sha: root, ref: 'main', repo: { full_name: 'octo-org/orders' } },
        labels: [{ name: 'accept slower' }],
        merge_commit_sha: pull.mergeSha,
      },
      repository: { full_name: 'octo-org/orders' },
      sender: { login: 'octocat' },
    });
    const after = github.commit({ branch: 'feature', files: { b: 'b' } });
    expect(github.pullRequestEvent(1, 'synchronize')).toMatchObject({ before: feature, after });
    github.label(1, 'second', 'hubot');
    expect(github.pullRequestEvent(1, 'labeled')).toMatchObject({
      label: { name: 'second' },
      sender: { login: 'hubot' },
    });
  });
});
