import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as local from '../../src/cli/local-git.ts';

const directory = mkdtempSync(join(tmpdir(), 'git-'));
const git: local.Git = (...args) =>
  execFileSync('git', ['-c', 'user.name=octocat', '-c', 'user.email=octocat@example.com', ...args], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: '1' },
  }).trimEnd();
const commit = (file: string): string => {
  writeFileSync(join(directory, file), `${file}\n`);
  git('add', file);
  git('commit', '-q', '-m', file);
  return git('rev-parse', 'HEAD');
};

// main: one - two - merge - three; change: two - a - b
const commits: Record<string, string> = {};
beforeAll(() => {
  git('init', '-q', '-b', 'main');
  commits.one = commit('one.txt');
  commits.two = commit('two.txt');
  git('checkout', '-q', '-b', 'other');
  commits.side = commit('side.txt');
  git('checkout', '-q', 'main');
  git('merge', '-q', '--no-ff', '-m', 'merge', 'other');
  commits.merge = git('rev-parse', 'HEAD');
  git('checkout', '-q', '-b', 'change', commits.two!);
  commits.a = commit('a.txt');
  commits.b = commit('b.txt');
  git('checkout', '-q', 'main');
  commits.three = commit('three.txt');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('baselineCommits()', () => {
  test('of a change is the merge base and its first parents', () => {
    expect(local.baselineCommits(git, commits.b!, 'main')).toEqual({
      relation: 'merge base with main',
      commits: [commits.two, commits.one],
    });
  });

  test('of a commit of the base branch is its parent, without merged branches', () => {
    expect(local.baselineCommits(git, commits.three!, 'main')).toEqual({
      relation: 'parent commit',
      commits: [commits.merge, commits.two, commits.one],
    });
  });

  test('of a merge commit is its first parent', () => {
    expect(local.baselineCommits(git, commits.merge!, 'main')).toEqual({
      relation: 'first parent of the merge commit',
      commits: [commits.two, commits.one],
    });
  });

  test('of the first commit, or without the base branch, is what there is', () => {
    expect(local.baselineCommits(git, commits.one!, 'main').commits).toEqual([]);
    expect(local.baselineCommits(git, commits.b!, 'nowhere').commits[0]).toBe(commits.a);
  });
});

describe('local git', () => {
  test('knows commits, changes, files and the default branch', () => {
    expect(local.resolveCommit(git, 'change')).toBe(commits.b);
    expect(() => local.resolveCommit(git, '--help')).toThrow('Cannot find the commit --help');
    expect(local.changedFiles(git, commits.two, commits.b!)).toEqual(['a.txt', 'b.txt']);
    expect(local.defaultBranch(git)).toBe('main');
    expect(local.rootOf(git)).toBe(realpathSync(directory));
    expect(local.hasChanges(git)).toBe(false);
    writeFileSync(join(directory, 'one.txt'), 'changed\n');
    expect(local.hasChanges(git)).toBe(true);
  });

  test.each([
    ['git@github.com:octo-org/orders.git', 'https://github.com'],
    ['https://github.com/octo-org/orders', 'https://github.com'],
    ['https://token@github.example.com/octo-org/orders.git', 'https://github.example.com'],
    ['ssh://git@github.com/octo-org/orders.git', 'https://github.com'],
  ])('reads the remote %s', (url, serverUrl) => {
    git('config', 'remote.origin.url', url);
    expect(local.originOf(git)).toEqual({ serverUrl, owner: 'octo-org', name: 'orders' });
  });

  test('takes no other remote for a repository', () => {
    git('config', 'remote.origin.url', '/srv/git/orders.git');
    expect(local.originOf(git)).toBeUndefined();
  });
});
