/** Who asks, what they may do, and how often. */
import { ApiError } from './http.ts';
import type { Account } from './repository.ts';

export type Permission = 'contents' | 'issues' | 'pull-requests' | 'checks' | 'statuses';

export interface GitHubToken extends Account {
  token: string;
  /**
   * As in a workflow: what is not named is `none`; without `permissions` everything is `write`.
   * Everybody may read a public repository, so `none` stops reading only when the repository is private.
   */
  permissions?: Partial<Record<Permission, 'read' | 'write' | 'none'>>;
}

interface Requirement {
  /** Any one of them is enough. */
  anyOf: readonly Permission[];
  access: 'read' | 'write';
}

const needs = (access: 'read' | 'write', ...anyOf: Permission[]): Requirement => ({ anyOf, access });

/**
 * What each operation needs. Issues here are pull requests, for which either permission does.
 * Source: https://docs.github.com/rest/authentication/permissions-required-for-github-apps
 */
const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  'checks/create': needs('write', 'checks'),
  'checks/get': needs('read', 'checks'),
  'checks/list-for-ref': needs('read', 'checks'),
  'checks/update': needs('write', 'checks'),
  'git/create-blob': needs('write', 'contents'),
  'git/create-commit': needs('write', 'contents'),
  'git/create-ref': needs('write', 'contents'),
  'git/create-tree': needs('write', 'contents'),
  'git/get-commit': needs('read', 'contents'),
  'git/get-ref': needs('read', 'contents'),
  'issues/add-labels': needs('write', 'issues', 'pull-requests'),
  'issues/create-comment': needs('write', 'issues', 'pull-requests'),
  'issues/delete-comment': needs('write', 'issues', 'pull-requests'),
  'issues/get-comment': needs('read', 'issues', 'pull-requests'),
  'issues/list-comments': needs('read', 'issues', 'pull-requests'),
  'issues/list-events': needs('read', 'issues', 'pull-requests'),
  'issues/list-labels-on-issue': needs('read', 'issues', 'pull-requests'),
  'issues/remove-label': needs('write', 'issues', 'pull-requests'),
  'issues/update-comment': needs('write', 'issues', 'pull-requests'),
  'pulls/create': needs('write', 'pull-requests'),
  'pulls/get': needs('read', 'pull-requests'),
  'pulls/list': needs('read', 'pull-requests'),
  'pulls/list-files': needs('read', 'pull-requests'),
  'repos/compare-commits-with-basehead': needs('read', 'contents'),
  'repos/create-commit-status': needs('write', 'statuses'),
  'repos/get-commit': needs('read', 'contents'),
  'repos/get-content': needs('read', 'contents'),
  'repos/list-commits': needs('read', 'contents'),
  'repos/list-pull-requests-associated-with-commit': needs('read', 'pull-requests'),
};

/** The token of an Authorization header, which may be called `token` or `Bearer`; undefined without a header. */
export function authenticate(header: string | undefined, tokens: readonly GitHubToken[]): GitHubToken | undefined {
  if (header === undefined) return undefined;
  const secret = /^(?:token|bearer) +(\S+)$/i.exec(header)?.[1];
  const token = tokens.find((candidate) => candidate.token === secret);
  if (token === undefined) throw new ApiError(401, 'Bad credentials');
  return token;
}

/** Value of the x-accepted-github-permissions header: `issues=write; pull_requests=write`. */
export function acceptedPermissions(operation: string): string | undefined {
  const requirement = REQUIREMENTS[operation];
  return requirement?.anyOf.map((name) => `${name.replace('-', '_')}=${requirement.access}`).join('; ');
}

/** @throws {ApiError} when the token may not do the operation */
export function authorize(operation: string, token: GitHubToken | undefined, isPrivate: boolean): void {
  const requirement = REQUIREMENTS[operation];
  if (token === undefined) {
    if (operation === 'users/get-authenticated' || requirement?.access === 'write') {
      throw new ApiError(401, 'Requires authentication');
    }
    if (isPrivate && operation !== 'rate-limit/get') throw new ApiError(404, 'Not Found');
    return;
  }
  const message = `Resource not accessible by ${token.type === 'Bot' ? 'integration' : 'personal access token'}`;
  if (operation === 'users/get-authenticated' && token.type === 'Bot') throw new ApiError(403, message);
  if (requirement === undefined || token.permissions === undefined) return;
  if (requirement.access === 'read' && !isPrivate) return;
  const granted = requirement.anyOf.some((name) => {
    const access = token.permissions?.[name] ?? 'none';
    return access === 'write' || access === requirement.access;
  });
  if (!granted) throw new ApiError(403, message);
}

export interface RateLimit {
  limit: number;
  remaining: number;
  used: number;
  /** Seconds since the epoch. */
  reset: number;
}

const HOUR_MS = 3_600_000;

/** Requests per hour: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
export function hourlyLimit(token: GitHubToken | undefined): number {
  if (token === undefined) return 60;
  return token.type === 'Bot' ? 1000 : 5000;
}

/** Counts the requests of each token in windows of an hour that begin with its first request. */
export function createRateLimiter(now: () => Date): {
  /** @param count how many requests to add; the answer tells whether they went over the limit */
  take(token: GitHubToken | undefined, count: 0 | 1): RateLimit & { exceeded: boolean };
} {
  const windows = new Map<string, { resetMs: number; used: number }>();
  return {
    take(token, count) {
      const key = token?.token ?? '';
      const nowMs = now().getTime();
      let window = windows.get(key);
      if (window === undefined || nowMs >= window.resetMs) {
        window = { resetMs: nowMs + HOUR_MS, used: 0 };
        windows.set(key, window);
      }
      const limit = hourlyLimit(token);
      const exceeded = window.used + count > limit;
      if (!exceeded) window.used += count;
      const { used } = window;
      return { limit, remaining: limit - used, used, reset: Math.floor(window.resetMs / 1000), exceeded };
    },
  };
}
