/** Pull requests as the API and the webhooks show them. */
import { diffTrees, type FileChange } from '../git/diff.ts';
import { mergeBase } from '../git/history.ts';
import { EMPTY_TREE, getCommit } from '../git/objects.ts';
import { timestamp } from '../http.ts';
import { pullCommits } from '../pulls.ts';
import { type Label, numericId, type Pull, type Repository } from '../repository.ts';
import { nodeId, renderAccount } from './accounts.ts';
import { renderRepository, repositoryPage, repositoryUrl } from './repositories.ts';

/** What the author of something is to the repository. */
export function associationOf(repository: Repository, login: string): 'OWNER' | 'NONE' {
  return login === repository.owner ? 'OWNER' : 'NONE';
}

/** `label` */
export function renderLabel(repository: Repository, { id, name, color }: Label) {
  const url = `${repositoryUrl(repository)}/labels/${encodeURIComponent(name)}`;
  return { id, node_id: nodeId('Label', id), url, name, color, default: false, description: null };
}

/** The labels of a pull request. */
export function renderLabels(repository: Repository, pull: Pull) {
  return pull.labels.map((name) => renderLabel(repository, repository.labels.get(name)!));
}

/** The files a pull request changes: from the merge base to its head. */
export function pullChanges({ objects }: Repository, { base, head }: Pull): FileChange[] {
  const fork = mergeBase(objects, base.sha, head.sha);
  const before = fork === undefined ? EMPTY_TREE : getCommit(objects, fork).tree;
  return diffTrees(objects, before, getCommit(objects, head.sha).tree);
}

/** `pull-request-simple` */
export function renderSimplePull(repository: Repository, pull: Pull) {
  const { site } = repository;
  const url = `${repositoryUrl(repository)}/pulls/${pull.number}`;
  const issueUrl = `${repositoryUrl(repository)}/issues/${pull.number}`;
  const page = `${repositoryPage(repository)}/pull/${pull.number}`;
  const links = {
    self: url,
    html: page,
    issue: issueUrl,
    comments: `${issueUrl}/comments`,
    review_comments: `${url}/comments`,
    review_comment: `${repositoryUrl(repository)}/pulls/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${repositoryUrl(repository)}/statuses/${pull.head.sha}`,
  };
  const end = ({ owner, ref, sha }: Pull['head']) => ({
    label: `${owner}:${ref}`,
    ref,
    sha,
    user: renderAccount(site, { login: owner, type: 'User' }),
    repo: renderRepository(repository, owner),
  });
  return {
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    number: pull.number,
    url,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issueUrl,
    comments_url: links.comments,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    statuses_url: links.statuses,
    state: pull.state,
    locked: false,
    title: pull.title,
    body: pull.body,
    draft: pull.draft,
    user: renderAccount(site, pull.author),
    author_association: associationOf(repository, pull.author.login),
    created_at: timestamp(pull.createdAt),
    updated_at: timestamp(pull.updatedAt),
    closed_at: pull.closedAt && timestamp(pull.closedAt),
    merged_at: pull.mergedBy && pull.closedAt && timestamp(pull.closedAt),
    merge_commit_sha: pull.mergeSha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: renderLabels(repository, pull),
    milestone: null,
    auto_merge: null,
    head: end(pull.head),
    base: end({ ...pull.base, owner: repository.owner }),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
  };
}

/** `pull-request` */
export function renderPull(repository: Repository, pull: Pull) {
  const changes = pullChanges(repository, pull);
  const total = (count: 'additions' | 'deletions') => changes.reduce((sum, change) => sum + change[count], 0);
  const isOpen = pull.state === 'open';
  return {
    ...renderSimplePull(repository, pull),
    merged: pull.mergedBy !== null,
    merged_by: pull.mergedBy && renderAccount(repository.site, pull.mergedBy),
    mergeable: isOpen ? pull.mergeSha !== null : null,
    mergeable_state: isOpen ? (pull.mergeSha === null ? 'dirty' : 'clean') : 'unknown',
    rebaseable: null,
    maintainer_can_modify: false,
    comments: [...repository.comments.values()].filter(({ number }) => number === pull.number).length,
    review_comments: 0,
    commits: pullCommits(repository, pull).length,
    additions: total('additions'),
    deletions: total('deletions'),
    changed_files: changes.length,
  };
}

/** `pull-request-minimal` */
export function renderMinimalPull(repository: Repository, { id, number, head, base }: Pull) {
  const end = (owner: string, ref: string, sha: string) => ({
    ref,
    sha,
    repo: {
      id: numericId(`${owner}/${repository.name}`),
      url: `${repository.site.api}/repos/${owner}/${repository.name}`,
      name: repository.name,
    },
  });
  return {
    id,
    number,
    url: `${repositoryUrl(repository)}/pulls/${number}`,
    head: end(head.owner, head.ref, head.sha),
    base: end(repository.owner, base.ref, base.sha),
  };
}
