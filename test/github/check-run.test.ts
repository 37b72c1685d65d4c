import { describe, expect, it } from 'vitest';
import { renderCheck, startCheckRun } from '../../src/github/check-run.ts';
import type { GitHub } from '../../src/github/client.ts';
import { BOT, OWNER, REPO, startFixture } from '../cloud/github/fixture.ts';
import { hostileNames, hostileReport, samples } from '../report/samples.ts';

const repository = { serverUrl: 'https://github.example.com', owner: OWNER, name: REPO };
const settings = { failOnError: true };

describe('renderCheck()', () => {
  it.each([
    ['regression', 'failure'],
    ['warning', 'neutral'],
    ['pass', 'success'],
    ['improvement', 'success'],
    ['accepted', 'success'],
    ['inconclusive', 'neutral'],
    ['first-run', 'neutral'],
    ['skipped', 'neutral'],
    ['error', 'failure'],
  ] as const)('concludes a report of %s with %s', (state, conclusion) => {
    const check = renderCheck(samples[state]!, settings);
    expect(check.conclusion).toBe(conclusion);
    expect(check.title).toBe(samples[state]!.verdict.headline);
    expect(check.summary).not.toContain('<!--');
  });

  it('follows what the user wants to fail', () => {
    expect(renderCheck(samples.error!, { failOnError: false }).conclusion).toBe('neutral');
    expect(renderCheck(samples.inconclusive!, { failOnError: true, failOnInconclusive: true }).conclusion).toBe(
      'failure',
    );
  });

  it('stays within the limits of GitHub whatever the names are', () => {
    for (const name of hostileNames) {
      const { title, summary } = renderCheck(hostileReport(name), settings);
      expect([...title].length).toBeLessThanOrEqual(250);
      expect(title).not.toMatch(/[\p{Cc}]/u);
      expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(65_535);
    }
  });
});

describe('startCheckRun()', () => {
  it('shows the check in progress, then completed', async () => {
    const { github, octokit, root } = await startFixture();
    const warnings: string[] = [];
    const check = {
      name: 'profile',
      headSha: root,
      detailsUrl: 'https://github.example.com/octo-org/orders/actions/runs/7',
    };
    const run = await startCheckRun(octokit as GitHub, repository, check, (text) => warnings.push(text));
    expect(github.checkRuns(root)).toMatchObject([{ name: 'profile', status: 'in_progress', conclusion: null }]);
    await run!.complete(renderCheck(samples.regression!, settings));
    expect(github.checkRuns(root)).toMatchObject([
      { status: 'completed', conclusion: 'failure', output: { title: samples.regression!.verdict.headline } },
    ]);
    expect(github.violations).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('warns which permission is missing, and goes on without', async () => {
    const { octokit, root } = await startFixture({ tokens: [{ ...BOT, permissions: { contents: 'read' } }] });
    const warnings: string[] = [];
    const check = { name: 'profile', headSha: root, detailsUrl: 'https://github.example.com' };
    expect(await startCheckRun(octokit as GitHub, repository, check, (text) => warnings.push(text))).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('`permissions: checks: write`')]);
  });
});
