import { getOctokit } from '@actions/github';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';

/** GitHub's REST API for one repository's job. */
export type GitHub = ReturnType<typeof getOctokit>;

/** GitHub itself gives a request up after 10 s. */
const REQUEST_TIMEOUT_MS = 12_000;
const MAX_RETRIES = 2;
const MAX_WAIT_SECONDS = 60;
/** Of all waits of a job together: a minute more of somebody's runner is worth a comment, ten are not. */
const MAX_WAITED_SECONDS = 120;

/**
 * A client that waits out rate limits (a minute at most) and tries again what failed on GitHub's side. Every attempt
 * has a time limit, and an answer that is not what GitHub promises is a failure too.
 * @param log gets one line for each wait
 */
export function createGitHub(token: string, apiUrl: string, log: (message: string) => void): GitHub {
  let waitedSeconds = 0;
  const wait =
    (what: string) =>
    (seconds: number, request: { method: string; url: string }, _octokit: unknown, retries: number) => {
      const again =
        seconds <= MAX_WAIT_SECONDS && waitedSeconds + seconds <= MAX_WAITED_SECONDS && retries <= MAX_RETRIES;
      if (again) waitedSeconds += seconds;
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
      // 429 is for the throttling plugin, which knows how long to wait.
      retry: { retries: MAX_RETRIES, doNotRetry: [400, 401, 403, 404, 410, 422, 429, 451] },
    },
    attempts,
    retry,
    throttling,
  );
}

/** The innermost plugin: sees every attempt. */
function attempts(octokit: { hook: { wrap: GitHub['hook']['wrap'] } }): void {
  octokit.hook.wrap('request', async (request, options) => {
    // In place: what a hook hands on is not what the next one gets.
    options.request = { ...options.request, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
    try {
      const response = await request(options);
      const wantsJson = options.mediaType?.format !== 'raw';
      if (wantsJson && response.status < 300 && response.status !== 204 && typeof response.data !== 'object')
        throw Object.assign(new Error('GitHub sent no JSON'), { name: 'UnreadableAnswer', status: 502 });
      return response;
    } catch (error) {
      const failure = error as Error & { status?: number; request?: unknown };
      failure.request ??= { ...options };
      // Whether or not it says so, 429 means to wait; without Retry-After, a minute.
      if (failure.status === 429 && !/secondary rate/i.test(failure.message))
        failure.message += ' (secondary rate limit)';
      throw failure;
    }
  });
}

/** The status of a failed request, 0 when no answer came. */
export function statusOf(error: unknown): number {
  const { status, response } = (error ?? {}) as { status?: unknown; response?: unknown };
  return typeof status === 'number' && response !== undefined ? status : 0;
}

/** What became of a failed request, e.g. `GitHub answered 502`. */
export function describeFailure(error: unknown): string {
  const status = statusOf(error);
  if (status > 0) return `GitHub answered ${status}`;
  // What is missing in an answer is a TypeError where it is used.
  return error instanceof TypeError || (error as Error | null)?.name === 'UnreadableAnswer'
    ? 'the answer of GitHub cannot be read'
    : 'GitHub did not answer';
}

/**
 * What to do about a failed request.
 * @param permission of the token that it needs, e.g. `contents: read`
 */
export function adviceFor(error: unknown, permission: string): string {
  const status = statusOf(error);
  if (status === 401) return 'Check the input github-token: GitHub does not accept it.';
  if (status === 403 || status === 404) return `Add \`permissions: ${permission}\` to the job.`;
  return 'Run the job again in some minutes.';
}
