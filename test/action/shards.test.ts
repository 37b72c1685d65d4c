import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BUCKET, type Scenario, sampleFunction, startScenario } from './scenario.ts';

// Runs the jobs of examples/workflows/shards.yml as its matrix has them, all at once.

interface Job {
  strategy: { matrix: Record<string, (string | number)[]> };
  needs?: string;
  steps: { uses?: string; with?: Record<string, string | number> }[];
}

const workflow = parse(
  readFileSync(fileURLToPath(new URL('../../examples/workflows/shards.yml', import.meta.url)), 'utf8'),
) as { jobs: { measure: Job; compare: Job } };

let scenario: Scenario;
let sha: string;
const versions = new Map<string, string>();
const small = { concurrency: '2', invocations: '24', 'warmup-invocations': '6' };

beforeAll(async () => {
  scenario = await startScenario();
  sha = scenario.cloud.github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
  for (const name of workflow.jobs.measure.strategy.matrix.function as string[])
    versions.set(name, await scenario.deploy(name, sampleFunction()));
});
afterAll(() => scenario.close());

/** The inputs of a job's step, with `${{ matrix.x }}` filled in and deploy-time expressions replaced. */
function inputsOf(job: Job, matrix: Record<string, string | number>): Record<string, string> {
  const step = job.steps.find(({ uses }) => uses?.includes('lambda-profile-action'))!;
  const filled = Object.entries(step.with!).map(([name, value]) => [
    name,
    String(value).replace(/\$\{\{ matrix\.([\w-]+) \}\}/g, (_, key: string) => String(matrix[key])),
  ]);
  const inputs = Object.fromEntries(filled) as Record<string, string>;
  const name = inputs['function-name']!.split(':')[0]!;
  return { ...inputs, ...small, 'function-name': name, qualifier: versions.get(name)!, 's3-bucket': BUCKET };
}

const { function: functions, shard } = workflow.jobs.measure.strategy.matrix as { function: string[]; shard: number[] };
const run = (inputs: Record<string, string>, runId: number) => scenario.run({ sha, runId, inputs });

describe('the workflow with shards', () => {
  it('measures three functions in four shards each, and decides for each on all of them', async () => {
    expect([functions.length, shard.length]).toEqual([3, 4]);
    expect(workflow.jobs.compare.needs).toBe('measure');

    for (const name of functions) {
      const measured = await Promise.all(
        shard.map((number) => run(inputsOf(workflow.jobs.measure, { function: name, shard: number }), 900)),
      );
      for (const [i, { exitCode, outputs, report }] of measured.entries()) {
        expect(exitCode, JSON.stringify(report.verdict)).toBe(0);
        expect(outputs.verdict).toBe('skipped');
        expect(report.verdict.headline).toBe(`${name}: shard ${i + 1} of 4 measured and stored`);
      }
    }
    for (const name of functions) {
      const inputs = { ...inputsOf(workflow.jobs.compare, { function: name }), 'update-baseline': 'true' };
      const { exitCode, outputs } = await run(inputs, 900);
      expect(outputs.verdict).toBe('no-baseline');
      expect(exitCode).toBe(0);
      const { body } = scenario.cloud.s3
        .objects(BUCKET, `lambda-profile/recordings/${name}/${sha}/`)
        .find(({ key }) => key.endsWith(`${sha}/recording.json`))!;
      const manifest = JSON.parse(body.toString());
      expect(manifest.load).toMatchObject({ sent: 96, succeeded: 96, coverage: 1 });
      expect(manifest.profiles.map(({ type }: { type: string }) => type)).toEqual(['cpu']);
    }
  });

  it('names the shard that is missing, and does not decide', async () => {
    const inputs = { ...inputsOf(workflow.jobs.compare, { function: functions[0]! }), shards: '5' };
    const { exitCode, report } = await run(inputs, 900);
    expect(exitCode).toBe(1);
    expect(report.verdict.headline).toMatch(/shards 1, 2, 3, 4, 5 of 5 are missing/);
    const other = await run(inputsOf(workflow.jobs.compare, { function: functions[0]! }), 901);
    expect(other.report.verdict.next).toContain('run the failed ones again');
  });
});
