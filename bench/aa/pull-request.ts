/** One pull request, judged by the built Action on a loopback cloud of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateFunctionCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import type { Comparison } from '../../src/compare/comparison.ts';
import { parseReport } from '../../src/report/json.ts';
import type { Report } from '../../src/report/report.ts';
import { type State, stateOf } from '../../src/report/state.ts';
import { JOB_TOKEN, startCloud } from '../../test/cloud/cloud.ts';
import { archive } from '../../test/cloud/lambda/deployment.ts';
import { type ActionResult, runAction } from '../../test/cloud/runner.ts';
import { buildGo } from '../../test/go/build.ts';
import type { Noise, Scenario } from './scenarios.ts';
import { apply, type Files, goSource, stamped } from './variants.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUCKET = 'octo-profiles';
/** A run takes half a minute; a burner that nobody ended ends itself. */
const BURNER_SECONDS = 300;

export interface JudgedPullRequest {
  verdict: string;
  headline: string;
  /** What a reader is told: a pass may claim an improvement. */
  state: State;
  /** The screen found something that had to be measured again. */
  screened: boolean;
  seconds: number;
  comparison?: Comparison;
  reasons: string[];
  warnings: string[];
  timings: Report['timings'];
}

/**
 * Deploys both sides, records the base (or measures it beside the head), and runs the gate for the pull request.
 * @param layer zip of the agent
 * @throws Error when the Action did not come to a report
 */
export async function judgePullRequest(scenario: Scenario, layer: Uint8Array): Promise<JudgedPullRequest> {
  const startedMs = performance.now();
  const directory = mkdtempSync(join(tmpdir(), 'bench-aa-'));
  const cloud = await startCloud({ owner: 'octo-org', repository: 'shop', bucket: BUCKET });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = cloud.jobEnvironment;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! };
  const lambda = new LambdaClient({ region: AWS_REGION!, endpoint: cloud.lambda.url, credentials });
  let burner: ChildProcess | undefined;
  try {
    const { github } = cloud;
    const code = await codeOf(scenario, directory);
    const base = await deployFirst(lambda, code.base, layer);
    const head = await deployNext(lambda, code.head);
    const tip = github.commit({ branch: 'main', files: code.sources.base, message: 'Price orders' });
    const deleted = Object.keys(code.sources.base).filter((path) => !(path in code.sources.head));
    const changed = { ...code.sources.head, ...Object.fromEntries(deleted.map((path) => [path, null])) };
    github.commit({ branch: 'change', parents: [tip], files: changed, message: 'Change' });
    const { number, mergeSha } = github.openPullRequest({ head: 'change', base: 'main' });

    const step = async (name: 'base' | 'head', version: string, eventName: string, sha: string) => {
      burner = startBurner(scenario.noise, name);
      const result = await runAction({
        main: join(root, 'dist/action.js'),
        inputs: {
          'function-name': 'orders',
          qualifier: version,
          's3-bucket': BUCKET,
          concurrency: String(scenario.concurrency),
          invocations: String(scenario.invocations),
          'update-baseline': String(name === 'base'),
          'github-token': JOB_TOKEN,
          ...(name === 'head' && scenario.baseline === 'interleaved' && { 'base-qualifier': base }),
        },
        eventName,
        event: name === 'base' ? github.pushEvent('main') : github.pullRequestEvent(number),
        sha,
        runId: name === 'base' ? 1 : 2,
        directory: join(directory, name),
        environment: cloud.jobEnvironment,
      });
      burner?.kill();
      return reportOf(result);
    };
    if (scenario.baseline === 'stored') {
      const { verdict } = await step('base', base, 'push', tip);
      if (verdict.kind !== 'no-baseline') throw new Error(`The base was not recorded: ${verdict.headline}`);
    }
    const report = await step('head', head, 'pull_request', mergeSha);
    const { verdict, comparison, warnings, timings } = report;
    return {
      verdict: verdict.kind,
      headline: verdict.headline,
      state: stateOf(report),
      screened: timings.some((timing) => timing.step.startsWith('Measure base and head again')),
      seconds: (performance.now() - startedMs) / 1000,
      ...(comparison && { comparison }),
      reasons: verdict.reasons,
      warnings,
      timings,
    };
  } finally {
    burner?.kill();
    lambda.destroy();
    await cloud.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The archives to deploy, and the sources to commit. */
async function codeOf(
  { code }: Scenario,
  directory: string,
): Promise<{ base: Deployable; head: Deployable; sources: { base: Files; head: Files } }> {
  if ('goGrowth' in code) {
    const built = async (name: string, growth: number): Promise<Deployable> => {
      const bootstrap = await buildGo(goSource(join(directory, name), growth, name));
      return { isGo: true, zip: archive({ bootstrap: { contents: bootstrap, mode: 0o755 } }) };
    };
    const pricing = (name: string): Files => ({
      'pricing.go': readFileSync(join(directory, name, 'pricing.go'), 'utf8'),
      'build.go': readFileSync(join(directory, name, 'build.go'), 'utf8'),
    });
    const [base, head] = [await built('base-source', 0), await built('head-source', code.goGrowth)];
    return { base, head, sources: { base: pricing('base-source'), head: pricing('head-source') } };
  }
  const sources = { base: apply(code.base, stamped('base')), head: apply(code.head, stamped('head')) };
  return {
    base: { isGo: false, zip: archive(sources.base) },
    head: { isGo: false, zip: archive(sources.head) },
    sources,
  };
}

interface Deployable {
  isGo: boolean;
  zip: Uint8Array;
}

async function deployFirst(lambda: LambdaClient, { isGo, zip }: Deployable, layer: Uint8Array): Promise<string> {
  const published = isGo
    ? undefined
    : await lambda.send(new PublishLayerVersionCommand({ LayerName: 'agent', Content: { ZipFile: layer } }));
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'orders',
      Runtime: isGo ? 'provided.al2023' : 'nodejs24.x',
      Handler: isGo ? 'bootstrap' : 'index.handler',
      Role: 'arn:aws:iam::123456789012:role/orders',
      Timeout: 30,
      MemorySize: 1024,
      ...(published && { Layers: [published.LayerVersionArn!] }),
      Environment: {
        Variables: { LAMBDA_PROFILE_BUCKET: BUCKET, ...(!isGo && { AWS_LAMBDA_EXEC_WRAPPER: '/opt/lambda-profile' }) },
      },
      Code: { ZipFile: zip },
    }),
  );
  return publish(lambda);
}

async function deployNext(lambda: LambdaClient, { zip }: Deployable): Promise<string> {
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'orders', ZipFile: zip }));
  return publish(lambda);
}

async function publish(lambda: LambdaClient): Promise<string> {
  const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: 'orders' }));
  return Version!;
}

function startBurner(noise: Noise, side: 'base' | 'head'): ChildProcess | undefined {
  if (noise !== 'both' && noise !== side) return undefined;
  const file = fileURLToPath(new URL('burner.ts', import.meta.url));
  return spawn(process.execPath, [file, String(BURNER_SECONDS)], { stdio: ['pipe', 'ignore', 'ignore'] });
}

function reportOf({ outputs, stderr, log }: ActionResult): Report {
  const path = outputs['report-json'];
  if (!path) throw new Error(`The gate did not report: ${stderr || log.slice(-2000)}`);
  return parseReport(readFileSync(path, 'utf8'));
}
