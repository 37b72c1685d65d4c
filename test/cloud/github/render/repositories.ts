/** Repositories as the API shows them. */
import { timestamp } from '../http.ts';
import { numericId, type Repository } from '../repository.ts';
import { nodeId, renderAccount } from './accounts.ts';

/** Links that are `{repository url}/{path}`, with URI templates where the API has them. */
const LINKS: Readonly<Record<string, string>> = {
  archive_url: '{archive_format}{/ref}',
  assignees_url: 'assignees{/user}',
  blobs_url: 'git/blobs{/sha}',
  branches_url: 'branches{/branch}',
  collaborators_url: 'collaborators{/collaborator}',
  comments_url: 'comments{/number}',
  commits_url: 'commits{/sha}',
  compare_url: 'compare/{base}...{head}',
  contents_url: 'contents/{+path}',
  contributors_url: 'contributors',
  deployments_url: 'deployments',
  downloads_url: 'downloads',
  events_url: 'events',
  forks_url: 'forks',
  git_commits_url: 'git/commits{/sha}',
  git_refs_url: 'git/refs{/sha}',
  git_tags_url: 'git/tags{/sha}',
  hooks_url: 'hooks',
  issue_comment_url: 'issues/comments{/number}',
  issue_events_url: 'issues/events{/number}',
  issues_url: 'issues{/number}',
  keys_url: 'keys{/key_id}',
  labels_url: 'labels{/name}',
  languages_url: 'languages',
  merges_url: 'merges',
  milestones_url: 'milestones{/number}',
  notifications_url: 'notifications{?since,all,participating}',
  pulls_url: 'pulls{/number}',
  releases_url: 'releases{/id}',
  stargazers_url: 'stargazers',
  statuses_url: 'statuses/{sha}',
  subscribers_url: 'subscribers',
  subscription_url: 'subscription',
  tags_url: 'tags',
  teams_url: 'teams',
  trees_url: 'git/trees{/sha}',
};

export const repositoryUrl = ({ site, owner, name }: Repository) => `${site.api}/repos/${owner}/${name}`;
export const repositoryPage = ({ site, owner, name }: Repository) => `${site.html}/${owner}/${name}`;

/**
 * `repository`
 *
 * @param owner another than the repository's own is the owner of a fork of it
 */
export function renderRepository(repository: Repository, owner = repository.owner) {
  const { site, name } = repository;
  const fork = owner.toLowerCase() !== repository.owner.toLowerCase();
  const fullName = `${owner}/${name}`;
  const url = `${site.api}/repos/${fullName}`;
  const page = `${site.html}/${fullName}`;
  const host = new URL(site.html).host;
  const id = numericId(fullName);
  const openPulls = [...repository.pulls.values()].filter(({ state }) => state === 'open').length;
  const createdAt = timestamp(repository.createdAt);
  return {
    id,
    node_id: nodeId('Repository', id),
    name,
    full_name: fullName,
    private: repository.private,
    owner: renderAccount(site, { login: owner, type: 'User' }),
    html_url: page,
    description: null,
    fork,
    url,
    ...Object.fromEntries(Object.entries(LINKS).map(([key, path]) => [key, `${url}/${path}`])),
    clone_url: `${page}.git`,
    git_url: `git://${host}/${fullName}.git`,
    ssh_url: `git@${host}:${fullName}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    created_at: createdAt,
    updated_at: createdAt,
    pushed_at: createdAt,
    size: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    forks: 0,
    forks_count: 0,
    open_issues: fork ? 0 : openPulls,
    open_issues_count: fork ? 0 : openPulls,
    has_issues: !fork,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    archived: false,
    disabled: false,
    visibility: repository.private ? 'private' : 'public',
    default_branch: repository.defaultBranch,
  };
}

/** `full-repository` */
export function renderFullRepository(repository: Repository) {
  return { ...renderRepository(repository), network_count: 0, subscribers_count: 0 };
}
