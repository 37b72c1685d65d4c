import { getOctokit } from '@actions/github';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';

/** GitHub's REST API for one repository's job. */
export type GitHub = ReturnType<typeof getOctokit>;

const MAX_WAIT_SECONDS = 60;
const MAX_RETRIES = 3;

/**
 * A client that waits out rate limits (a minute at most) and tries again what failed on GitHub's side.
 * @param log gets one line for each wait
 */
export function createGitHub(token: string, apiUrl: string, log: (message: string) => void): GitHub {
  const wait =
    (what: string) =>
    (seconds: number, request: { method: string; url: string }, _octokit: unknown, retries: number) => {
      const again = seconds <= MAX_WAIT_SECONDS && retries < MAX_RETRIES;
      log(
        `GitHub ${what} for ${request.method} ${request.url}: ${again ? `trying again in ${seconds} s` : `giving up (it asks to wait ${seconds} s)`}.`,
      );
      return again;
    };
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return getOctokit(
    token,
    {
      baseUrl: apiUrl,
      log: quiet,
      userAgent: 'lambda-profile-action',
      throttle: { onRateLimit: wait('rate limit'), onSecondaryRateLimit: wait('secondary rate limit') },
      retry: { retries: MAX_RETRIES },
    },
    retry,
    throttling,
  );
}

/** The status of a failed request, 0 when no answer came. */
export function statusOf(error: unknown): number {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : 0;
}
