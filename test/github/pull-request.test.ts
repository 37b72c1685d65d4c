import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import type { GitHub } from '../../src/github/client.ts';
import { readContext } from '../../src/github/context.ts';
import { findPullRequest, withPullRequest } from '../../src/github/pull-request.ts';
import { OWNER, REPO, startFixture } from '../cloud/github/fixture.ts';

async function start() {
  const fixture = await startFixture();
  const { github, root } = fixture;
  const contextOf = (eventName: string, sha: string, event: Record<string, unknown>) =>
    readContext(
      {
        GITHUB_REPOSITORY: `${OWNER}/${REPO}`,
        GITHUB_RUN_ID: '7',
        GITHUB_EVENT_NAME: eventName,
        GITHUB_SHA: sha,
        GITHUB_API_URL: github.url,
      },
      event,
    );
  github.commit({ branch: 'octocat:faster', parents: [root], files: { a: '1\n' } });
  const pull = github.openPullRequest({ head: 'faster', base: 'main', fork: { owner: 'octocat' } });
  const startedBy = (headSha: string, login = 'octocat') => ({
    workflow_run: {
      id: 6,
      head_sha: headSha,
      head_branch: 'faster',
      head_repository: { owner: { login } },
      pull_requests: [],
    },
    repository: { default_branch: 'main' },
  });
  return { ...fixture, client: fixture.octokit as GitHub, contextOf, pull, startedBy };
}

describe('withPullRequest()', () => {
  it('finds the pull request of a fork by the branch and the commit that started the workflow', async () => {
    const { client, contextOf, root, pull, startedBy, github } = await start();
    const context = await withPullRequest(client, contextOf('workflow_run', root, startedBy(pull.headSha)), undefined);
    expect(context).toMatchObject({
      sha: pull.headSha,
      trustedRef: 'main',
      pullRequest: { number: pull.number, headSha: pull.headSha, baseRef: 'main', fork: true },
    });
    expect(github.violations).toEqual([]);
  });

  it('takes no pull request that has moved on, is of another owner, or is not open', async () => {
    const { client, contextOf, root, startedBy, pull } = await start();
    for (const event of [startedBy(root), startedBy(pull.headSha, 'hubot')])
      expect(
        (await withPullRequest(client, contextOf('workflow_run', root, event), undefined)).pullRequest,
      ).toBeUndefined();
    const repository = { serverUrl: 'https://github.example.com', owner: OWNER, name: REPO };
    const run = { id: 6, attempt: 1, url: '' };
    const head = { run, headSha: pull.headSha, headBranch: '', headOwner: 'octocat' };
    expect(await findPullRequest(client, repository, head)).toBeUndefined();
  });

  it('reads the pull request that the user names, and measures what the workflow runs for', async () => {
    const { client, contextOf, root, pull } = await start();
    const context = await withPullRequest(client, contextOf('workflow_dispatch', root, {}), pull.number);
    expect(context).toMatchObject({ sha: root, trustedRef: 'main', pullRequest: { headSha: pull.headSha } });
  });

  it('says that there is no pull request of the number', async () => {
    const { client, contextOf, root } = await start();
    const missing = withPullRequest(client, contextOf('workflow_dispatch', root, {}), 404);
    await expect(missing).rejects.toThrow(ConfigurationError);
    await expect(missing).rejects.toThrow('Cannot find pull request 404');
  });

  it('asks nothing when the event tells the pull request, or there is none', async () => {
    const { client, contextOf, root, pull, github } = await start();
    const event = contextOf('pull_request', pull.mergeSha, github.pullRequestEvent(pull.number));
    expect(await withPullRequest(client, event, pull.number)).toBe(event);
    const push = contextOf('push', root, {});
    expect(await withPullRequest(client, push, undefined)).toBe(push);
    expect(github.requests).toEqual([]);
  });
});
