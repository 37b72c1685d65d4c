import { getOctokit } from '@actions/github';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BOT, OWNER, REPO, refusal, repo, startFixture, USER } from './fixture.ts';
import { startGitHub } from './server.ts';

const limited = { token: 'limited-token', login: 'github-actions[bot]', type: 'Bot' } as const;

describe('authentication', () => {
  test('an unknown token is refused with 401, even for what everybody may read', async () => {
    const { as, github } = await startFixture();
    expect(await refusal(as('unknown').rest.repos.get(repo))).toEqual({ status: 401, message: 'Bad credentials' });
    expect(github.requests).toMatchObject([{ operation: 'repos/get', status: 401 }]);
    expect(github.violations).toEqual([]);
  });

  test('without a token a public repository can be read but not written', async () => {
    const { github } = await startFixture();
    const url = `${github.url}/repos/${OWNER}/${REPO}`;
    expect((await fetch(url)).status).toBe(200);
    const response = await fetch(`${url}/issues/1/comments`, { method: 'POST', body: '{"body":"x"}' });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ message: 'Requires authentication' });
  });

  test('without a token a private repository does not exist', async () => {
    const { github } = await startFixture({ private: true });
    expect((await fetch(`${github.url}/repos/${OWNER}/${REPO}`)).status).toBe(404);
  });

  test('an installation token has no user; a user token has', async () => {
    const { octokit, as } = await startFixture();
    expect(await refusal(octokit.rest.users.getAuthenticated())).toEqual({
      status: 403,
      message: 'Resource not accessible by integration',
    });
    expect((await as(USER.token).rest.users.getAuthenticated()).data.login).toBe('octocat');
  });

  test('GraphQL tells whose token it is', async () => {
    const { octokit, as, github } = await startFixture();
    expect(await octokit.graphql('query { viewer { login } }')).toEqual({ viewer: { login: 'github-actions[bot]' } });
    expect(await as(USER.token).graphql('{viewer{login}}')).toEqual({ viewer: { login: 'octocat' } });
    expect(github.requests.map(({ operation }) => operation)).toEqual(['graphql', 'graphql']);
  });

  test('another GraphQL query is an error and is reported', async () => {
    const { octokit, github } = await startFixture();
    await expect(octokit.graphql('{ viewer { name } }')).rejects.toThrow('does not know the query');
    expect(github.violations).toHaveLength(1);
  });
});

describe('permissions', () => {
  test('writing without the permission is refused, and the answer names what would be enough', async () => {
    const token = { ...limited, permissions: { contents: 'write', issues: 'read' } } as const;
    const { as, github } = await startFixture({ tokens: [token] });
    github.commit({ branch: 'feature', files: { a: 'a' } });
    const { number } = github.openPullRequest({ head: 'feature', base: 'main' });
    const request = as(token.token).rest.issues.createComment({ ...repo, issue_number: number, body: 'x' });
    expect(await refusal(request)).toEqual({ status: 403, message: 'Resource not accessible by integration' });
    const error = (await request.catch((reason) => reason)) as { response: { headers: Record<string, string> } };
    expect(error.response.headers['x-accepted-github-permissions']).toBe('issues=write; pull_requests=write');
    expect(github.comments(number)).toEqual([]);
  });

  test('either of two permissions lets a pull request be commented on', async () => {
    for (const permission of ['issues', 'pull-requests'] as const) {
      const token = { ...limited, permissions: { [permission]: 'write' } };
      const { as, github } = await startFixture({ tokens: [token] });
      github.commit({ branch: 'feature', files: { a: 'a' } });
      const { number } = github.openPullRequest({ head: 'feature', base: 'main' });
      await as(token.token).rest.issues.createComment({ ...repo, issue_number: number, body: 'x' });
      expect(github.comments(number)).toHaveLength(1);
    }
  });

  test('reading without the permission works in a public repository and not in a private one', async () => {
    const token = { ...limited, permissions: {} };
    const open = await startFixture({ tokens: [token] });
    await open.as(token.token).rest.repos.listCommits(repo);
    const closed = await startFixture({ tokens: [token], private: true });
    expect((await refusal(closed.as(token.token).rest.repos.listCommits(repo))).status).toBe(403);
    expect((await closed.as(token.token).rest.repos.get(repo)).data.private).toBe(true);
  });

  test('a personal token is told so', async () => {
    const token = { ...USER, permissions: {} };
    const { as, root } = await startFixture({ tokens: [token] });
    const request = as(token.token).rest.repos.createCommitStatus({ ...repo, sha: root, state: 'success' });
    expect((await refusal(request)).message).toBe('Resource not accessible by personal access token');
  });
});

describe('requests', () => {
  test('an invalid request is answered with 422 and is reported', async () => {
    const { octokit, github } = await startFixture();
    github.commit({ branch: 'feature', files: { a: 'a' } });
    github.openPullRequest({ head: 'feature', base: 'main' });
    const request = octokit.request('POST /repos/{owner}/{repo}/issues/1/comments', { ...repo, text: 'x' });
    expect(await refusal(request)).toEqual({ status: 422, message: 'Invalid request.\n\n"body" wasn\'t supplied.' });
    expect(github.violations).toEqual([
      "request issues/create-comment: /requestBody must have required property 'body'",
    ]);
  });

  test('a body that is no JSON is answered with 400', async () => {
    const { github } = await startFixture();
    const response = await fetch(`${github.url}/repos/${OWNER}/${REPO}/check-runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${BOT.token}` },
      body: '{"name":',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: 'Problems parsing JSON' });
    expect(github.requests[0]?.body).toBe('{"name":');
  });

  test('an unknown route is 404 and is reported', async () => {
    const { octokit, github } = await startFixture();
    expect((await refusal(octokit.request('GET /repos/octo-org/orders/stargazers'))).status).toBe(404);
    expect(github.violations).toEqual([
      'request GET /repos/octo-org/orders/stargazers: not among the operations of openapi.json',
    ]);
  });

  test('another repository is 404', async () => {
    const { octokit, github } = await startFixture();
    expect((await refusal(octokit.rest.repos.get({ ...repo, repo: 'other' }))).status).toBe(404);
    expect(github.violations).toEqual([]);
  });

  test('a media type that only GitHub has is 415 and is reported', async () => {
    const { octokit, github, root } = await startFixture();
    const request = octokit.rest.repos.getCommit({ ...repo, ref: root, mediaType: { format: 'diff' } });
    expect((await refusal(request)).status).toBe(415);
    expect(github.violations).toHaveLength(1);
  });

  test('every request is recorded with its body and its status', async () => {
    const { octokit, github, root } = await startFixture();
    await octokit.rest.repos.createCommitStatus({ ...repo, sha: root, state: 'success', context: 'orders' });
    await octokit.rest.repos.listCommits({ ...repo, per_page: 1 });
    expect(github.requests).toEqual([
      {
        method: 'POST',
        path: `/repos/octo-org/orders/statuses/${root}`,
        operation: 'repos/create-commit-status',
        status: 201,
        body: { state: 'success', context: 'orders' },
      },
      {
        method: 'GET',
        path: '/repos/octo-org/orders/commits?per_page=1',
        operation: 'repos/list-commits',
        status: 200,
      },
    ]);
  });

  test('a test can answer in the place of GitHub', async () => {
    let failures = 1;
    const { octokit, github } = await startFixture({
      intercept(_request, response, operation) {
        if (operation !== 'repos/get' || failures-- <= 0) return false;
        response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Unicorn!</h1>');
        return true;
      },
    });
    await expect(octokit.rest.repos.get(repo)).rejects.toMatchObject({ status: 502 });
    expect((await octokit.rest.repos.get(repo)).data.full_name).toBe('octo-org/orders');
    expect(github.requests.map(({ status }) => status)).toEqual([502, 200]);
  });

  test('a connection that a test cuts has status 0', async () => {
    const { octokit, github } = await startFixture({
      intercept(request) {
        request.socket.destroy();
        return true;
      },
    });
    await expect(octokit.rest.repos.get(repo)).rejects.toThrow();
    expect(github.requests).toMatchObject([{ operation: 'repos/get', status: 0 }]);
  });
});

describe('responses', () => {
  test('a response that violates the description becomes a 500 and is reported', async () => {
    const defaultBranch = 42 as unknown as string;
    const github = await startGitHub({ tokens: [BOT], repository: { owner: OWNER, name: REPO, defaultBranch } });
    onTestFinished(() => github.close());
    const octokit = getOctokit(BOT.token, { baseUrl: github.url });
    expect(await refusal(octokit.rest.repos.get(repo))).toEqual({
      status: 500,
      message: 'Violation of the OpenAPI description, response repos/get 200: /default_branch must be string',
    });
    expect(github.violations).toEqual(['response repos/get 200: /default_branch must be string']);
  });

  test('that this server fails to make become a 500 and are reported', async () => {
    const github = await startGitHub({
      tokens: [{ ...USER, login: undefined as unknown as string }],
      repository: { owner: OWNER, name: REPO },
    });
    onTestFinished(() => github.close());
    const octokit = getOctokit(USER.token, { baseUrl: github.url });
    expect((await refusal(octokit.rest.users.getAuthenticated())).status).toBe(500);
    expect(github.violations).toEqual([expect.stringContaining('TypeError')]);
  });

  test('carry the headers that clients look at', async () => {
    const { octokit } = await startFixture();
    const { headers } = await octokit.rest.repos.get(repo);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['x-github-media-type']).toBe('github.v3; format=json');
    expect(headers['x-github-request-id']).toMatch(/^[0-9A-F]{4}(:1){4}$/);
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '999' });
  });

  test('the rate limit counts per token, ends in 403, and begins anew after an hour', async () => {
    const { octokit, as, advance, github } = await startFixture();
    const get = (token: string) =>
      fetch(`${github.url}/repos/${OWNER}/other`, { headers: { authorization: `token ${token}` } });
    for (let sent = 0; sent < 1000; sent += 50) await Promise.all(Array.from({ length: 50 }, () => get(BOT.token)));
    expect(await refusal(octokit.rest.repos.get(repo))).toEqual({
      status: 403,
      message: 'API rate limit exceeded for github-actions[bot].',
    });
    const { data } = await octokit.rest.rateLimit.get();
    expect(data.resources.core).toMatchObject({ limit: 1000, remaining: 0, reset: Date.UTC(2026, 0, 1, 1) / 1000 });
    expect((await as(USER.token).rest.repos.get(repo)).headers['x-ratelimit-remaining']).toBe('4999');
    advance(3600);
    expect((await octokit.rest.repos.get(repo)).headers['x-ratelimit-remaining']).toBe('999');
  });
});

test('a GitHub Enterprise Server has its API below a path', async () => {
  const { octokit, github } = await startFixture({ pathPrefix: '/api/v3' });
  expect(github.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v3$/);
  const { data } = await octokit.rest.repos.get(repo);
  expect(data.url).toBe(`${github.url}/repos/octo-org/orders`);
  expect(data.html_url).toBe(`${github.url.replace('/api/v3', '')}/octo-org/orders`);
  expect(await octokit.graphql('query{viewer{login}}')).toEqual({ viewer: { login: 'github-actions[bot]' } });
  for (let i = 0; i < 2; i++) github.commit({ branch: 'main', files: { a: String(i) } });
  const commits = await octokit.paginate(octokit.rest.repos.listCommits, { ...repo, per_page: 1 });
  expect(commits).toHaveLength(3);
  expect((await fetch(`${github.url.replace('/api/v3', '')}/repos/octo-org/orders`)).status).toBe(404);
});
