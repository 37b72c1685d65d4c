import type { Repository } from '../report/report.ts';
import type { GitHub } from './client.ts';
import type { GitHubContext } from './context.ts';

/** Commits whose recording may serve as baseline, best first, and why the first is the right one. */
export interface BaselineCommits {
  relation: string;
  commits: string[];
}

/** How far back a baseline is looked for. */
export const MAX_ANCESTORS = 50;

/** The commit a run measured, as the input `commit` says: '' and `merge` are what the workflow runs for. */
export function measuredCommit(context: GitHubContext, commit: string): string {
  if (commit === 'head') return context.pullRequest?.headSha ?? context.sha;
  return commit === '' || commit === 'merge' ? context.sha : commit;
}

/**
 * The commits to compare `commit` with: what the change was made on, then up to 50 first-parent ancestors of it.
 * `pull_request.base.sha` is neither: it is the base branch as it was when the event was written.
 * - a merge commit made by GitHub to test a pull request: its first parent;
 * - a merge queue: the commit the group was put on;
 * - any other commit: the merge base with the base of the pull request, or with the default branch;
 * - a commit of that branch itself: its first parent.
 * @param baseRef the branch to compare with instead; '' = none named
 */
export async function fetchBaselineCommits(
  github: GitHub,
  context: GitHubContext,
  commit: string,
  baseRef: string,
): Promise<BaselineCommits> {
  const { repository, pullRequest, mergeGroup, defaultBranch } = context;
  const from = async (relation: string, start: string | undefined): Promise<BaselineCommits> => ({
    relation,
    commits: await fetchFirstParents(github, repository, start),
  });
  const parents = await fetchParents(github, repository, commit);
  const asTested = commit === context.sha && (baseRef === '' || baseRef === pullRequest?.baseRef);
  if (asTested && context.testMerge && parents.length > 1) return from('first parent of the merge commit', parents[0]);
  if (asTested && mergeGroup) return from('base of the merge group', mergeGroup.baseSha);
  const base = baseRef || pullRequest?.baseRef || defaultBranch;
  const mergeBase = await fetchMergeBase(github, repository, base, commit);
  // On the base branch itself the merge base is the commit: what came before it is its parent.
  return mergeBase === commit ? from('parent commit', parents[0]) : from(`merge base with ${base}`, mergeBase);
}

async function fetchParents(github: GitHub, { owner, name }: Repository, ref: string): Promise<string[]> {
  const { data } = await github.rest.repos.getCommit({ owner, repo: name, ref, per_page: 1 });
  return data.parents.map(({ sha }) => sha);
}

async function fetchMergeBase(
  github: GitHub,
  { owner, name }: Repository,
  base: string,
  head: string,
): Promise<string> {
  const { data } = await github.rest.repos.compareCommitsWithBasehead({
    owner,
    repo: name,
    basehead: `${base}...${head}`,
    per_page: 1,
  });
  return data.merge_base_commit.sha;
}

const PAGES = 5;

/** `start` and its first-parent ancestors. The commits list mixes in merged branches, so the chain is followed in it. */
async function fetchFirstParents(
  github: GitHub,
  { owner, name }: Repository,
  start: string | undefined,
): Promise<string[]> {
  const chain: string[] = [];
  const firstParent = new Map<string, string | undefined>();
  let next = start;
  let page = 1;
  while (next !== undefined && chain.length <= MAX_ANCESTORS) {
    while (!firstParent.has(next) && page <= PAGES) {
      const { data } = await github.rest.repos.listCommits({ owner, repo: name, sha: start!, per_page: 100, page });
      for (const { sha, parents } of data) firstParent.set(sha, parents[0]?.sha);
      page = data.length < 100 ? PAGES + 1 : page + 1;
    }
    if (!firstParent.has(next)) break;
    chain.push(next);
    next = firstParent.get(next);
  }
  return chain;
}

/** A file that a pull request changes; `previousPath` is what a renamed one was called on the base side. */
export interface ChangedFile {
  path: string;
  previousPath?: string;
  /** Which side has the path. */
  on: 'both' | 'base' | 'head';
}

/** Files a pull request changes (at most 3,000, GitHub's own limit). */
export async function fetchChangedFiles(
  github: GitHub,
  { owner, name }: Repository,
  pullRequest: number,
): Promise<ChangedFile[]> {
  const files = await github.paginate(github.rest.pulls.listFiles, {
    owner,
    repo: name,
    pull_number: pullRequest,
    per_page: 100,
  });
  const sides = { added: 'head', copied: 'head', renamed: 'head', removed: 'base' } as const;
  return files.map(({ filename, previous_filename, status }) => ({
    path: filename,
    ...(status === 'renamed' && previous_filename && { previousPath: previous_filename }),
    on: sides[status as keyof typeof sides] ?? 'both',
  }));
}

/**
 * A file as it is at a commit or branch, or undefined when there is none.
 * The config of a pull request is read from its base branch: a change must not loosen its own gate.
 */
export async function fetchFile(
  github: GitHub,
  { owner, name }: Repository,
  path: string,
  ref: string,
): Promise<string | undefined> {
  try {
    const { data } = await github.rest.repos.getContent({
      owner,
      repo: name,
      path,
      ref,
      mediaType: { format: 'raw' },
    });
    return typeof data === 'string' ? data : undefined;
  } catch (error) {
    if ((error as { status?: number }).status === 404) return undefined;
    throw error;
  }
}
