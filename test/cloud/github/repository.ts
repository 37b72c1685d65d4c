/** All that the server knows about its one repository and the forks of it, and how branches move. */
import { createHash } from 'node:crypto';
import { createObjectStore, type ObjectStore, type Signature } from './git/objects.ts';

export interface Account {
  login: string;
  type: 'Bot' | 'User';
}

/** Where the links in responses lead to. */
export interface Site {
  /** The API's root, with the path prefix of a GitHub Enterprise Server: `http://127.0.0.1:4000/api/v3`. */
  api: string;
  /** The root of the pages for people: `https://github.com`. */
  html: string;
}

export interface Pull {
  id: number;
  number: number;
  title: string;
  body: string | null;
  draft: boolean;
  author: Account;
  /** The branch to merge, and who owns the repository it is in: the owner of this repository or of a fork. */
  head: { owner: string; ref: string; sha: string };
  /**
   * The branch to merge into. Its sha is the tip when the pull request was opened or its head last pushed to: neither
   * the merge base nor always the present tip, as on GitHub.
   */
  base: { ref: string; sha: string };
  /** The test merge of head into the present tip of base while open; null when they conflict. */
  mergeSha: string | null;
  state: 'open' | 'closed';
  mergedBy: Account | null;
  createdAt: Date;
  updatedAt: Date;
  closedAt: Date | null;
  /** Names, in the order in which they were added. */
  labels: string[];
  /** The head before the last push to it. */
  previousHeadSha: string | null;
}

export interface Label {
  id: number;
  name: string;
  color: string;
}

export interface Comment {
  id: number;
  number: number;
  author: Account;
  body: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface IssueEvent {
  id: number;
  number: number;
  event: 'labeled' | 'unlabeled';
  label: Label;
  actor: Account;
  createdAt: Date;
}

export interface Annotation {
  path: string;
  start_line: number;
  end_line: number;
  annotation_level: 'notice' | 'warning' | 'failure';
  message: string;
  title?: string;
  raw_details?: string;
}

export interface CheckRun {
  id: number;
  name: string;
  headSha: string;
  /** The GitHub App that created it. */
  app: Account;
  status: string;
  conclusion: string | null;
  detailsUrl: string | null;
  externalId: string | null;
  startedAt: Date | null;
  completedAt: Date | null;
  output: { title: string | null; summary: string | null; text: string | null; annotations: Annotation[] };
}

export interface Repository {
  id: number;
  owner: string;
  name: string;
  defaultBranch: string;
  private: boolean;
  site: Site;
  createdAt: Date;
  objects: ObjectStore;
  /** `refs/heads/main` -> sha; a branch of a fork is `owner:branch`, which is no name of a ref in git. */
  refs: Map<string, string>;
  /** The last move of each ref. */
  pushes: Map<string, { before: string; after: string }>;
  pulls: Map<number, Pull>;
  labels: Map<string, Label>;
  comments: Map<number, Comment>;
  events: IssueEvent[];
  checkRuns: Map<number, CheckRun>;
  now: () => Date;
  /** Ever greater, and greater than 32 bits hold, as GitHub's are. */
  nextId: () => number;
}

/** A repository without commits. */
export function createRepository(
  options: { owner: string; name: string; defaultBranch: string; private: boolean },
  site: Site,
  now: () => Date,
): Repository {
  let lastId = 3_000_000_000;
  return {
    ...options,
    id: numericId(`${options.owner}/${options.name}`),
    site,
    createdAt: now(),
    objects: createObjectStore(),
    refs: new Map(),
    pushes: new Map(),
    pulls: new Map(),
    labels: new Map(),
    comments: new Map(),
    events: [],
    checkRuns: new Map(),
    now,
    nextId: () => ++lastId,
  };
}

const WELL_KNOWN_IDS = new Map([
  ['octocat', 583231],
  ['github-actions[bot]', 41898282],
]);

/** The numeric id of an account or repository: GitHub's own where it is well known, otherwise made from the name. */
export function numericId(name: string): number {
  return WELL_KNOWN_IDS.get(name) ?? createHash('sha1').update(name).digest().readUIntBE(0, 4);
}

/** How a commit of an account is signed: with the address by which GitHub knows its author. */
export function signatureOf(account: Account, date: Date): Signature {
  const email = `${numericId(account.login)}+${account.login}@users.noreply.github.com`;
  return { name: account.login, email, date };
}

export interface Branch {
  owner: string;
  /** Without `refs/heads/`. */
  ref: string;
  /** Its key in `refs`, whether or not it exists. */
  key: string;
}

/** A branch of this repository or, when the owner is another, of that owner's fork. */
export function branchOf(repository: Repository, owner: string, ref: string): Branch {
  const isOwn = owner.toLowerCase() === repository.owner.toLowerCase();
  return isOwn ? { owner: repository.owner, ref, key: `refs/heads/${ref}` } : { owner, ref, key: `${owner}:${ref}` };
}

/** The branch that `branch` or `owner:branch` names. */
export function parseBranch(repository: Repository, name: string): Branch {
  const colon = name.indexOf(':');
  return branchOf(repository, colon < 0 ? repository.owner : name.slice(0, colon), name.slice(colon + 1));
}

/**
 * The commit that a request names: a full or abbreviated sha, `HEAD`, a branch, `heads/…`, `tags/…`, `refs/…`, or a
 * branch with its owner, `owner:branch`.
 */
export function resolveCommit(repository: Repository, name: string): string | undefined {
  const { refs, objects, defaultBranch } = repository;
  if (objects.commits.has(name)) return name;
  const head = name === 'HEAD' ? defaultBranch : name;
  const keys = [`refs/heads/${head}`, `refs/tags/${name}`, `refs/${name}`, name, parseBranch(repository, name).key];
  for (const key of keys) {
    const sha = refs.get(key);
    if (sha !== undefined) return sha;
  }
  if (!/^[0-9a-f]{7,39}$/.test(name)) return undefined;
  const matches = [...objects.commits.keys()].filter((sha) => sha.startsWith(name));
  return matches.length === 1 ? matches[0] : undefined;
}
