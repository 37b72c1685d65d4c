import { describe, expect, it } from 'vitest';
import type { GitHub } from '../../src/github/client.ts';
import { publishStickyComment } from '../../src/github/sticky-comment.ts';
import { BOT, OWNER, REPO, startFixture, USER } from '../cloud/github/fixture.ts';

const repository = { serverUrl: 'https://github.example.com', owner: OWNER, name: REPO };

function body(text: string, { key = 'orders', run = 5, attempt = 1 } = {}): string {
  return `<!-- lambda-profile:v1 key=${key} run=${run} attempt=${attempt} commit=abc -->\n${text}`;
}

async function start(options?: Parameters<typeof startFixture>[0]) {
  const fixture = await startFixture(options);
  fixture.github.commit({ branch: 'topic', parents: [fixture.root], files: { a: '1\n' } });
  const { number } = fixture.github.openPullRequest({ head: 'topic', base: 'main' });
  const publish = (text: string, { id = 5, attempt = 1, key = 'orders', create = true } = {}) =>
    publishStickyComment(fixture.octokit as GitHub, repository, {
      pullRequest: number,
      key,
      run: { id, attempt },
      body: body(text, { key, run: id, attempt }),
      create,
    });
  return { ...fixture, number, publish };
}

describe('publishStickyComment()', () => {
  it('creates one comment, then updates it', async () => {
    const { github, number, publish } = await start();
    expect((await publish('first')).outcome).toBe('created');
    expect((await publish('second', { id: 6 })).outcome).toBe('updated');
    expect(github.comments(number).map(({ body }) => body.split('\n')[1])).toEqual(['second']);
    expect(github.violations).toEqual([]);
  });

  it('keeps a comment for each key', async () => {
    const { github, number, publish } = await start();
    await publish('orders');
    await publish('stock', { key: 'stock' });
    expect(github.comments(number)).toHaveLength(2);
  });

  it('finds its comment behind two hundred others', async () => {
    const { as, number, publish, github } = await start();
    await publish('first');
    const user = as(USER.token);
    for (let i = 0; i < 205; i++)
      await user.rest.issues.createComment({ owner: OWNER, repo: REPO, issue_number: number, body: `+${i}` });
    expect((await publish('second')).outcome).toBe('updated');
    expect(github.comments(number)).toHaveLength(206);
  });

  it('does not take a comment of somebody else for its own, marker or not', async () => {
    const { as, number, publish, github } = await start();
    await as(USER.token).rest.issues.createComment({
      owner: OWNER,
      repo: REPO,
      issue_number: number,
      body: body('forged', { run: 99 }),
    });
    expect((await publish('ours')).outcome).toBe('created');
    expect(github.comments(number).map(({ login }) => login)).toEqual([USER.login, BOT.login]);
  });

  it('leaves the result of a newer run or attempt alone', async () => {
    const { github, number, publish } = await start();
    await publish('newer', { id: 9, attempt: 2 });
    expect((await publish('older', { id: 8 })).outcome).toBe('newer-exists');
    expect((await publish('older', { id: 9, attempt: 1 })).outcome).toBe('newer-exists');
    expect(github.comments(number)[0]!.body).toContain('newer');
  });

  it('removes its own repetitions, the older comment stays', async () => {
    const { octokit, github, number, publish } = await start();
    for (const text of ['a', 'b'])
      await octokit.rest.issues.createComment({
        owner: OWNER,
        repo: REPO,
        issue_number: number,
        body: body(text, { run: 1 }),
      });
    const [oldest] = github.comments(number);
    await publish('now');
    expect(github.comments(number).map(({ id }) => id)).toEqual([oldest!.id]);
  });

  it('creates nothing when there is nothing to say, but updates what was said', async () => {
    const { github, number, publish } = await start();
    expect((await publish('pass', { create: false })).outcome).toBe('not-needed');
    expect(github.comments(number)).toHaveLength(0);
    await publish('fail');
    expect((await publish('pass', { create: false })).outcome).toBe('updated');
  });

  it('names the missing permission instead of failing', async () => {
    const { publish } = await start({
      tokens: [{ ...BOT, permissions: { contents: 'read', 'pull-requests': 'read', issues: 'read' } }],
    });
    expect(await publish('text')).toEqual({
      outcome: 'failed',
      message: expect.stringContaining('permissions: pull-requests: write'),
    });
  });

  it('points to the summary when GitHub does not take the text', async () => {
    const { publish } = await start();
    expect(await publish('x'.repeat(70_000))).toEqual({
      outcome: 'failed',
      message: expect.stringContaining('job summary'),
    });
  });
});
