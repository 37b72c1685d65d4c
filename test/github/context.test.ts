import { describe, expect, it } from 'vitest';
import { readContext } from '../../src/github/context.ts';

const env = {
  GITHUB_REPOSITORY: 'octo-org/shop',
  GITHUB_RUN_ID: '42',
  GITHUB_RUN_ATTEMPT: '3',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_SHA: 'a'.repeat(40),
  GITHUB_SERVER_URL: 'https://github.example.com',
};

describe('readContext()', () => {
  it('reads the job, and the pull request of its event', () => {
    const head = { sha: 'b'.repeat(40), repo: { full_name: 'octocat/shop' } };
    const base = { ref: 'main', repo: { full_name: 'octo-org/shop' } };
    expect(
      readContext(
        { ...env, GITHUB_EVENT_NAME: 'pull_request' },
        { repository: { default_branch: 'trunk' }, pull_request: { number: 7, head, base } },
      ),
    ).toEqual({
      eventName: 'pull_request',
      repository: { serverUrl: 'https://github.example.com', owner: 'octo-org', name: 'shop' },
      apiUrl: 'https://api.github.com',
      sha: 'a'.repeat(40),
      testMerge: true,
      defaultBranch: 'trunk',
      trustedRef: 'main',
      run: { id: 42, attempt: 3, url: 'https://github.example.com/octo-org/shop/actions/runs/42' },
      pullRequest: { number: 7, headSha: 'b'.repeat(40), baseRef: 'main', fork: true },
    });
  });

  it('takes a pull request whose head repository was deleted for one from a fork', () => {
    const event = {
      pull_request: {
        number: 7,
        head: { sha: 'b', repo: null },
        base: { ref: 'main', repo: { full_name: 'octo-org/shop' } },
      },
    };
    expect(readContext(env, event).pullRequest!.fork).toBe(true);
  });

  const [sha, head, base] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
  const pull_request = {
    number: 7,
    head: { sha: head, repo: { full_name: 'octocat/shop' } },
    base: { ref: 'main', repo: { full_name: 'octo-org/shop' } },
  };
  const repository = { default_branch: 'trunk' };
  const workflow_run = {
    id: 41,
    head_sha: head,
    head_branch: 'faster',
    head_repository: { owner: { login: 'octocat' } },
    pull_requests: [],
  };
  it.each<
    [string, Record<string, unknown>, { sha: string; testMerge: boolean; trustedRef: string; defaultBranch?: string }]
  >([
    ['pull_request', { pull_request, repository }, { sha, testMerge: true, trustedRef: 'main' }],
    ['pull_request_review', { pull_request, repository }, { sha, testMerge: true, trustedRef: 'main' }],
    // GITHUB_SHA is the base branch: nobody deployed that.
    ['pull_request_target', { pull_request, repository }, { sha: head, testMerge: false, trustedRef: 'main' }],
    ['push', { repository }, { sha, testMerge: false, trustedRef: sha }],
    ['workflow_dispatch', { repository }, { sha, testMerge: false, trustedRef: sha }],
    [
      'merge_group',
      { repository, merge_group: { base_sha: base, base_ref: 'refs/heads/trunk', head_sha: sha } },
      { sha, testMerge: false, trustedRef: base },
    ],
    ['workflow_run', { repository, workflow_run }, { sha: head, testMerge: false, trustedRef: 'trunk' }],
    ['schedule', { schedule: '0 3 * * *' }, { sha, testMerge: false, trustedRef: sha, defaultBranch: 'nightly' }],
  ])('of %s knows which commit it is about and whose files decide', (eventName, event, expected) => {
    const context = readContext({ ...env, GITHUB_EVENT_NAME: eventName, GITHUB_REF_NAME: 'nightly' }, event);
    expect(context).toMatchObject({ defaultBranch: 'trunk', ...expected });
  });

  it('keeps the path prefixes of a GitHub Enterprise Server', () => {
    const server = {
      GITHUB_SERVER_URL: 'https://example.com/github',
      GITHUB_API_URL: 'https://example.com/github/api/v3',
    };
    const { repository: at, apiUrl, run, startedBy } = readContext({ ...env, ...server }, { repository, workflow_run });
    expect([at.serverUrl, apiUrl]).toEqual([server.GITHUB_SERVER_URL, server.GITHUB_API_URL]);
    expect(run.url).toBe('https://example.com/github/octo-org/shop/actions/runs/42');
    expect(startedBy!.run.url).toBe('https://example.com/github/octo-org/shop/actions/runs/41');
  });

  it('says what is missing outside GitHub Actions', () => {
    expect(() => readContext({ ...env, GITHUB_SHA: undefined }, {})).toThrow(
      /GITHUB_SHA is not set.*npx lambda-profile gate/,
    );
    expect(() => readContext({ ...env, GITHUB_REPOSITORY: 'shop' }, {})).toThrow(/must be owner\/name/);
  });
});
