/** The history: commits, comparisons, the pull requests of a commit, statuses. */
import { diffTrees } from '../git/diff.ts';
import { ancestors, log, mergeBase } from '../git/history.ts';
import { getCommit } from '../git/objects.ts';
import { ApiError, type Call, notFound, type Reply, type Route, timestamp, validationFailed } from '../http.ts';
import { paginate } from '../pagination.ts';
import { pullCommits } from '../pulls.ts';
import { nodeId, renderAccount } from '../render/accounts.ts';
import { changesOf, renderChange, renderCommit } from '../render/commits.ts';
import { renderSimplePull } from '../render/pulls.ts';
import { repositoryPage, repositoryUrl } from '../render/repositories.ts';
import { type Pull, type Repository, resolveCommit } from '../repository.ts';

/** As many files as GitHub lists of a commit or a comparison on the first page. */
const MAX_FILES = 300;

function listCommits(call: Call): Reply {
  const { repository, query } = call;
  if (repository.refs.size === 0) throw new ApiError(409, 'Git Repository is empty.');
  const tip = resolveCommit(repository, query.sha ?? repository.defaultBranch);
  if (tip === undefined) throw notFound();
  const matches = (wanted: string | undefined, { name, email }: { name: string; email: string }) =>
    wanted === undefined || wanted === name || wanted === email;
  const commits = log(repository.objects, tip, query.path === undefined ? {} : { path: query.path }).filter(
    ({ author, committer }) =>
      matches(query.author, author) &&
      matches(query.committer, committer) &&
      (query.since === undefined || committer.date >= new Date(query.since)) &&
      (query.until === undefined || committer.date <= new Date(query.until)),
  );
  const { page, headers } = paginate(call, commits);
  return { status: 200, headers, body: page.map((commit) => renderCommit(repository, commit)) };
}

function getOneCommit({ repository, path }: Call): Reply {
  const sha = resolveCommit(repository, path.ref!);
  if (sha === undefined) throw new ApiError(422, `No commit found for SHA: ${path.ref}`);
  const commit = getCommit(repository.objects, sha);
  const changes = changesOf(repository, commit);
  const additions = changes.reduce((sum, change) => sum + change.additions, 0);
  const deletions = changes.reduce((sum, change) => sum + change.deletions, 0);
  return {
    status: 200,
    body: {
      ...renderCommit(repository, commit),
      stats: { total: additions + deletions, additions, deletions },
      files: changes.slice(0, MAX_FILES).map((change) => renderChange(repository, sha, change)),
    },
  };
}

/**
 * The pull requests a commit is part of: the merged one that brought it to the default branch, otherwise open ones.
 * A commit that exists in a fork only has none, even when a pull request proposes it.
 */
function pullsOfCommit(repository: Repository, sha: string): Pull[] {
  const tip = repository.refs.get(`refs/heads/${repository.defaultBranch}`);
  const isInDefault = tip !== undefined && ancestors(repository.objects, tip).has(sha);
  return [...repository.pulls.values()].filter((pull) => {
    const isMember = () => pullCommits(repository, pull).some((commit) => commit.sha === sha);
    if (pull.mergedBy !== null) return isInDefault && (pull.mergeSha === sha || isMember());
    return !isInDefault && pull.head.owner === repository.owner && isMember();
  });
}

function listPullsOfCommit(call: Call): Reply {
  const { repository, path } = call;
  const sha = resolveCommit(repository, path.commit_sha!);
  if (sha === undefined) throw new ApiError(422, `No commit found for SHA: ${path.commit_sha}`);
  const { page, headers } = paginate(call, pullsOfCommit(repository, sha));
  return { status: 200, headers, body: page.map((pull) => renderSimplePull(repository, pull)) };
}

function compare(call: Call): Reply {
  const { repository, path, query } = call;
  const { objects } = repository;
  const [baseName, headName, ...rest] = path.basehead!.split('...');
  const base = resolveCommit(repository, baseName!);
  const head = headName === undefined ? undefined : resolveCommit(repository, headName);
  if (base === undefined || head === undefined || rest.length > 0) throw notFound();
  const fork = mergeBase(objects, base, head);
  if (fork === undefined) throw new ApiError(404, `No common ancestor between ${baseName} and ${headName}.`);

  const ahead = log(objects, head, { excluded: ancestors(objects, base) }).reverse();
  const behind = log(objects, base, { excluded: ancestors(objects, head) }).length;
  const isPaged = query.page !== undefined || query.per_page !== undefined;
  // Unpaged, GitHub shows the 250 youngest commits.
  const { page, headers } = isPaged ? paginate(call, ahead) : { page: ahead.slice(-250), headers: {} };
  const isFirstPage = Number(query.page ?? 1) === 1;
  const url = `${repositoryUrl(repository)}/compare/${encodeURIComponent(path.basehead!)}`;
  const html = `${repositoryPage(repository)}/compare/${encodeURIComponent(path.basehead!)}`;
  const changes = diffTrees(objects, getCommit(objects, fork).tree, getCommit(objects, head).tree);
  return {
    status: 200,
    headers,
    body: {
      url,
      html_url: html,
      permalink_url: `${repositoryPage(repository)}/compare/${base}...${head}`,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: renderCommit(repository, getCommit(objects, base)),
      merge_base_commit: renderCommit(repository, getCommit(objects, fork)),
      status: statusOf(ahead.length, behind),
      ahead_by: ahead.length,
      behind_by: behind,
      total_commits: ahead.length,
      commits: page.map((commit) => renderCommit(repository, commit)),
      files: isFirstPage ? changes.slice(0, MAX_FILES).map((change) => renderChange(repository, head, change)) : [],
    },
  };
}

function statusOf(ahead: number, behind: number): 'identical' | 'ahead' | 'behind' | 'diverged' {
  if (ahead > 0) return behind > 0 ? 'diverged' : 'ahead';
  return behind > 0 ? 'behind' : 'identical';
}

function createStatus({ repository, actor, path, body }: Call): Reply {
  const { state, target_url, description, context } = body as {
    state: string;
    target_url?: string | null;
    description?: string | null;
    context?: string;
  };
  const { sha } = path;
  if (!repository.objects.commits.has(sha!)) throw new ApiError(422, `No commit found for SHA: ${sha}`);
  if (description != null && [...description].length > 140) {
    throw validationFailed({
      resource: 'Status',
      code: 'custom',
      field: 'description',
      message: 'description is too long (maximum is 140 characters)',
    });
  }
  const id = repository.nextId();
  const now = timestamp(repository.now());
  const creator = renderAccount(repository.site, actor!);
  const url = `${repositoryUrl(repository)}/statuses/${sha}`;
  return {
    status: 201,
    headers: { location: url },
    body: {
      url,
      avatar_url: creator.avatar_url,
      id,
      node_id: nodeId('Status', id),
      state,
      description: description ?? null,
      target_url: target_url ?? null,
      context: context ?? 'default',
      created_at: now,
      updated_at: now,
      creator,
    },
  };
}

export const commitRoutes: Readonly<Record<string, Route>> = {
  'repos/list-commits': listCommits,
  'repos/get-commit': getOneCommit,
  'repos/list-pull-requests-associated-with-commit': listPullsOfCommit,
  'repos/compare-commits-with-basehead': compare,
  'repos/create-commit-status': createStatus,
};
