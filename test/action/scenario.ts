import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { type Cloud, type CloudOptions, JOB_TOKEN, startCloud } from '../cloud/cloud.ts';
import { createDeployer, type DeployOptions, readFiles } from '../cloud/deploy.ts';
import { type ActionResult, type ActionStep, runAction } from '../cloud/runner.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const BUCKET = 'octo-profiles';

/** A cloud with a repository and functions to measure, and the built Action to measure them with. */
export interface Scenario {
  cloud: Cloud;
  /** Creates a function; answers its published version. */
  deploy(name: string, files: Record<string, string>, options?: DeployOptions & { agent?: boolean }): Promise<string>;
  run(
    step: Partial<Omit<ActionStep, 'inputs'>> & { inputs?: Record<string, string> },
  ): Promise<ActionResult & { report: SavedReport }>;
  close(): Promise<void>;
}

/** What the tests read of report.json. */
export interface SavedReport {
  verdict: {
    kind: string;
    headline: string;
    reasons: string[];
    next: string;
    regressed: string[];
    checks: { what: string; state: string; found: string }[];
  };
  warnings: string[];
  base?: { relation: string; distance: number };
  comparison?: { functions: { key: string; change: string; renamedFrom?: string; movedFrom?: string }[] };
  differences: { field: string; base: string; head: string }[];
}

/** The sample function, at the base or with the files of the demo's pull request. */
export function sampleFunction(withPullRequest = false): Record<string, string> {
  const base = readFiles(join(root, 'examples/functions/node'));
  return withPullRequest ? { ...base, ...readFiles(join(root, 'examples/demo/pull-request')) } : base;
}

let layer: Promise<Uint8Array> | undefined;

export async function startScenario(options: Partial<CloudOptions> = {}): Promise<Scenario> {
  const directory = mkdtempSync(join(tmpdir(), 'scenario-'));
  const cloud = await startCloud({ owner: 'octo-org', repository: 'shop', bucket: BUCKET, ...options });
  const deployer = createDeployer(cloud);
  layer ??= buildLayer(join(directory, 'layer')).then(({ zip }) => zip);
  const agentLayer = await layer;
  let runs = 0;
  return {
    cloud,
    deploy: (name, files, { agent = true, ...options } = {}) =>
      deployer.deploy(name, files, { ...options, ...(agent && { layer: agentLayer, bucket: BUCKET }) }),
    async run({ inputs = {}, environment = {}, ...step }) {
      const result = await runAction({
        main: join(root, 'dist/action.js'),
        eventName: 'push',
        event: {},
        sha: '0'.repeat(40),
        runId: 100 + ++runs,
        directory: join(directory, `run-${runs}`),
        ...step,
        inputs: {
          'function-name': 'orders',
          's3-bucket': BUCKET,
          concurrency: '5',
          invocations: '100',
          'warmup-invocations': '25',
          'wait-timeout': '2s',
          'github-token': JOB_TOKEN,
          ...inputs,
        },
        environment: { ...cloud.jobEnvironment, ...environment },
      });
      const path = result.outputs['report-json'];
      return {
        ...result,
        report: path ? (JSON.parse(readFileSync(path, 'utf8')) as SavedReport) : ({} as SavedReport),
      };
    },
    async close() {
      deployer.close();
      await cloud.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
