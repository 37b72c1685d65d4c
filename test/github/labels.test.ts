import { describe, expect, it } from 'vitest';
import type { GitHub } from '../../src/github/client.ts';
import { fetchAcceptance } from '../../src/github/labels.ts';
import { OWNER, REPO, repo, startFixture } from '../cloud/github/fixture.ts';

const LABEL = 'perf-regression-accepted';

async function start() {
  const fixture = await startFixture();
  const { github, octokit, root } = fixture;
  github.commit({ branch: 'topic', parents: [root], files: { a: '1\n' } });
  const { number } = github.openPullRequest({ head: 'topic', base: 'main' });
  const repository = { serverUrl: 'https://github.example.com', owner: OWNER, name: REPO };
  const fetch = (label = LABEL) => fetchAcceptance(octokit as GitHub, repository, number, label);
  return { ...fixture, number, fetch };
}

describe('fetchAcceptance()', () => {
  it('tells who set the label and when', async () => {
    const { github, number, fetch, advance } = await start();
    expect(await fetch()).toBeUndefined();
    advance(60);
    github.label(number, LABEL, 'hubot');
    expect(await fetch()).toEqual({ label: LABEL, login: 'hubot', at: '2026-01-01T00:01:00Z' });
    expect(github.violations).toEqual([]);
  });

  it('does not care for case, nor for other labels', async () => {
    const { github, number, fetch } = await start();
    github.label(number, 'bug');
    expect(await fetch()).toBeUndefined();
    github.label(number, LABEL);
    expect(await fetch(LABEL.toUpperCase())).toMatchObject({ label: LABEL, login: 'octocat' });
  });

  it('takes the last to set it, and nobody once it is removed', async () => {
    const { github, octokit, number, fetch } = await start();
    github.label(number, LABEL, 'octocat');
    await octokit.rest.issues.removeLabel({ ...repo, issue_number: number, name: LABEL });
    expect(await fetch()).toBeUndefined();
    github.label(number, LABEL, 'hubot');
    expect(await fetch()).toMatchObject({ login: 'hubot' });
  });
});
