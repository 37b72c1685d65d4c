import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { type Cloud, JOB_TOKEN, startCloud } from '../cloud/cloud.ts';
import { createDeployer } from '../cloud/deploy.ts';
import { type ActionResult, type ActionStep, runAction } from '../cloud/runner.ts';
import type { Injection, Service } from './faults.ts';
import { type Refusable, startRefusable } from './refusable.ts';

export const BUCKET = 'octo-profiles';
const RECORDINGS = 'lambda-profile/';

/** Some milliseconds of CPU, in functions of its own, and a wait so long that calls overlap on any machine. */
const FUNCTION = `
function price(order) { let sum = 0; for (let i = 0; i < 500_000; i++) sum += Math.sqrt(i * order); return sum; }
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { price: price(3) + tax(4) };
};
function tax(order) { let sum = 0; for (let i = 0; i < 500_000; i++) sum += Math.cbrt(i * order); return sum; }
`;

export type Phase =
  /** Before anything runs: the configuration of the function, the bucket, the config file. */
  | 'readiness'
  /** Instances are brought up and warmed. */
  | 'warm-up'
  | 'load'
  /** Instances publish. */
  | 'flush'
  /** The gate collects what they published. */
  | 'collect'
  /** The recording to compare with is found and read. */
  | 'baseline'
  | 'store'
  | 'comment';

/** What is in S3 below the recordings: key -> hash of the bytes. */
export type Stored = Map<string, string>;

/** A cloud with one function, whose commit on main has a recording. One run at a time. */
export interface Lane {
  cloud: Cloud;
  version: string;
  /** Invocations of the current run that reached the function. */
  reached(): number;
  /** Calls of Invoke of the current run, whatever became of them. */
  received(): number;
  stored(): Stored;
  /** Opens a pull request that changes nothing that runs. */
  openPullRequest(name: string): { number: number; mergeSha: string };
  run(step: RunOptions): Promise<RunResult>;
  close(): Promise<void>;
}

export interface RunOptions {
  name: string;
  /** Undefined: a push to main. */
  pullRequest?: { number: number; mergeSha: string };
  sha?: string;
  inputs?: Record<string, string>;
  fault?: { service: Service; phase: Phase; injection: (refuse: () => void) => Injection };
  onStart?: ActionStep['onStart'];
}

export interface RunResult extends ActionResult {
  seconds: number;
  report: SavedReport | undefined;
  /** Text of report.json, also of a run that was ended before it could say where it is; '' when there is none. */
  reportText: string;
  /** Files that a run must not leave: in the temporary folder of the machine, or unfinished ones in the runner's. */
  leftFiles: string[];
  /** Processes that a run left. */
  leftProcesses: number[];
  /** How many requests met the fault. */
  met: number;
}

/** What is read of report.json. */
export interface SavedReport {
  verdict: { kind: string; headline: string; next: string };
  warnings: string[];
  head?: { invocations: { sent: number; succeeded: number }; instances: unknown[] };
  calls?: { sent: number; ran: number; refused: number; unknown: number };
}

const INSTANCES = 5;
const INPUTS = {
  'function-name': 'orders',
  's3-bucket': BUCKET,
  concurrency: String(INSTANCES),
  invocations: '100',
  'warmup-invocations': '10',
  'wait-timeout': '2s',
  'max-duration': '60s',
  // Nothing changes, and noise must not decide: only faults are under test.
  'fail-threshold': '900%',
  'warn-threshold': '800%',
  'update-baseline': 'true',
  'github-token': JOB_TOKEN,
};

/** What all lanes use: the built Action, and a zip of the agent layer. */
export interface Built {
  action: string;
  layer: Uint8Array;
}

/** Copies the Action, so that a build meanwhile does not matter, and builds the layer. */
export async function prepare(directory: string): Promise<Built> {
  const action = join(directory, 'action.mjs');
  copyFileSync(fileURLToPath(new URL('../../dist/action.js', import.meta.url)), action);
  const { zip } = await buildLayer(join(directory, 'layer'));
  return { action, layer: zip };
}

export async function startLane(directory: string, { action, layer }: Built): Promise<Lane> {
  let current: { phase: Phase; service: Service; injection: Injection } | undefined;
  let loaded = false;
  let reached = 0;
  let received = 0;
  const meets = (service: Service, phase: Phase | undefined) =>
    current?.service === service && current.phase === phase ? current.injection : undefined;

  const cloud = await startCloud({
    owner: 'octo-org',
    repository: 'shop',
    bucket: BUCKET,
    lambda: {
      async intercept(request, response, operation) {
        const phase = phaseOfLambda(request, operation, loaded);
        if (phase === 'load') loaded = true;
        if (operation === 'Invoke') received++;
        if (await meets('lambda', phase)?.meet(request, response)) return true;
        if (operation === 'Invoke') reached++;
        return false;
      },
    },
    s3: {
      intercept: (request, response, operation) =>
        meets('s3', phaseOfS3(request, operation, loaded))?.meet(request, response) ?? false,
    },
    github: {
      intercept: (request, response, operation) =>
        meets('github', phaseOfGitHub(operation))?.meet(request, response) ?? false,
    },
  });
  const deployer = createDeployer(cloud);
  await deployer.deploy('orders', { 'index.mjs': FUNCTION }, { layer, bucket: BUCKET });
  const version = await withShortTimeout(cloud, () => deployer.deploy('orders', { 'index.mjs': `${FUNCTION}\n` }));
  let runs = 100;

  const lane: Lane = {
    cloud,
    version,
    reached: () => reached,
    received: () => received,
    stored: () =>
      new Map(
        cloud.s3
          .objects(BUCKET, RECORDINGS)
          .map(({ key, body }) => [key, createHash('sha256').update(body).digest('hex')]),
      ),
    openPullRequest(name) {
      cloud.github.commit({ branch: name, files: { [`docs/${name}.md`]: `${name}\n` } });
      return cloud.github.openPullRequest({ head: name, base: 'main' });
    },
    async run({ name, pullRequest, sha, inputs, fault, onStart }) {
      const folder = join(directory, name);
      const tmp = join(folder, 'tmp');
      mkdirSync(tmp, { recursive: true });
      let way: Refusable | undefined;
      if (fault) {
        way = await startRefusable(urlOf(cloud, fault.service));
        current = { ...fault, injection: fault.injection(way.refuse) };
      }
      loaded = false;
      reached = 0;
      received = 0;
      const startedMs = performance.now();
      const result = await runAction({
        main: action,
        eventName: pullRequest ? 'pull_request' : 'push',
        event: pullRequest ? cloud.github.pullRequestEvent(pullRequest.number) : cloud.github.pushEvent('main'),
        sha: pullRequest?.mergeSha ?? sha ?? '0'.repeat(40),
        runId: ++runs,
        directory: folder,
        inputs: { ...INPUTS, qualifier: version, ...inputs },
        environment: {
          ...cloud.jobEnvironment,
          ...(fault && way && { [VARIABLE[fault.service]]: way.url }),
          TMPDIR: tmp,
          [MARK]: folder,
        },
        ...(onStart && { onStart }),
      });
      const met = current?.injection.met ?? 0;
      current = undefined;
      way?.refuse();
      const leftProcesses = processesOf(folder);
      const written = join(folder, 'temp/lambda-profile');
      const left = {
        leftFiles: [...filesIn(tmp), ...filesIn(join(folder, 'workspace')), ...filesIn(written).filter(isUnfinished)],
        leftProcesses,
        met,
      };
      const saved = join(written, 'orders-report.json');
      const reportText = existsSync(saved) ? readFileSync(saved, 'utf8') : '';
      const report = result.outputs['report-json'] ? (JSON.parse(reportText) as SavedReport) : undefined;
      rmSync(folder, { recursive: true, force: true });
      return { ...result, ...left, report, reportText, seconds: (performance.now() - startedMs) / 1000 };
    },
    async close() {
      deployer.close();
      await cloud.close();
    },
  };
  // On a machine that is busy with others, agents may run into their own time limits: then again, for another commit.
  for (let attempt = 1; ; attempt++) {
    const tip = cloud.github.commit({ branch: 'main', files: { 'README.md': `Prices orders, ${attempt}.\n` } });
    const first = await lane.run({ name: `baseline-${attempt}`, sha: tip, inputs: { invocations: '200' } });
    if (first.report?.head?.instances.length === INSTANCES) break;
    if (attempt === ATTEMPTS) throw new Error(`Cannot record a baseline: ${first.log}${first.stderr}`);
  }
  return lane;
}

const ATTEMPTS = 5;
const MARK = 'LAMBDA_PROFILE_RUN_UNDER_TEST';
const VARIABLE = {
  lambda: 'AWS_ENDPOINT_URL_LAMBDA',
  s3: 'AWS_ENDPOINT_URL_S3',
  github: 'GITHUB_API_URL',
} as const;

function urlOf({ lambda, s3, github }: Cloud, service: Service): string {
  return { lambda, s3, github }[service].url;
}

/** The function may run for 2 s, so that what hangs is given up soon. */
async function withShortTimeout(cloud: Cloud, publish: () => Promise<string>): Promise<string> {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = cloud.jobEnvironment;
  const lambda = new LambdaClient({
    region: AWS_REGION!,
    endpoint: cloud.lambda.url,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! },
  });
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'orders', Timeout: 2 }));
  lambda.destroy();
  return publish();
}

function phaseOfLambda({ headers }: IncomingMessage, operation: string, loaded: boolean): Phase | undefined {
  if (operation === 'GetFunctionConfiguration') return 'readiness';
  if (operation !== 'Invoke') return undefined;
  const context = Buffer.from(String(headers['x-amz-client-context'] ?? ''), 'base64').toString();
  if (context.includes('"lambda-profile.op":"invoke"')) return 'load';
  return loaded ? 'flush' : 'warm-up';
}

function phaseOfS3({ headers, url = '' }: IncomingMessage, operation: string, loaded: boolean): Phase | undefined {
  const byFunction = String(headers.authorization).includes('ASIAFUN');
  const ofRecordings = decodeURIComponent(url).includes(RECORDINGS);
  if (byFunction) return operation === 'PutObject' ? 'flush' : undefined;
  if (operation === 'PutObject' && ofRecordings) return 'store';
  if (operation === 'GetObject') return ofRecordings ? 'baseline' : 'collect';
  return operation === 'ListObjectsV2' && !ofRecordings ? (loaded ? 'collect' : 'readiness') : undefined;
}

function phaseOfGitHub(operation: string): Phase {
  if (operation === 'repos/get-content' || operation === 'pulls/list-files') return 'readiness';
  return operation.startsWith('repos/') ? 'baseline' : 'comment';
}

/** Processes with the mark of a run in their environment (Linux). */
export function processesOf(mark: string): number[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${MARK}=${mark}\0`) ? [Number(pid)] : [];
      } catch {
        return []; // Somebody else's, or gone.
      }
    });
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]) : [];
}

/** Everything a run writes is a report, a page, a picture or a profile, with something in it. */
function isUnfinished(name: string): boolean {
  return !/\.(json|html|svg|pb\.gz)$/.test(name);
}
