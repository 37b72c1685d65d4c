import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, type Scenario, sampleFunction, startScenario } from './scenario.ts';

// Both versions are there: they are measured at the same time, and no recording is needed.

let scenario: Scenario;
let base: string;
let head: string;
const load = { concurrency: '5', invocations: '150', 'warmup-invocations': '75' };

beforeAll(async () => {
  scenario = await startScenario();
  base = await scenario.deploy('orders', sampleFunction());
  head = await scenario.deploy('orders', sampleFunction(true));
});
afterAll(() => scenario.close());

describe('base-qualifier', () => {
  it('compares two versions that were invoked call by call, and stores nothing', async () => {
    const { github, s3 } = scenario.cloud;
    const tip = github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
    github.commit({ branch: 'fair-discounts', parents: [tip], files: { 'src/promotions.mjs': '' } });
    const { number, mergeSha } = github.openPullRequest({ head: 'fair-discounts', base: 'main' });
    const { exitCode, outputs, report, log } = await scenario.run({
      eventName: 'pull_request',
      event: github.pullRequestEvent(number),
      sha: mergeSha,
      inputs: { ...load, qualifier: head, 'base-qualifier': base },
    });
    expect(log).toContain(`Invoke orders:${base} and orders:${head}`);
    expect(outputs.verdict).toBe('fail');
    expect(exitCode).toBe(1);
    expect(report.verdict.regressed).toContain('bestDiscount');
    expect(outputs['baseline-commit']).toBe(tip);
    const { base: measured } = report as unknown as { base: { functionVersion: string; relation: string } };
    expect(measured).toMatchObject({ functionVersion: base, relation: 'base version, measured at the same time' });
    expect(s3.objects(BUCKET, 'lambda-profile/')).toEqual([]);
  });

  it('says when the base version is not there', async () => {
    const { exitCode, report } = await scenario.run({
      sha: scenario.cloud.github.commit({ branch: 'main', files: { a: '1' } }),
      inputs: { ...load, qualifier: head, 'base-qualifier': '99' },
    });
    expect(exitCode).toBe(1);
    expect(report.verdict.headline).toBe('Not measured: Cannot find the function orders:99.');
    expect(report.verdict.next).toContain('It was looked for in eu-west-1.');
  });
});
