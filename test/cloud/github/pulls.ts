/** How pull requests follow the branches they join: opened, pushed to, tested for a merge, merged. */
import { ancestors, log } from './git/history.ts';
import { mergeCommits } from './git/merge.ts';
import { type Commit, getCommit, readTree, type Signature, writeBlob, writeCommit, writeTree } from './git/objects.ts';
import {
  type Account,
  type Branch,
  branchOf,
  type Pull,
  parseBranch,
  type Repository,
  signatureOf,
} from './repository.ts';

/** Who signs the commits that GitHub itself makes. */
const GITHUB: Omit<Signature, 'date'> = { name: 'GitHub', email: 'noreply@github.com' };

const headBranch = (repository: Repository, pull: Pull) => branchOf(repository, pull.head.owner, pull.head.ref);

/** The open pull requests, oldest first. */
export function openPulls(repository: Repository): Pull[] {
  return [...repository.pulls.values()].filter(({ state }) => state === 'open');
}

/** The commits of a pull request: those of its head that its base branch lacked, youngest first. */
export function pullCommits(repository: Repository, pull: Pull): Commit[] {
  const { objects } = repository;
  return log(objects, pull.head.sha, { excluded: ancestors(objects, pull.base.sha) });
}

/**
 * Points a ref at a commit, and brings every pull request that joins the branch up to date, as a push does.
 *
 * @param key a key of `repository.refs`
 * @param actor who pushes; the one who merged, should this push complete a pull request
 */
export function moveRef(repository: Repository, key: string, sha: string, actor: Account): void {
  repository.pushes.set(key, { before: repository.refs.get(key) ?? '0'.repeat(40), after: sha });
  repository.refs.set(key, sha);
  for (const pull of openPulls(repository)) {
    const isHead = headBranch(repository, pull).key === key;
    if (!isHead && `refs/heads/${pull.base.ref}` !== key) continue;
    pull.updatedAt = repository.now();
    if (isHead) {
      pull.previousHeadSha = pull.head.sha;
      pull.head.sha = sha;
      pull.base.sha = repository.refs.get(`refs/heads/${pull.base.ref}`)!;
    } else if (ancestors(repository.objects, sha).has(pull.head.sha)) {
      completePull(repository, pull, sha, actor);
      continue;
    }
    updateTestMerge(repository, pull);
  }
}

function completePull(repository: Repository, pull: Pull, mergeSha: string, actor: Account): void {
  const now = repository.now();
  Object.assign(pull, { state: 'closed', mergeSha, mergedBy: actor, closedAt: now, updatedAt: now });
  repository.refs.delete(`refs/pull/${pull.number}/merge`);
}

function updateTestMerge(repository: Repository, pull: Pull): void {
  const { objects, refs } = repository;
  const baseTip = refs.get(`refs/heads/${pull.base.ref}`)!;
  const { files, conflicts } = mergeCommits(objects, baseTip, pull.head.sha);
  refs.set(`refs/pull/${pull.number}/head`, pull.head.sha);
  if (conflicts.length > 0) {
    // GitHub leaves the ref at the last merge that worked.
    pull.mergeSha = null;
    return;
  }
  const date = repository.now();
  pull.mergeSha = writeCommit(objects, {
    tree: writeTree(objects, files),
    parents: [baseTip, pull.head.sha],
    author: signatureOf(pull.author, date),
    committer: { ...GITHUB, date },
    message: `Merge ${pull.head.sha} into ${baseTip}`,
  });
  refs.set(`refs/pull/${pull.number}/merge`, pull.mergeSha);
}

/**
 * Opens a pull request between two existing branches.
 *
 * @param base the name of a branch of this repository
 */
export function openPull(
  repository: Repository,
  options: { title: string; body: string | null; draft: boolean; author: Account; head: Branch; base: string },
): Pull {
  const { head, base, ...described } = options;
  const now = repository.now();
  const pull: Pull = {
    ...described,
    id: repository.nextId(),
    number: repository.pulls.size + 1,
    head: { owner: head.owner, ref: head.ref, sha: repository.refs.get(head.key)! },
    base: { ref: base, sha: repository.refs.get(`refs/heads/${base}`)! },
    mergeSha: null,
    state: 'open',
    mergedBy: null,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    labels: [],
    previousHeadSha: null,
  };
  repository.pulls.set(pull.number, pull);
  updateTestMerge(repository, pull);
  return pull;
}

/**
 * The branch a test means by a name: `owner:branch` is a fork's; a plain name is this repository's branch or, when it
 * has none and a pull request comes from a fork's branch of that name, that one.
 */
export function locateBranch(repository: Repository, name: string): Branch {
  const branch = parseBranch(repository, name);
  if (name.includes(':') || repository.refs.has(branch.key)) return branch;
  const pull = openPulls(repository).find(({ head }) => head.ref === name);
  return pull === undefined ? branch : headBranch(repository, pull);
}

/**
 * Commits changed files onto a branch and moves the branch there.
 *
 * The commit continues `parents`; without them the branch, or for a new branch the default branch, or nothing. With
 * two parents its files are their merge, with `files` laid on top.
 *
 * @param files path -> content, null to remove
 * @returns the commit's sha
 * @throws for unknown parents, and for a conflict that `files` does not settle
 */
export function commitFiles(
  repository: Repository,
  branch: Branch,
  options: { files: Record<string, string | null>; message: string; author: Account; parents?: readonly string[] },
): string {
  const { objects, refs } = repository;
  const tip = refs.get(branch.key) ?? refs.get(`refs/heads/${repository.defaultBranch}`);
  const parents = options.parents ?? (tip === undefined ? [] : [tip]);
  const [first, second] = parents;
  const merged =
    first !== undefined && second !== undefined
      ? mergeCommits(objects, first, second)
      : { files: first === undefined ? new Map() : readTree(objects, getCommit(objects, first).tree), conflicts: [] };
  const unsettled = merged.conflicts.filter((path) => !(path in options.files));
  if (unsettled.length > 0) {
    throw new Error(`Cannot commit onto ${branch.ref}: both parents change ${unsettled.join(', ')}. Give it in files.`);
  }
  for (const [path, content] of Object.entries(options.files)) {
    if (content === null) merged.files.delete(path);
    else merged.files.set(path, { mode: '100644', sha: writeBlob(objects, content) });
  }
  const signature = signatureOf(options.author, repository.now());
  const sha = writeCommit(objects, {
    tree: writeTree(objects, merged.files),
    parents,
    author: signature,
    committer: signature,
    message: options.message,
  });
  moveRef(repository, branch.key, sha, options.author);
  return sha;
}
