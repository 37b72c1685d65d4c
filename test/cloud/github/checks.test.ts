import { describe, expect, test } from 'vitest';
import { refusal, repo, startFixture, USER } from './fixture.ts';

const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'warning', message: 'slower' } as const;

describe('check runs', () => {
  test('start, gather annotations over requests, and are completed', async () => {
    const { github, octokit, advance } = await startFixture();
    const { checks } = octokit.rest;
    const head_sha = github.commit({ branch: 'feature', files: { a: 'a' } });
    github.openPullRequest({ head: 'feature', base: 'main' });

    const { data: run } = await checks.create({ ...repo, name: 'orders', head_sha, status: 'in_progress' });
    expect(run).toMatchObject({
      status: 'in_progress',
      conclusion: null,
      completed_at: null,
      app: { slug: 'github-actions' },
      pull_requests: [{ number: 1 }],
    });
    const output = { title: 'Slower', summary: 'By **12 %**' };
    const id = { ...repo, check_run_id: run.id };
    await checks.update({ ...id, output: { ...output, annotations: Array(50).fill(annotation) } });
    advance(30);
    const { data: done } = await checks.update({
      ...id,
      conclusion: 'failure',
      output: { ...output, text: 'Details', annotations: [annotation] },
    });
    expect(done).toMatchObject({
      status: 'completed',
      conclusion: 'failure',
      started_at: '2026-01-01T00:00:00Z',
      completed_at: '2026-01-01T00:00:30Z',
      output: { ...output, text: 'Details', annotations_count: 51 },
    });
    expect((await checks.get(id)).data).toEqual(done);
    expect(github.checkRuns(head_sha)).toMatchObject([
      { id: run.id, name: 'orders', status: 'completed', conclusion: 'failure', output },
    ]);
    const listed = github.checkRuns(head_sha)[0]?.output as { annotations: unknown[] };
    expect(listed.annotations).toHaveLength(51);
    expect(github.violations).toEqual([]);
  });

  test('of one name are listed by the latest, or all', async () => {
    const { octokit, root } = await startFixture();
    const { checks } = octokit.rest;
    const create = async (name: string) => (await checks.create({ ...repo, name, head_sha: root })).data.id;
    const [first, second, other] = [await create('orders'), await create('orders'), await create('other')];
    const list = async (filter: object) => (await checks.listForRef({ ...repo, ref: 'main', ...filter })).data;
    expect((await list({})).check_runs.map(({ id }) => id)).toEqual([other, second]);
    const all = await list({ filter: 'all', check_name: 'orders' });
    expect([all.total_count, all.check_runs.map(({ id }) => id)]).toEqual([2, [second, first]]);
    expect((await list({ status: 'completed' })).total_count).toBe(0);
  });

  test('are refused for people, for other apps, for unknown commits, and when incomplete', async () => {
    const other = { token: 'other-token', login: 'other-app[bot]', type: 'Bot' } as const;
    const bot = { token: 'bot-token', login: 'github-actions[bot]', type: 'Bot' } as const;
    const { as, root } = await startFixture({ tokens: [bot, other, USER] });
    const run = { ...repo, name: 'orders', head_sha: root };
    const { checks } = as(bot.token).rest;
    expect(await refusal(as(USER.token).rest.checks.create(run))).toEqual({
      status: 403,
      message: 'You must authenticate via a GitHub App.',
    });
    expect(await refusal(checks.create({ ...run, head_sha: 'a'.repeat(40) }))).toMatchObject({ status: 422 });
    const incomplete = checks.create({ ...run, status: 'completed' });
    expect((await refusal(incomplete)).message).toContain('"conclusion" wasn\'t supplied.');
    const { data } = await checks.create(run);
    const update = as(other.token).rest.checks.update({ ...repo, check_run_id: data.id, conclusion: 'success' });
    expect((await refusal(update)).message).toContain('can only be modified by the GitHub App that created it');
    expect((await refusal(checks.get({ ...repo, check_run_id: 1 }))).status).toBe(404);
  });
});
