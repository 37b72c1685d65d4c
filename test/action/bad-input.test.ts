import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, type Scenario, sampleFunction, startScenario } from './scenario.ts';

// Bad input gets one clear sentence and exit code 1; nothing is stored, nothing overwritten.

let scenario: Scenario;
let sha: string;

beforeAll(async () => {
  scenario = await startScenario();
  sha = scenario.cloud.github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
  await scenario.deploy('orders', sampleFunction());
});
afterAll(() => scenario.close());

const stored = () => scenario.cloud.s3.objects(BUCKET, 'lambda-profile/').length;

describe('the Action', () => {
  it('refuses a wrong ARN before it calls anything', async () => {
    const before = scenario.cloud.lambda.requests.length;
    const { exitCode, log, outputs } = await scenario.run({ sha, inputs: { 'function-name': 'arn:aws:s3:::orders' } });
    expect(exitCode).toBe(1);
    expect(log).toContain(
      "::error::Cannot start: Cannot use function-name 'arn:aws:s3:::orders': an ARN of a function has 7 or 8 parts",
    );
    expect(outputs).toEqual({});
    expect(scenario.cloud.lambda.requests).toHaveLength(before);
  });

  it('lists every wrong input at once', async () => {
    const { exitCode, log } = await scenario.run({
      sha,
      inputs: { concurrency: 'many', 'fail-threshold': '2x', 's3-bucket': '' },
    });
    expect(exitCode).toBe(1);
    expect(log).toContain('3 inputs are wrong');
    expect(log).toContain('concurrency must be a whole number');
    expect(log).toContain('fail-threshold must be a percentage');
    expect(log).toContain('s3-bucket is missing');
    expect(log).not.toContain('    at ');
  });

  it('reports a function that is not there', async () => {
    const { exitCode, outputs, report } = await scenario.run({ sha, inputs: { 'function-name': 'nowhere' } });
    expect(exitCode).toBe(1);
    expect(outputs.verdict).toBe('error');
    expect(report.verdict.headline).toContain('Cannot find the function nowhere');
    expect(report.verdict.next).toContain('Check the name, the region and the account');
  });

  it('reports a function that throws on every call, by the type of its error alone', async () => {
    await scenario.deploy('broken', {
      'index.mjs': "export const handler = async () => { throw new RangeError('card 4111-1111 is not ours'); };",
    });
    const before = stored();
    const { exitCode, outputs, report, log, summary } = await scenario.run({
      sha,
      inputs: { 'function-name': 'broken', 'update-baseline': 'true' },
    });
    expect(exitCode).toBe(1);
    expect(outputs.verdict).toBe('error');
    expect(report.verdict.headline).toContain('every one of its 25 invocations failed (RangeError)');
    expect(log + summary + JSON.stringify(report)).not.toContain('4111');
    expect(stored()).toBe(before);
  });

  it('reports that no agent answered, what was looked for and where', async () => {
    await scenario.deploy('bare', { 'index.mjs': 'export const handler = async () => 1;' }, { agent: false });
    const { exitCode, report } = await scenario.run({ sha, inputs: { 'function-name': 'bare' } });
    expect(exitCode).toBe(1);
    expect(report.verdict.kind).toBe('error');
    expect(report.verdict.headline).toMatch(
      /no agent answered, and no snapshot appeared in s3:\/\/octo-profiles\/sparta\/pprof\/bare\/profiles\/ within 2 s/,
    );
    expect(report.verdict.next).toContain('Attach the agent layer');
    expect(report.verdict.checks.map(({ state }) => state)).toEqual(['ok', 'failed', 'failed']);
  });

  it('does not fail the build when nothing could be measured and fail-on-error is false', async () => {
    const { exitCode, outputs } = await scenario.run({
      sha,
      inputs: { 'function-name': 'bare', 'fail-on-error': 'false' },
    });
    expect(outputs.verdict).toBe('error');
    expect(exitCode).toBe(0);
  });

  it('names the other bucket or stack when the agent published where nobody looked', async () => {
    const { report } = await scenario.run({ sha, inputs: { stack: 'elsewhere' } });
    expect(report.verdict.headline).toContain('Cannot find the snapshots that orders:$LATEST published');
    expect(report.verdict.next).toContain('LAMBDA_PROFILE_STACK');
  });

  it('skips, counts and names what is not a profile, and decides on the rest', async () => {
    let planted = false;
    const { outputs, report } = await scenario.run({
      sha,
      inputs: { 'update-baseline': 'true' },
      onOutput: (text) => {
        if (planted || !text.includes('Invoke')) return;
        planted = true;
        const folder = 'sparta/pprof/orders/profiles/cpu';
        scenario.cloud.s3.put(BUCKET, `${folder}/0-cpu.truncated.profile`, Buffer.from('1f8b0800', 'hex'));
        scenario.cloud.s3.put(BUCKET, `${folder}/1-cpu.page.profile`, '<html>503</html>');
      },
    });
    expect(outputs.verdict).toBe('no-baseline');
    expect(report.warnings.filter((warning) => warning.startsWith('Skipped'))).toHaveLength(2);
    expect(report.warnings.join()).toContain('0-cpu.truncated.profile');
    expect(stored()).toBe(2);
  });

  it('keeps the recording of a commit when the job runs again', async () => {
    const before = scenario.cloud.s3
      .objects(BUCKET, 'lambda-profile/')
      .find(({ key }) => key.endsWith('recording.json'))!;
    const { exitCode, log } = await scenario.run({ sha, inputs: { 'update-baseline': 'true' } });
    expect(exitCode).toBe(0);
    expect(log).toContain('has one already: kept');
    const after = scenario.cloud.s3
      .objects(BUCKET, 'lambda-profile/')
      .find(({ key }) => key.endsWith('recording.json'))!;
    expect(after.body.equals(before.body)).toBe(true);
  });

  it('writes no account id anywhere', async () => {
    const { log, summary, report } = await scenario.run({
      sha,
      inputs: { 'function-name': 'arn:aws:lambda:eu-west-1:123456789012:function:nowhere' },
    });
    expect(report.verdict.kind).toBe('error');
    expect(log + summary + JSON.stringify(report)).not.toContain('123456789012');
    const recording = scenario.cloud.s3
      .objects(BUCKET, 'lambda-profile/')
      .map(({ body }) => body.toString('latin1'))
      .join('');
    expect(recording).not.toContain('123456789012');
  });
});

describe('permissions', () => {
  it('names the permission the job lacks, and invokes nothing', async () => {
    const limited = await startScenario({
      lambda: {
        credentials: [
          {
            accessKeyId: 'ASIAJOBLOOPBACK00001',
            secretAccessKey: 'unused',
            allows: (action) => action !== 'lambda:InvokeFunction',
          },
        ],
      },
    });
    try {
      const head = limited.cloud.github.commit({ branch: 'main', files: { a: '1' } });
      await limited.deploy('orders', sampleFunction());
      const { exitCode, report } = await limited.run({ sha: head });
      expect(exitCode).toBe(1);
      expect(report.verdict.headline).toBe(
        'Not measured: Cannot invoke orders:$LATEST: the role lacks lambda:InvokeFunction.',
      );
      expect(report.verdict.next).toBe('Add lambda:InvokeFunction to the policy of the role, as in docs/iam.md.');
    } finally {
      await limited.close();
    }
  });

  it('names the permission the function lacks when its agent cannot publish', async () => {
    const limited = await startScenario({ functionAllows: () => false });
    try {
      const head = limited.cloud.github.commit({ branch: 'main', files: { a: '1' } });
      await limited.deploy('orders', sampleFunction());
      const { exitCode, report } = await limited.run({ sha: head });
      expect(exitCode).toBe(1);
      expect(report.verdict.headline).toContain(
        'its agent could not write to s3://octo-profiles/sparta/pprof/orders/profiles/',
      );
      expect(report.verdict.next).toContain('Add s3:PutObject on that path to the role of the function');
    } finally {
      await limited.close();
    }
  });
});
