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
      readContext(env, { repository: { default_branch: 'trunk' }, pull_request: { number: 7, head, base } }),
    ).toEqual({
      eventName: 'push',
      repository: { serverUrl: 'https://github.example.com', owner: 'octo-org', name: 'shop' },
      apiUrl: 'https://api.github.com',
      sha: 'a'.repeat(40),
      defaultBranch: 'trunk',
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

  it('says what is missing outside GitHub Actions', () => {
    expect(() => readContext({ ...env, GITHUB_SHA: undefined }, {})).toThrow(
      /GITHUB_SHA is not set.*npx lambda-profile gate/,
    );
    expect(() => readContext({ ...env, GITHUB_REPOSITORY: 'shop' }, {})).toThrow(/must be owner\/name/);
  });
});
