/**
 * GitHub's REST API for one repository, on loopback and in memory, for tests and the demo.
 *
 * Every request and every response is held against GitHub's published OpenAPI description: a request that violates it
 * is answered as GitHub would, a response that violates it becomes a 500, and both are listed in `violations`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GitHubToken } from './authorization.ts';
import { githubDescription } from './description.ts';
import { renderPullRequestEvent, renderPushEvent } from './events.ts';
import { createHandler, type RecordedRequest } from './handler.ts';
import { addLabel } from './issues.ts';
import { commitFiles, locateBranch, moveRef, openPull } from './pulls.ts';
import { type Account, branchOf, createRepository, type Pull } from './repository.ts';

export type { GitHubToken, Permission } from './authorization.ts';
export type { RecordedRequest } from './handler.ts';

export interface GitHubOptions {
  tokens: GitHubToken[];
  /** Created without commits. Public unless `private`. */
  repository: { owner: string; name: string; defaultBranch?: string; private?: boolean };
  /** @default {0} any free port */
  port?: number;
  /** `/api/v3` makes it a GitHub Enterprise Server. */
  pathPrefix?: string;
  now?: () => Date;
  /**
   * Sees every request first, with its operationId (`graphql`, or '' for an unknown route). When it returns true it
   * has answered, or will; the body is read already and is in the last of `requests`.
   */
  intercept?: (request: IncomingMessage, response: ServerResponse, operation: string) => boolean | Promise<boolean>;
}

export interface GitHubServer {
  /** Value for GITHUB_API_URL. */
  url: string;
  /** Every request, in the order in which they came in. */
  requests: RecordedRequest[];
  /** Of the OpenAPI description, by either side, and requests this server does not know. */
  violations: string[];
  /**
   * Commits files onto a branch; returns the sha. A content of null removes the file.
   *
   * A new branch starts at `parents`, or at the tip of the default branch. A commit of two parents holds the merge of
   * both, with `files` on top. `owner:branch` is the branch of a fork. A push that brings the head of an open pull
   * request into its base branch merges that pull request.
   */
  commit(options: {
    branch: string;
    files: Record<string, string | null>;
    message?: string;
    parents?: string[];
  }): string;
  /**
   * Opens a pull request; returns its number, and the sha of GitHub's test merge commit (refs/pull/N/merge, whose
   * first parent is the base branch's tip).
   *
   * With `fork` the head is a branch of that owner's fork: one committed as `owner:branch`, or else this repository's
   * branch of the name, which moves to the fork.
   */
  openPullRequest(options: { head: string; base: string; title?: string; fork?: { owner: string } }): {
    number: number;
    mergeSha: string;
    headSha: string;
    baseSha: string;
  };
  /** @param login @default {'octocat'} who sets the label */
  label(number: number, label: string, login?: string): void;
  /** The comments of a pull request, oldest first. */
  comments(number: number): { id: number; login: string; body: string; createdAt: Date; updatedAt: Date }[];
  /** The check runs of a commit, oldest first; `output` as sent, with the annotations of all requests. */
  checkRuns(sha: string): { id: number; name: string; status: string; conclusion: string | null; output: unknown }[];
  /** The payload of the last push to a branch, as GITHUB_EVENT_PATH holds it. */
  pushEvent(branch: string): Record<string, unknown>;
  /** The payload of a pull request's event, as GITHUB_EVENT_PATH holds it. @param action @default {'opened'} */
  pullRequestEvent(number: number, action?: string): Record<string, unknown>;
  close(): Promise<void>;
}

/** Who commits, opens pull requests and sets labels when a test does not say. */
const OCTOCAT: Account = { login: 'octocat', type: 'User' };

/** Starts the server on 127.0.0.1. */
export async function startGitHub(options: GitHubOptions): Promise<GitHubServer> {
  const { tokens, now = () => new Date(), pathPrefix = '' } = options;
  const { owner, name, defaultBranch = 'main', private: isPrivate = false } = options.repository;
  const description = await githubDescription();

  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = origin + pathPrefix;
  const site = { api: url, html: pathPrefix === '' ? 'https://github.com' : origin };
  const repository = createRepository({ owner, name, defaultBranch, private: isPrivate }, site, now);

  const requests: RecordedRequest[] = [];
  const violations: string[] = [];
  const { intercept } = options;
  server.on('request', createHandler({ description, repository, tokens, pathPrefix, requests, violations, intercept }));

  const findPull = (number: number): Pull => {
    const pull = repository.pulls.get(number);
    if (pull === undefined) throw new Error(`Cannot find pull request ${number}: there are ${repository.pulls.size}.`);
    return pull;
  };

  return {
    url,
    requests,
    violations,

    commit({ branch, files, message = 'Change files', parents }) {
      const rest = parents === undefined ? {} : { parents };
      return commitFiles(repository, locateBranch(repository, branch), { files, message, author: OCTOCAT, ...rest });
    },

    openPullRequest({ head, base, title = 'Change files', fork }) {
      const branch = branchOf(repository, fork?.owner ?? owner, head);
      const ownKey = `refs/heads/${head}`;
      const movesToFork = !repository.refs.has(branch.key) && repository.refs.has(ownKey);
      if (movesToFork && head !== base && head !== defaultBranch) {
        moveRef(repository, branch.key, repository.refs.get(ownKey)!, OCTOCAT);
        repository.refs.delete(ownKey);
      }
      for (const key of [branch.key, `refs/heads/${base}`]) {
        if (!repository.refs.has(key)) throw new Error(`Cannot open a pull request: commit to ${key} first.`);
      }
      const author: Account = fork === undefined ? OCTOCAT : { login: fork.owner, type: 'User' };
      const pull = openPull(repository, { title, body: null, draft: false, author, head: branch, base });
      if (pull.mergeSha === null) throw new Error(`Cannot open a pull request: ${head} conflicts with ${base}.`);
      return { number: pull.number, mergeSha: pull.mergeSha, headSha: pull.head.sha, baseSha: pull.base.sha };
    },

    label(number, label, login = OCTOCAT.login) {
      addLabel(repository, findPull(number), label, { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' });
    },

    comments(number) {
      return [...repository.comments.values()]
        .filter((comment) => comment.number === number)
        .map(({ id, author, body, createdAt, updatedAt }) => ({ id, login: author.login, body, createdAt, updatedAt }));
    },

    checkRuns(sha) {
      return [...repository.checkRuns.values()]
        .filter(({ headSha }) => headSha === sha)
        .map(({ id, name, status, conclusion, output }) => ({ id, name, status, conclusion, output }));
    },

    pushEvent(branch) {
      return renderPushEvent(repository, branch, OCTOCAT);
    },

    pullRequestEvent(number, action = 'opened') {
      return renderPullRequestEvent(repository, findPull(number), action);
    },

    close() {
      return new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      });
    },
  };
}
