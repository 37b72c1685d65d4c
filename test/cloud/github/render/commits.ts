/** Commits and changed files as the API shows them. */
import { diffTrees, type FileChange } from '../git/diff.ts';
import { type Commit, EMPTY_TREE, getCommit, type Signature } from '../git/objects.ts';
import { timestamp } from '../http.ts';
import type { Repository } from '../repository.ts';
import { nodeId, renderAuthor } from './accounts.ts';
import { repositoryPage, repositoryUrl } from './repositories.ts';

const UNSIGNED = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

const renderSignature = ({ name, email, date }: Signature) => ({ name, email, date: timestamp(date) });

/** A path in a URL: its slashes stay. */
export const encodePath = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** `git-commit`: the object as git knows it. */
export function renderGitCommit(repository: Repository, commit: Commit) {
  const url = `${repositoryUrl(repository)}/git`;
  const page = `${repositoryPage(repository)}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    url: `${url}/commits/${commit.sha}`,
    html_url: `${page}/${commit.sha}`,
    author: renderSignature(commit.author),
    committer: renderSignature(commit.committer),
    tree: { sha: commit.tree, url: `${url}/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/commits/${sha}`, html_url: `${page}/${sha}` })),
    verification: UNSIGNED,
  };
}

/** `commit`, without the files it changes. */
export function renderCommit(repository: Repository, commit: Commit) {
  const url = `${repositoryUrl(repository)}/commits`;
  const page = `${repositoryPage(repository)}/commit`;
  const git = renderGitCommit(repository, commit);
  return {
    sha: commit.sha,
    node_id: git.node_id,
    commit: {
      author: git.author,
      committer: git.committer,
      message: commit.message,
      tree: git.tree,
      url: git.url,
      comment_count: 0,
      verification: UNSIGNED,
    },
    url: `${url}/${commit.sha}`,
    html_url: `${page}/${commit.sha}`,
    comments_url: `${url}/${commit.sha}/comments`,
    author: renderAuthor(repository.site, commit.author.email),
    committer: renderAuthor(repository.site, commit.committer.email),
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/${sha}`, html_url: `${page}/${sha}` })),
  };
}

/** The files a commit changes, compared with its first parent. */
export function changesOf({ objects }: Repository, { tree, parents }: Commit): FileChange[] {
  return diffTrees(objects, parents[0] === undefined ? EMPTY_TREE : getCommit(objects, parents[0]).tree, tree);
}

/**
 * `diff-entry`
 *
 * @param sha the commit that shows the file in links
 */
export function renderChange(repository: Repository, sha: string, change: FileChange) {
  const path = encodePath(change.path);
  return {
    sha: change.sha,
    filename: change.path,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    blob_url: `${repositoryPage(repository)}/blob/${sha}/${path}`,
    raw_url: `${repositoryPage(repository)}/raw/${sha}/${path}`,
    contents_url: `${repositoryUrl(repository)}/contents/${path}?ref=${sha}`,
    ...(change.patch === undefined ? {} : { patch: change.patch }),
    ...(change.previousPath === undefined ? {} : { previous_filename: change.previousPath }),
  };
}
