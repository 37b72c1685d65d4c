import { getOctokit } from '@actions/github';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BOT, refusal, repo, startFixture } from './fixture.ts';
import { startGitHub } from './server.ts';

describe('compare', () => {
  test('finds the merge base of branches that both moved on', async () => {
    const { github, octokit, root, advance } = await startFixture();
    advance(60);
    const first = github.commit({ branch: 'feature', files: { 'src/orders.ts': 'export const a = 1;\n' } });
    advance(60);
    github.commit({ branch: 'main', files: { 'README.md': '# Orders, again\n' } });
    advance(60);
    const head = github.commit({ branch: 'feature', files: { 'src/new.ts': 'new\n' } });

    const { data } = await octokit.rest.repos.compareCommitsWithBasehead({ ...repo, basehead: `main...${head}` });
    expect(data.merge_base_commit.sha).toBe(root);
    expect(data).toMatchObject({ status: 'diverged', ahead_by: 2, behind_by: 1, total_commits: 2 });
    expect(data.commits.map(({ sha }) => sha)).toEqual([first, head]);
    // What main changed since is no part of it.
    expect(data.files?.map(({ filename, status }) => [filename, status])).toEqual([
      ['src/new.ts', 'added'],
      ['src/orders.ts', 'modified'],
    ]);
    expect(data.files?.[1]?.patch).toBe('@@ -1 +1 @@\n-export {};\n+export const a = 1;');
    expect(github.violations).toEqual([]);
  });

  test('moves the merge base when the branch merges main', async () => {
    const { github, octokit } = await startFixture();
    const feature = github.commit({ branch: 'feature', files: { a: 'a' } });
    const main = github.commit({ branch: 'main', files: { b: 'b' } });
    github.commit({ branch: 'feature', files: {}, message: 'Merge main', parents: [feature, main] });
    const { data } = await octokit.rest.repos.compareCommitsWithBasehead({ ...repo, basehead: 'main...feature' });
    expect(data.merge_base_commit.sha).toBe(main);
    expect(data.status).toBe('ahead');
    expect(data.files?.map(({ filename }) => filename)).toEqual(['a']);
  });

  test('tells identical, behind, unrelated and unknown commits', async () => {
    const { github, octokit, root } = await startFixture();
    const main = github.commit({ branch: 'main', files: { a: 'a' } });
    github.commit({ branch: 'release/v1', files: { a: 'r' }, parents: [] });
    const compare = (basehead: string) => octokit.rest.repos.compareCommitsWithBasehead({ ...repo, basehead });
    expect((await compare(`main...${main.slice(0, 8)}`)).data.status).toBe('identical');
    expect((await compare(`octo-org:main...${root}`)).data).toMatchObject({
      status: 'behind',
      behind_by: 1,
      files: [],
    });
    expect(await refusal(compare('main...release/v1'))).toEqual({
      status: 404,
      message: 'No common ancestor between main and release/v1.',
    });
    expect((await refusal(compare('main...nowhere'))).status).toBe(404);
  });
});

describe('commits', () => {
  test('first parents lead from a merge along the base branch', async () => {
    const { github, octokit, root, advance } = await startFixture();
    advance(60);
    const feature = github.commit({ branch: 'feature', files: { a: 'a' } });
    advance(60);
    const second = github.commit({ branch: 'main', files: { b: 'b' } });
    advance(60);
    const merge = github.commit({ branch: 'main', files: {}, message: 'Merge feature', parents: [second, feature] });
    advance(60);
    const tip = github.commit({ branch: 'main', files: { c: 'c' } });

    const listed = await octokit.paginate(octokit.rest.repos.listCommits, { ...repo, sha: 'main', per_page: 2 });
    expect(listed.map(({ sha }) => sha)).toEqual([tip, merge, second, feature, root]);
    const bySha = new Map(listed.map((commit) => [commit.sha, commit]));
    const walked: string[] = [];
    for (let sha: string | undefined = tip; sha; sha = bySha.get(sha)?.parents[0]?.sha) walked.push(sha);
    expect(walked).toEqual([tip, merge, second, root]);

    const { data } = await octokit.rest.repos.getCommit({ ...repo, ref: merge });
    expect(data.parents.map(({ sha }) => sha)).toEqual([second, feature]);
    expect(data.files?.map(({ filename }) => filename)).toEqual(['a']);
    expect(data.stats).toEqual({ additions: 1, deletions: 0, total: 1 });
    expect(github.violations).toEqual([]);
  });

  test('can be listed by path, time and author', async () => {
    const { github, octokit, root, advance } = await startFixture();
    advance(3600);
    const later = github.commit({ branch: 'main', files: { 'src/orders.ts': '1\n' } });
    advance(3600);
    github.commit({ branch: 'main', files: { 'README.md': '1\n' } });
    const list = async (filter: object) =>
      (await octokit.rest.repos.listCommits({ ...repo, ...filter })).data.map(({ sha }) => sha);
    expect(await list({ path: 'src' })).toEqual([later, root]);
    expect(await list({ until: '2026-01-01T01:00:00Z' })).toEqual([later, root]);
    expect(await list({ since: '2026-01-01T01:00:00Z', path: 'src/orders.ts' })).toEqual([later]);
    expect(await list({ author: 'hubot' })).toEqual([]);
  });

  test('of an empty repository are refused with 409', async () => {
    const github = await startGitHub({ tokens: [BOT], repository: { owner: repo.owner, name: repo.repo } });
    onTestFinished(() => github.close());
    const { rest } = getOctokit(BOT.token, { baseUrl: github.url });
    for (const request of [rest.repos.listCommits(repo), rest.git.getRef({ ...repo, ref: 'heads/main' })]) {
      expect(await refusal(request)).toEqual({ status: 409, message: 'Git Repository is empty.' });
    }
  });

  test('an unknown commit is 422, an unknown branch to list 404', async () => {
    const { octokit } = await startFixture();
    expect(await refusal(octokit.rest.repos.getCommit({ ...repo, ref: 'nowhere' }))).toEqual({
      status: 422,
      message: 'No commit found for SHA: nowhere',
    });
    expect((await refusal(octokit.rest.repos.listCommits({ ...repo, sha: 'nowhere' }))).status).toBe(404);
  });

  test('belong to the open pull request that proposes them, and to the merged one afterwards', async () => {
    const { github, octokit } = await startFixture();
    const feature = github.commit({ branch: 'feature', files: { a: 'a' } });
    const { number, baseSha } = github.openPullRequest({ head: 'feature', base: 'main' });
    const numbers = async (commit_sha: string) =>
      (await octokit.rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha })).data.map(
        (p) => p.number,
      );
    expect(await numbers(feature)).toEqual([number]);
    expect(await numbers(baseSha)).toEqual([]);
    const merge = github.commit({ branch: 'main', files: {}, parents: [baseSha, feature] });
    expect(await numbers(feature)).toEqual([number]);
    expect(await numbers(merge)).toEqual([number]);
  });

  test('of a fork belong to no pull request', async () => {
    const { github, octokit } = await startFixture();
    github.commit({ branch: 'contributor:feature', files: { a: 'a' } });
    const { headSha } = github.openPullRequest({ head: 'feature', base: 'main', fork: { owner: 'contributor' } });
    const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: headSha });
    expect(data).toEqual([]);
  });

  test('take a status, with a short description', async () => {
    const { octokit, root, github } = await startFixture();
    const { data } = await octokit.rest.repos.createCommitStatus({
      ...repo,
      sha: root,
      state: 'failure',
      description: 'd',
    });
    expect(data).toMatchObject({ state: 'failure', context: 'default', creator: { login: 'github-actions[bot]' } });
    const long = octokit.rest.repos.createCommitStatus({
      ...repo,
      sha: root,
      state: 'failure',
      description: 'd'.repeat(141),
    });
    expect((await refusal(long)).status).toBe(422);
    expect(github.violations).toEqual([]);
  });
});

describe('git objects', () => {
  test('a branch can be built from blobs, trees and commits', async () => {
    const { github, octokit, root } = await startFixture();
    const { git } = octokit.rest;
    const { data: base } = await git.getCommit({ ...repo, commit_sha: root });
    const { data: blob } = await git.createBlob({ ...repo, content: '4pyT', encoding: 'base64' });
    const tree = [
      { path: 'docs/check.txt', mode: '100644', type: 'blob', sha: blob.sha },
      { path: 'src/orders.ts', mode: '100644', type: 'blob', content: 'export const a = 1;\n' },
      { path: 'README.md', mode: '100644', type: 'blob', sha: null },
    ] as const;
    const { data: newTree } = await git.createTree({ ...repo, base_tree: base.tree.sha, tree: [...tree] });
    expect(newTree.tree.map(({ path, type }) => `${type} ${path}`)).toEqual(['tree docs', 'tree src']);
    const commit = { ...repo, message: 'Build', tree: newTree.sha, parents: [root] };
    const { data: created } = await git.createCommit(commit);
    expect(created.author.name).toBe('github-actions[bot]');
    await git.createRef({ ...repo, ref: 'refs/heads/built/v1', sha: created.sha });
    expect((await git.getRef({ ...repo, ref: 'heads/built/v1' })).data.object.sha).toBe(created.sha);
    const { data: file } = await octokit.rest.repos.getContent({ ...repo, path: 'docs/check.txt', ref: 'built/v1' });
    expect(file).toMatchObject({ type: 'file', encoding: 'base64', content: '4pyT\n', size: 3 });
    expect(github.violations).toEqual([]);
  });

  test('what does not exist or exists already is refused', async () => {
    const { octokit, root } = await startFixture();
    const { git } = octokit.rest;
    const none = 'a'.repeat(40);
    const tree = [{ path: 'a', mode: '100644', type: 'blob', sha: none }] as const;
    expect(await refusal(git.getRef({ ...repo, ref: 'heads/nowhere' }))).toMatchObject({ status: 404 });
    expect(await refusal(git.getCommit({ ...repo, commit_sha: none }))).toMatchObject({ status: 404 });
    expect(await refusal(git.createTree({ ...repo, tree: [...tree] }))).toMatchObject({ status: 422 });
    expect(await refusal(git.createCommit({ ...repo, message: 'm', tree: none }))).toMatchObject({ status: 422 });
    expect(await refusal(git.createRef({ ...repo, ref: 'refs/heads/main', sha: root }))).toEqual({
      status: 422,
      message: 'Reference already exists',
    });
    expect(await refusal(git.createRef({ ...repo, ref: 'refs/heads/x', sha: none }))).toMatchObject({ status: 422 });
    expect(await refusal(git.createRef({ ...repo, ref: 'x', sha: root }))).toMatchObject({ status: 422 });
  });
});

describe('contents', () => {
  test('come as JSON, as raw bytes, and as a list for a directory', async () => {
    const { octokit, github } = await startFixture();
    github.commit({ branch: 'main', files: { 'src/orders.ts': '✓\n', 'src/lib/tax.ts': 'tax\n' } });
    const { data: list } = await octokit.rest.repos.getContent({ ...repo, path: 'src' });
    expect(list).toMatchObject([
      { type: 'dir', path: 'src/lib' },
      { type: 'file', path: 'src/orders.ts', size: 4 },
    ]);
    const file = await octokit.rest.repos.getContent({ ...repo, path: 'src/orders.ts' });
    expect(Buffer.from((file.data as { content: string }).content, 'base64').toString()).toBe('✓\n');
    const raw = await octokit.rest.repos.getContent({ ...repo, path: 'src/orders.ts', mediaType: { format: 'raw' } });
    expect(raw.data).toBe('✓\n');
    expect(raw.headers['x-github-media-type']).toBe('github.v3; param=raw; format=json');
    expect((await refusal(octokit.rest.repos.getContent({ ...repo, path: 'nowhere.ts' }))).status).toBe(404);
    expect(github.violations).toEqual([]);
  });

  test('are those of the commit asked for', async () => {
    const { octokit, github, root } = await startFixture();
    github.commit({ branch: 'main', files: { 'README.md': null } });
    expect((await refusal(octokit.rest.repos.getContent({ ...repo, path: 'README.md' }))).status).toBe(404);
    const { data } = await octokit.rest.repos.getContent({ ...repo, path: 'README.md', ref: root });
    expect(data).toMatchObject({ name: 'README.md' });
  });
});
