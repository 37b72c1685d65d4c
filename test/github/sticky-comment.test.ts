import { describe, expect, it } from 'vitest';
import type { GitHub } from '../../src/github/client.ts';
import { publishStickyComment } from '../../src/github/sticky-comment.ts';
import { seededRandom } from '../../src/seeded-random.ts';
import { BOT, OWNER, REPO, startFixture, USER } from '../cloud/github/fixture.ts';

const jitter = { sleep: async () => {}, random: () => 0.5 };
const repository = { serverUrl: 'https://github.example.com', owner: OWNER, name: REPO };

function body(text: string, { key = 'orders', run = 5, attempt = 1 } = {}): string {
  return `<!-- lambda-profile:v1 key=${key} run=${run} attempt=${attempt} commit=abc -->\n${text}`;
}

async function start(options?: Parameters<typeof startFixture>[0]) {
  const fixture = await startFixture(options);
  fixture.github.commit({ branch: 'topic', parents: [fixture.root], files: { a: '1\n' } });
  const { number } = fixture.github.openPullRequest({ head: 'topic', base: 'main' });
  const publish = (text: string, { id = 5, attempt = 1, key = 'orders', create = true } = {}) =>
    publishStickyComment(
      fixture.octokit as GitHub,
      repository,
      {
        pullRequest: number,
        key,
        run: { id, attempt },
        body: body(text, { key, run: id, attempt }),
        create,
      },
      jitter,
    );
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

describe('concurrent writers', () => {
  /** Waits until every other writer waits or is done: a delay that is longer than any list and write. */
  function createBarrier(writers: number) {
    let active = writers;
    let waiting: (() => void)[] = [];
    const releaseWhenAllWait = (): void => {
      if (waiting.length < active) return;
      for (const release of waiting.splice(0)) release();
    };
    return {
      sleep: () =>
        new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
          releaseWhenAllWait();
        }),
      done() {
        active--;
        releaseWhenAllWait();
      },
    };
  }

  /** Holds every request back for a few turns of the event loop, another number each time. */
  function holdBack(seed: string) {
    const random = seededRandom(seed);
    return async () => {
      for (let turns = Math.floor(random() * 40); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve));
      return false;
    };
  }

  const seeds = Array.from({ length: 20 }, (_, i) => `${i}`);

  it.each(seeds)('converge to one comment with the newest result (%s)', async (seed) => {
    const { github, number, as } = await start({ intercept: holdBack(seed) });
    const barrier = createBarrier(2);
    const write = async (id: number) => {
      const comment = { pullRequest: number, key: 'orders', run: { id, attempt: 1 }, create: true };
      const text = body(`run ${id}`, { run: id });
      const random = () => 0;
      try {
        return await publishStickyComment(
          as(BOT.token) as GitHub,
          repository,
          { ...comment, body: text },
          { sleep: barrier.sleep, random },
        );
      } finally {
        barrier.done();
      }
    };
    // The older run starts first, second, or the comment is there already.
    const runs = Number(seed) % 2 ? [6, 5] : [5, 6];
    if (Number(seed) % 4 === 3) {
      const octokit = as(BOT.token);
      await octokit.rest.issues.createComment({
        owner: OWNER,
        repo: REPO,
        issue_number: number,
        body: body('old', { run: 1 }),
      });
    }
    const results = await Promise.all(runs.map(write));
    expect(github.comments(number).map(({ body }) => body.split('\n')[1])).toEqual(['run 6']);
    expect(results.map(({ outcome }) => outcome)).not.toContain('failed');
    expect(github.violations).toEqual([]);
  });

  it.each(seeds)('keep one comment for each key (%s)', async (seed) => {
    const { github, number, publish } = await start({ intercept: holdBack(`keys ${seed}`) });
    await Promise.all(['orders', 'stock'].map((key) => publish(key, { key })));
    expect(
      github
        .comments(number)
        .map(({ body }) => body.split('\n')[1])
        .sort(),
    ).toEqual(['orders', 'stock']);
  });

  it('write again when an older run overwrote the result after all, a bounded number of times', async () => {
    const { github, octokit, number } = await start();
    let sleeps = 0;
    const overwrite = async () => {
      sleeps++;
      const [comment] = github.comments(number);
      await octokit.rest.issues.updateComment({
        owner: OWNER,
        repo: REPO,
        comment_id: comment!.id,
        body: body('old', { run: 1 }),
      });
    };
    const comment = { pullRequest: number, key: 'orders', run: { id: 5, attempt: 1 }, body: body('new'), create: true };
    const publish = (sleep: () => Promise<void>) =>
      publishStickyComment(octokit as GitHub, repository, comment, { sleep, random: () => 0 });
    expect((await publish(overwrite)).outcome).toBe('created');
    expect(sleeps).toBe(4);
    await publish(() => (sleeps++ < 6 ? overwrite() : Promise.resolve()));
    expect(github.comments(number).map(({ body }) => body.split('\n')[1])).toEqual(['new']);
  });

  it('create it anew when somebody deletes it meanwhile', async () => {
    const { github, octokit, number } = await start();
    let deleted = false;
    const sleep = async () => {
      if (deleted) return;
      deleted = true;
      await octokit.rest.issues.deleteComment({ owner: OWNER, repo: REPO, comment_id: github.comments(number)[0]!.id });
    };
    const comment = { pullRequest: number, key: 'orders', run: { id: 5, attempt: 1 }, body: body('new'), create: true };
    expect(
      (await publishStickyComment(octokit as GitHub, repository, comment, { sleep, random: () => 0 })).outcome,
    ).toBe('created');
    expect(github.comments(number)).toHaveLength(1);
  });
});
