import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOB_TOKEN } from '../cloud/cloud.ts';
import { BUCKET, type SavedReport, type Scenario, sampleFunction, startScenario } from './scenario.ts';

// A job is cancelled while its calls are in flight: GitHub sends SIGINT to the process.

let scenario: Scenario;
let directory: string;
let sha: string;

beforeAll(async () => {
  scenario = await startScenario();
  directory = mkdtempSync(join(tmpdir(), 'interrupted-'));
  sha = scenario.cloud.github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
  await scenario.deploy('orders', sampleFunction());
});
afterAll(async () => {
  await scenario.close();
  rmSync(directory, { recursive: true, force: true });
});

function start(inputs: Record<string, string>): ChildProcess {
  mkdirSync(join(directory, 'temp'));
  for (const name of ['output', 'summary']) writeFileSync(join(directory, name), '');
  writeFileSync(join(directory, 'event.json'), '{}');
  const given = Object.entries({ 'function-name': 'orders', 's3-bucket': BUCKET, ...inputs });
  return spawn(process.execPath, [fileURLToPath(new URL('../../dist/action.js', import.meta.url))], {
    cwd: directory,
    env: {
      PATH: process.env.PATH ?? '',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_EVENT_PATH: join(directory, 'event.json'),
      GITHUB_SHA: sha,
      GITHUB_RUN_ID: '77',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_OUTPUT: join(directory, 'output'),
      GITHUB_STEP_SUMMARY: join(directory, 'summary'),
      RUNNER_TEMP: join(directory, 'temp'),
      ...scenario.cloud.jobEnvironment,
      ...Object.fromEntries(given.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('a cancelled job', () => {
  it('publishes what it measured, stores no baseline, and ends with nothing in flight', async () => {
    const child = start({
      concurrency: '5',
      invocations: '100000',
      'warmup-invocations': '10',
      'update-baseline': 'true',
      'github-token': JOB_TOKEN,
    });
    let log = '';
    const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal })),
    );
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const before = log;
      log += text;
      if (!/measured \d+ of/.test(before) && /measured \d+ of/.test(log)) child.kill('SIGINT');
    });
    const { code, signal } = await ended;
    expect(signal).toBeNull();
    expect(code).toBe(0);
    expect(log).toContain('SIGINT: no further call is sent; what was measured is published.');

    const saved = join(directory, 'temp/lambda-profile/orders-report.json');
    expect(existsSync(saved)).toBe(true);
    const report = JSON.parse(readFileSync(saved, 'utf8')) as SavedReport & { head: { invocations: { sent: number } } };
    expect(report.verdict).toMatchObject({ kind: 'inconclusive', next: 'Run the job again.' });
    expect(report.verdict.headline).toBe('orders: cancelled before all of it was measured');
    expect(report.warnings.join()).toMatch(/The job was cancelled after \d+ invocations of orders/);
    expect(readFileSync(join(directory, 'summary'), 'utf8')).toContain('cancelled');
    expect(readFileSync(join(directory, 'output'), 'utf8')).toContain('head-profile');
    expect(scenario.cloud.s3.objects(BUCKET, 'lambda-profile/')).toEqual([]);

    const invoked = () => scenario.cloud.lambda.requests.filter(({ operation }) => operation === 'Invoke').length;
    const after = invoked();
    expect(scenario.cloud.lambda.instances().every(({ frozen }) => frozen)).toBe(true);
    expect(invoked()).toBe(after);
  });
});
