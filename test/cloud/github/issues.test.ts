import { describe, expect, test } from 'vitest';
import { refusal, repo, startFixture, USER } from './fixture.ts';

const MARKER = '<!-- lambda-profile:orders -->';

async function startWithPull() {
  const fixture = await startFixture();
  fixture.github.commit({ branch: 'feature', files: { a: 'a' } });
  const { number } = fixture.github.openPullRequest({ head: 'feature', base: 'main' });
  return { ...fixture, issue: { ...repo, issue_number: number }, number };
}

describe('comments', () => {
  test('a sticky comment is found among more than a hundred, updated in place, and deleted', async () => {
    const { github, octokit, as, issue, number, advance } = await startWithPull();
    const { issues } = octokit.rest;
    for (let i = 0; i < 120; i++) await as(USER.token).rest.issues.createComment({ ...issue, body: `comment ${i}` });
    const { data: created } = await issues.createComment({ ...issue, body: `${MARKER}\nλ 😀` });
    for (let i = 0; i < 100; i++) await as(USER.token).rest.issues.createComment({ ...issue, body: `later ${i}` });

    const firstPage = await issues.listComments({ ...issue, per_page: 100 });
    expect(firstPage.data).toHaveLength(100);
    expect(firstPage.headers.link).toMatch(/page=2>; rel="next", <.+page=3>; rel="last"$/);
    const all = await octokit.paginate(issues.listComments, { ...issue, per_page: 100 });
    expect(all).toHaveLength(221);
    const found = all.filter(({ body, user }) => body?.startsWith(MARKER) && user?.login === 'github-actions[bot]');
    expect(found.map(({ id }) => id)).toEqual([created.id]);

    advance(90);
    const { data: updated } = await issues.updateComment({ ...repo, comment_id: created.id, body: `${MARKER}\nagain` });
    expect(updated).toMatchObject({
      body: `${MARKER}\nagain`,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:01:30Z',
      user: { login: 'github-actions[bot]', type: 'Bot' },
      performed_via_github_app: { slug: 'github-actions' },
    });
    expect((await issues.getComment({ ...repo, comment_id: created.id })).data).toEqual(updated);
    expect(github.comments(number)).toHaveLength(221);
    expect(github.comments(number)[120]).toEqual({
      id: created.id,
      login: 'github-actions[bot]',
      body: `${MARKER}\nagain`,
      createdAt: new Date('2026-01-01T00:00:00Z'),
      updatedAt: new Date('2026-01-01T00:01:30Z'),
    });

    expect((await issues.deleteComment({ ...repo, comment_id: created.id })).status).toBe(204);
    expect((await refusal(issues.getComment({ ...repo, comment_id: created.id }))).status).toBe(404);
    expect((await refusal(issues.deleteComment({ ...repo, comment_id: created.id }))).status).toBe(404);
    expect(github.comments(number)).toHaveLength(220);
    expect(github.violations).toEqual([]);
  });

  test('pages hold 30 unless asked, and never more than 100', async () => {
    const { octokit, issue } = await startWithPull();
    const { issues } = octokit.rest;
    for (let i = 0; i < 105; i++) await issues.createComment({ ...issue, body: `comment ${i}` });
    expect((await issues.listComments(issue)).data).toHaveLength(30);
    expect((await issues.listComments({ ...issue, per_page: 1000 })).data).toHaveLength(100);
    const last = await issues.listComments({ ...issue, per_page: 50, page: 3 });
    expect(last.data).toHaveLength(5);
    expect(last.headers.link).toMatch(/page=2>; rel="prev", <.+page=1>; rel="first"$/);
    const beyond = await issues.listComments({ ...issue, per_page: 50, page: 9 });
    expect(beyond.data).toEqual([]);
  });

  test('may have 65,536 characters, however many bytes they take', async () => {
    const { octokit, issue, github } = await startWithPull();
    const { data } = await octokit.rest.issues.createComment({ ...issue, body: '😀'.repeat(65536) });
    const tooLong = 'x'.repeat(65537);
    const error = {
      status: 422,
      response: {
        data: {
          message: 'Validation Failed',
          errors: [{ field: 'data', message: 'Body is too long (maximum is 65536 characters)' }],
        },
      },
    };
    await expect(octokit.rest.issues.createComment({ ...issue, body: tooLong })).rejects.toMatchObject(error);
    const update = octokit.rest.issues.updateComment({ ...repo, comment_id: data.id, body: tooLong });
    await expect(update).rejects.toMatchObject(error);
    await expect(octokit.rest.issues.createComment({ ...issue, body: ' ' })).rejects.toMatchObject({ status: 422 });
    expect(github.violations).toEqual([]);
  });

  test('have ever greater ids beyond 32 bits, and can be listed since a time', async () => {
    const { octokit, issue, advance } = await startWithPull();
    const { issues } = octokit.rest;
    const { data: first } = await issues.createComment({ ...issue, body: '1' });
    advance(60);
    const { data: second } = await issues.createComment({ ...issue, body: '2' });
    expect(first.id).toBeGreaterThan(2 ** 31);
    expect(second.id).toBeGreaterThan(first.id);
    const { data } = await issues.listComments({ ...issue, since: second.created_at });
    expect(data.map(({ body }) => body)).toEqual(['2']);
  });

  test('of a pull request that does not exist are 404', async () => {
    const { octokit } = await startWithPull();
    const create = octokit.rest.issues.createComment({ ...repo, issue_number: 99, body: 'x' });
    expect(await refusal(create)).toEqual({ status: 404, message: 'Not Found' });
  });
});

describe('labels', () => {
  test('are added, listed and removed, and the events tell by whom', async () => {
    const { github, octokit, issue, number, advance } = await startWithPull();
    const { issues } = octokit.rest;
    github.label(number, 'accept slower', 'hubot');
    advance(60);
    const { data: added } = await issues.addLabels({ ...issue, labels: ['profiled', 'Accept Slower'] });
    expect(added.map(({ name }) => name)).toEqual(['accept slower', 'profiled']);
    const { data: left } = await issues.removeLabel({ ...issue, name: 'accept slower' });
    expect(left.map(({ name }) => name)).toEqual(['profiled']);
    expect((await issues.listLabelsOnIssue(issue)).data.map(({ name }) => name)).toEqual(['profiled']);
    expect(await refusal(issues.removeLabel({ ...issue, name: 'accept slower' }))).toEqual({
      status: 404,
      message: 'Label does not exist',
    });
    const { data: events } = await issues.listEvents(issue);
    expect(
      events.map(({ event, actor, created_at, ...rest }) => [
        event,
        actor.login,
        created_at,
        'label' in rest ? rest.label?.name : '',
      ]),
    ).toEqual([
      ['labeled', 'hubot', '2026-01-01T00:00:00Z', 'accept slower'],
      ['labeled', 'github-actions[bot]', '2026-01-01T00:01:00Z', 'profiled'],
      ['unlabeled', 'github-actions[bot]', '2026-01-01T00:01:00Z', 'accept slower'],
    ]);
    expect(github.violations).toEqual([]);
  });
});
