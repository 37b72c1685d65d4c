import { execFileSync } from 'node:child_process';
import { ConfigurationError } from '../errors.ts';
import { type BaselineCommits, MAX_ANCESTORS } from '../github/commits.ts';
import type { Repository } from '../report/report.ts';

/** Runs git in the current folder; the text it prints, without the line feed at its end. Throws when it fails. */
export type Git = (...args: string[]) => string;

const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/** The git of this machine. @throws ConfigurationError if there is none */
export const localGit: Git = (...args) => {
  try {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: MAX_OUTPUT_BYTES,
    }).trimEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new ConfigurationError('Cannot run git: it is not installed. The base commit is found with it.');
    throw error;
  }
};

/** The full id of a commit. @throws ConfigurationError if git knows none of that name */
export function resolveCommit(git: Git, name: string): string {
  const commit = attempt(() => git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`));
  if (commit === undefined)
    throw new ConfigurationError(
      `Cannot find the commit ${name}: run this in a checkout of the repository that has it, or give the full SHA.`,
    );
  return commit;
}

/** The folder of the checkout. */
export function rootOf(git: Git): string {
  return attempt(() => git('rev-parse', '--show-toplevel')) || '.';
}

/** Whether the files of the checkout are not those of its commit. */
export function hasChanges(git: Git): boolean {
  return (attempt(() => git('status', '--porcelain', '--untracked-files=no')) ?? '') !== '';
}

/** The branch that changes are made for: what the remote calls its default, or main or master. */
export function defaultBranch(git: Git): string {
  const remote = attempt(() => git('symbolic-ref', '--short', 'refs/remotes/origin/HEAD'));
  if (remote !== undefined) return remote;
  const known = (name: string): boolean => attempt(() => git('rev-parse', '--verify', '--quiet', name)) !== undefined;
  return ['origin/main', 'origin/master', 'main', 'master'].find(known) ?? 'main';
}

/**
 * The commits to compare `commit` with, as the Action finds them on GitHub: the first parent of a merge; else the merge
 * base with the base branch; of the base branch itself, the parent. Then their first-parent ancestors.
 */
export function baselineCommits(git: Git, commit: string, base: string): BaselineCommits {
  const parents = parentsOf(git, commit);
  if (parents.length > 1)
    return { relation: 'first parent of the merge commit', commits: firstParents(git, parents[0]) };
  const mergeBase = attempt(() => git('merge-base', base, commit));
  return mergeBase === undefined || mergeBase === commit
    ? { relation: 'parent commit', commits: firstParents(git, parents[0]) }
    : { relation: `merge base with ${base}`, commits: firstParents(git, mergeBase) };
}

function parentsOf(git: Git, commit: string): string[] {
  return (attempt(() => git('rev-list', '--parents', '-n', '1', commit)) ?? '').split(' ').slice(1);
}

function firstParents(git: Git, start: string | undefined): string[] {
  if (start === undefined) return [];
  return git('rev-list', '--first-parent', '-n', String(MAX_ANCESTORS + 1), start).split('\n');
}

/** Paths that differ between two commits. */
export function changedFiles(git: Git, base: string | undefined, head: string): string[] {
  if (base === undefined) return [];
  return (attempt(() => git('diff', '--name-only', '-z', base, head)) ?? '').split('\0').filter(Boolean);
}

/** Files that git takes for renamed between two commits. */
export function renamedFiles(git: Git, base: string | undefined, head: string): { from: string; to: string }[] {
  if (base === undefined) return [];
  const fields = (attempt(() => git('diff', '--name-status', '--diff-filter=R', '-M', '-z', base, head)) ?? '').split(
    '\0',
  );
  const renames: { from: string; to: string }[] = [];
  for (let i = 0; i + 2 < fields.length; i += 3) renames.push({ from: fields[i + 1]!, to: fields[i + 2]! });
  return renames;
}

/** The repository on GitHub that the remote `origin` is; undefined for anything else. */
export function originOf(git: Git): Repository | undefined {
  const url = attempt(() => git('remote', 'get-url', 'origin')) ?? '';
  const match = /^(?:https:\/\/(?:[^@/]*@)?|ssh:\/\/git@|git@)([\w.-]+)[:/]([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(
    url,
  );
  return match === null ? undefined : { serverUrl: `https://${match[1]}`, owner: match[2]!, name: match[3]! };
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    return undefined;
  }
}
