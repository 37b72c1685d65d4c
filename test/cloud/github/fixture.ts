/** A server with one commit on main, a clock that a test moves, and clients for it. */
import { getOctokit } from '@actions/github';
import { onTestFinished } from 'vitest';
import { type GitHubOptions, type GitHubServer, startGitHub } from './server.ts';

export const OWNER = 'octo-org';
export const REPO = 'orders';
/** Path parameters that almost every operation needs. */
export const repo = { owner: OWNER, repo: REPO };

export const BOT = { token: 'installation-token', login: 'github-actions[bot]', type: 'Bot' } as const;
export const USER = { token: 'user-token', login: 'octocat', type: 'User' } as const;

export type Octokit = ReturnType<typeof getOctokit>;

export interface Fixture {
  github: GitHubServer;
  /** Acts as github-actions[bot]. */
  octokit: Octokit;
  as(token: string): Octokit;
  /** The commit on main. */
  root: string;
  advance(seconds: number): void;
}

/** Starts a server that stops when the test ends. */
export async function startFixture(
  options: Omit<Partial<GitHubOptions>, 'repository' | 'now'> & { private?: boolean } = {},
): Promise<Fixture> {
  const { private: isPrivate = false, ...rest } = options;
  let nowMs = Date.UTC(2026, 0, 1);
  const github = await startGitHub({
    tokens: [BOT, USER],
    ...rest,
    repository: { owner: OWNER, name: REPO, private: isPrivate },
    now: () => new Date(nowMs),
  });
  onTestFinished(() => github.close());
  const as = (token: string) => getOctokit(token, { baseUrl: github.url });
  const root = github.commit({ branch: 'main', files: { 'README.md': '# Orders\n', 'src/orders.ts': 'export {};\n' } });
  return {
    github,
    octokit: as(BOT.token),
    as,
    root,
    advance(seconds) {
      nowMs += seconds * 1000;
    },
  };
}

/** The status and message with which a request is refused. */
export async function refusal(request: Promise<unknown>): Promise<{ status: number; message: string }> {
  const outcome = await request.then(
    () => undefined,
    (error: unknown) => error as { status: number; response: { data: { message: string } } },
  );
  if (outcome === undefined) throw new Error('The request was accepted.');
  return { status: outcome.status, message: outcome.response.data.message };
}
