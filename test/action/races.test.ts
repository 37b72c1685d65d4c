import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, type Scenario, sampleFunction, startScenario } from './scenario.ts';

// Jobs that know nothing of each other and run at the same time: one wins, the others agree or say what they found.

let scenario: Scenario;
let tip: string;
let version: string;
const load = { concurrency: '5', invocations: '60', 'warmup-invocations': '10', 'update-baseline': 'true' };

beforeAll(async () => {
  scenario = await startScenario();
  tip = scenario.cloud.github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
  version = await scenario.deploy('orders', sampleFunction());
});
afterAll(() => scenario.close());

const push = (sha: string, inputs: Record<string, string> = {}) =>
  scenario.run({
    sha,
    event: scenario.cloud.github.pushEvent('main'),
    inputs: { ...load, qualifier: version, ...inputs },
  });

/** Objects of a commit's recording, with key when there is one; every profile is what its manifest says. */
function recordingOf(commit: string, name = 'orders') {
  const folder = `lambda-profile/recordings/${name}/${commit}/`;
  const objects = scenario.cloud.s3.objects(BUCKET, folder);
  const manifest = objects.find(({ key }) => key === `${folder}recording.json`)!;
  const { run, profiles } = JSON.parse(manifest.body.toString()) as {
    run: string;
    profiles: { file: string; sha256: string }[];
  };
  for (const { file, sha256 } of profiles) {
    const { body } = objects.find(({ key }) => key === folder + file)!;
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256);
  }
  return { run, manifest: manifest.body.toString() };
}

const told = (log: string): 'stored' | 'kept' | undefined =>
  /[0-9a-f]{7} stored/.test(log) ? 'stored' : log.includes('has one already: kept') ? 'kept' : undefined;

const INTERFERENCE = 'another run measured it at the same time';

/** All meet the same instances: one that got nothing of its own says why. */
function expectOneWinner(runs: Awaited<ReturnType<typeof push>>[]): void {
  expect(runs.filter(({ log }) => told(log) === 'stored')).toHaveLength(1);
  for (const { exitCode, log, report } of runs.filter((run) => told(run.log) !== 'stored'))
    if (exitCode === 0) expect(told(log)).toBe('kept');
    else expect(report.verdict.headline).toContain(INTERFERENCE);
}

describe('two runs for one commit', { timeout: 180_000 }, () => {
  it('leave the recording of one of them, whole, and the other says that it was kept', async () => {
    const runs = await Promise.all([push(tip), push(tip)]);
    expectOneWinner(runs);
    recordingOf(tip);
  });

  it('do not change what an earlier one stored', async () => {
    const before = recordingOf(tip).manifest;
    const { log } = await push(tip);
    expect(told(log)).toBe('kept');
    expect(recordingOf(tip).manifest).toBe(before);
  });
});

describe('two legs of a matrix', { timeout: 180_000 }, () => {
  it('with keys of their own store and show a result each', async () => {
    const { github } = scenario.cloud;
    github.commit({ branch: 'legs', parents: [tip], files: { 'docs/legs.md': 'a\n' } });
    const { number, mergeSha } = github.openPullRequest({ head: 'legs', base: 'main' });
    const event = github.pullRequestEvent(number);
    const leg = (key: string) =>
      scenario.run({
        eventName: 'pull_request',
        event,
        sha: mergeSha,
        runId: 700,
        inputs: { ...load, qualifier: version, 'comment-key': key },
      });
    const legs = await Promise.all([leg('small'), leg('large')]);
    for (const { exitCode, log, report } of legs)
      if (exitCode === 0) expect(told(log)).toBe('stored');
      else expect(report.verdict.headline).toContain(INTERFERENCE);
    expect(legs.some(({ exitCode }) => exitCode === 0)).toBe(true);
    expect(github.comments(number)).toHaveLength(2);
  });

  it('with the same key end in one comment and one recording', async () => {
    const { github } = scenario.cloud;
    github.commit({ branch: 'same', parents: [tip], files: { 'docs/same.md': 'a\n' } });
    const { number, mergeSha } = github.openPullRequest({ head: 'same', base: 'main' });
    const event = github.pullRequestEvent(number);
    const leg = () =>
      scenario.run({
        eventName: 'pull_request',
        event,
        sha: mergeSha,
        runId: 701,
        inputs: { ...load, qualifier: version },
      });
    const legs = await Promise.all([leg(), leg()]);
    expectOneWinner(legs);
    recordingOf(mergeSha);
    const comments = github.comments(number);
    expect(comments).toHaveLength(1);
    for (const { outputs } of legs) expect(outputs['comment-url']).toContain(`issuecomment-${comments[0]!.id}`);
  });
});

describe('a push to the base branch during a run of a pull request', { timeout: 180_000 }, () => {
  it('changes neither what the pull request is compared with nor what is recorded of either', async () => {
    const { github } = scenario.cloud;
    github.commit({ branch: 'during', parents: [tip], files: { 'docs/during.md': 'a\n' } });
    const { number, mergeSha } = github.openPullRequest({ head: 'during', base: 'main' });
    const event = github.pullRequestEvent(number);
    let pushed: ReturnType<typeof push> | undefined;
    let next = '';
    const result = await scenario.run({
      eventName: 'pull_request',
      event,
      sha: mergeSha,
      inputs: { ...load, qualifier: version, 'update-baseline': 'false' },
      onOutput: (text) => {
        if (pushed || !text.includes('Invoke')) return;
        next = github.commit({ branch: 'main', files: { 'docs/next.md': 'b\n' } });
        pushed = push(next);
      },
    });
    const ofPush = await pushed!;
    expect(result.outputs['baseline-commit']).toBe(tip);
    expect(told(ofPush.log)).toBe('stored');
    expect(recordingOf(next).run).not.toBe(recordingOf(tip).run);
    expect(scenario.cloud.s3.objects(BUCKET, `lambda-profile/recordings/orders/${mergeSha}/`)).toEqual([]);
    expect(github.comments(number)).toHaveLength(1);
  });
});
