/** Webhook payloads as a job finds them in GITHUB_EVENT_PATH: https://docs.github.com/webhooks/webhook-events-and-payloads */
import { ancestors, log } from './git/history.ts';
import { type Commit, getCommit } from './git/objects.ts';
import { renderAccount, renderAuthor } from './render/accounts.ts';
import { changesOf } from './render/commits.ts';
import { renderLabel, renderPull } from './render/pulls.ts';
import { renderRepository, repositoryPage } from './render/repositories.ts';
import type { Account, Pull, Repository } from './repository.ts';

function renderPushedCommit(repository: Repository, commit: Commit) {
  const changes = changesOf(repository, commit);
  const paths = (...statuses: string[]) =>
    changes.filter(({ status }) => statuses.includes(status)).map(({ path }) => path);
  const person = ({ name, email, date }: Commit['author']) => ({
    name,
    email,
    date: date.toISOString(),
    ...(renderAuthor(repository.site, email) === null ? {} : { username: name }),
  });
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date.toISOString(),
    url: `${repositoryPage(repository)}/commit/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    added: paths('added'),
    removed: paths('removed'),
    modified: paths('modified', 'changed', 'renamed'),
  };
}

/**
 * The `push` event of the last push to a branch.
 *
 * @throws when nothing was pushed to it
 */
export function renderPushEvent(repository: Repository, branch: string, pusher: Account): Record<string, unknown> {
  const ref = `refs/heads/${branch}`;
  const push = repository.pushes.get(ref);
  if (push === undefined) throw new Error(`Cannot render a push to '${branch}': commit to it first.`);
  const { before, after } = push;
  const { objects } = repository;
  const created = /^0+$/.test(before);
  const known = created ? repository.refs.get(`refs/heads/${repository.defaultBranch}`) : before;
  const excluded = known === undefined || known === after ? new Set<string>() : ancestors(objects, known);
  const commits = log(objects, after, { excluded }).reverse();
  const page = repositoryPage(repository);
  const range = `${before.slice(0, 12)}...${after.slice(0, 12)}`;
  const person = renderAccount(repository.site, pusher);
  return {
    ref,
    before,
    after,
    base_ref: null,
    created,
    deleted: false,
    forced: !created && !ancestors(objects, after).has(before),
    compare: created ? `${page}/commit/${after.slice(0, 12)}` : `${page}/compare/${range}`,
    commits: commits.map((commit) => renderPushedCommit(repository, commit)),
    head_commit: renderPushedCommit(repository, getCommit(objects, after)),
    repository: { ...renderRepository(repository), master_branch: repository.defaultBranch },
    pusher: { name: pusher.login, email: `${pusher.login}@users.noreply.github.com` },
    sender: person,
  };
}

/**
 * A `pull_request` event: `opened`, `synchronize`, `reopened`, `labeled`, `unlabeled`, `closed`…
 * The sender of a label's event is who set the label, otherwise the author.
 */
export function renderPullRequestEvent(repository: Repository, pull: Pull, action: string): Record<string, unknown> {
  const labelEvent = repository.events.findLast(({ number, event }) => number === pull.number && event === action);
  return {
    action,
    number: pull.number,
    pull_request: renderPull(repository, pull),
    ...(labelEvent === undefined ? {} : { label: renderLabel(repository, labelEvent.label) }),
    ...(action === 'synchronize' ? { before: pull.previousHeadSha, after: pull.head.sha } : {}),
    repository: renderRepository(repository),
    sender: renderAccount(repository.site, labelEvent?.actor ?? pull.author),
  };
}
