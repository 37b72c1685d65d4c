/** Accounts and GitHub Apps as the API shows them. */
import { timestamp } from '../http.ts';
import { type Account, numericId, type Repository, type Site } from '../repository.ts';

/** GraphQL's id of a thing; only its uniqueness means something here. */
export function nodeId(kind: string, id: number | string): string {
  return Buffer.from(`${kind}:${id}`).toString('base64');
}

/** `simple-user` */
export function renderAccount(site: Site, { login, type }: Account) {
  const id = numericId(login);
  const url = `${site.api}/users/${encodeURIComponent(login)}`;
  const slug = login.replace(/\[bot\]$/, '');
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${site.html}/${type === 'Bot' ? 'apps/' : ''}${slug}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    site_admin: false,
  };
}

/** The account of a git author who signed with the address GitHub gives everybody; null for other addresses. */
export function renderAuthor(site: Site, email: string) {
  const login = /^\d+\+(.+)@users\.noreply\.github\.com$/.exec(email)?.[1];
  return login === undefined ? null : renderAccount(site, { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' });
}

/** `integration`: the GitHub App behind an account; null for people. */
export function renderApp(repository: Repository, account: Account) {
  if (account.type !== 'Bot') return null;
  const { site } = repository;
  const slug = account.login.replace(/\[bot\]$/, '');
  const id = numericId(slug);
  const owner = slug === 'github-actions' ? 'github' : repository.owner;
  return {
    id,
    slug,
    node_id: nodeId('App', id),
    owner: renderAccount(site, { login: owner, type: 'User' }),
    name: slug === 'github-actions' ? 'GitHub Actions' : slug,
    description: '',
    external_url: `${site.html}/apps/${slug}`,
    html_url: `${site.html}/apps/${slug}`,
    created_at: timestamp(repository.createdAt),
    updated_at: timestamp(repository.createdAt),
    permissions: { checks: 'write', contents: 'read', issues: 'write', metadata: 'read', pull_requests: 'write' },
    events: [],
  };
}
