/** Pull requests. */
import { ancestors } from '../git/history.ts';
import { type Call, notFound, type Reply, type Route, validationFailed } from '../http.ts';
import { paginate } from '../pagination.ts';
import { openPull, openPulls } from '../pulls.ts';
import { renderChange } from '../render/commits.ts';
import { pullChanges, renderPull, renderSimplePull } from '../render/pulls.ts';
import { type Pull, parseBranch, type Repository } from '../repository.ts';

function find({ repository, path }: Call): Pull {
  const pull = repository.pulls.get(Number(path.pull_number));
  if (pull === undefined) throw notFound();
  return pull;
}

function listPulls(call: Call): Reply {
  const { repository, query } = call;
  const { state = 'open', base, head, sort = 'created', direction = sort === 'created' ? 'desc' : 'asc' } = query;
  const wanted = head === undefined ? undefined : parseBranch(repository, head);
  const key = (pull: Pull) => (sort === 'updated' ? pull.updatedAt.getTime() : pull.number);
  const pulls = [...repository.pulls.values()]
    .filter(
      (pull) =>
        (state === 'all' || pull.state === state) &&
        (base === undefined || pull.base.ref === base) &&
        (wanted === undefined || (pull.head.ref === wanted.ref && pull.head.owner === wanted.owner)),
    )
    .sort((a, b) => (direction === 'desc' ? key(b) - key(a) : key(a) - key(b)));
  const { page, headers } = paginate(call, pulls);
  return { status: 200, headers, body: page.map((pull) => renderSimplePull(repository, pull)) };
}

function getPull(call: Call): Reply {
  return { status: 200, body: renderPull(call.repository, find(call)) };
}

function createPull({ repository, actor, body }: Call): Reply {
  const { title, head, base, ...optional } = body as {
    title?: string;
    head: string;
    base: string;
    body?: string;
    draft?: boolean;
  };
  const branch = parseBranch(repository, head);
  checkEnds(repository, head, base);
  if (!title) throw validationFailed({ resource: 'PullRequest', code: 'missing_field', field: 'title' });
  const pull = openPull(repository, {
    title,
    body: optional.body ?? null,
    draft: optional.draft ?? false,
    author: actor!,
    head: branch,
    base,
  });
  const rendered = renderPull(repository, pull);
  return { status: 201, body: rendered, headers: { location: rendered.url } };
}

/** @throws {ApiError} when no pull request can be opened between the branches */
function checkEnds(repository: Repository, head: string, base: string): void {
  const { refs, objects } = repository;
  const branch = parseBranch(repository, head);
  const headSha = refs.get(branch.key);
  const baseSha = refs.get(`refs/heads/${base}`);
  const invalid = (field: string) => validationFailed({ resource: 'PullRequest', field, code: 'invalid' });
  if (headSha === undefined) throw invalid('head');
  if (baseSha === undefined) throw invalid('base');
  const custom = (message: string) =>
    validationFailed({ resource: 'PullRequest', field: 'head', code: 'custom', message });
  const isOpen = openPulls(repository).some(
    (pull) => pull.base.ref === base && pull.head.ref === branch.ref && pull.head.owner === branch.owner,
  );
  if (isOpen) throw custom(`A pull request already exists for ${branch.owner}:${branch.ref}.`);
  if (ancestors(objects, baseSha).has(headSha)) throw custom(`No commits between ${base} and ${head}`);
}

function listFiles(call: Call): Reply {
  const { repository } = call;
  const pull = find(call);
  const { page, headers } = paginate(call, pullChanges(repository, pull));
  return { status: 200, headers, body: page.map((change) => renderChange(repository, pull.head.sha, change)) };
}

export const pullRoutes: Readonly<Record<string, Route>> = {
  'pulls/list': listPulls,
  'pulls/get': getPull,
  'pulls/create': createPull,
  'pulls/list-files': listFiles,
};
