/**
 * Runs the sample functions with their agents under AWS's own Runtime Interface Emulator, and checks what a flush
 * answers and what is then in S3: `node test/go/rie.ts`. Ends `N passed, N failed`; exits 1 on failure.
 * The emulator is `LAMBDA_RIE`, or `.cache/rie/aws-lambda-rie`, which is taken from AWS's SAM CLI on PyPI if it is not
 * there (its Go module is not on the module proxy). Without it and pip, or without Go, says so and counts nothing.
 */
import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { encodeRunMarks, parseFlushReply, type RunMarks } from '../../src/lambda/run-protocol.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import { parseWindow } from '../../src/snapshots/window.ts';
import { startS3 } from '../cloud/s3/server.ts';
import { Outcomes } from '../conformance/outcomes.ts';
import { buildGo, GO_FUNCTIONS, goVersion } from './build.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const BUCKET = 'octo-profiles';
const role = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'role-secret' };
const INVOCATIONS = 20;

async function emulator(): Promise<string | undefined> {
  const cached = join(root, '.cache/rie/aws-lambda-rie');
  const file = process.env.LAMBDA_RIE ?? cached;
  if (existsSync(file)) return file;
  const directory = join(root, '.cache/rie');
  mkdirSync(directory, { recursive: true });
  try {
    await run('pip', ['download', '--no-deps', '--dest', directory, 'aws-sam-cli'], { timeout: 300_000 });
    const wheel = readdirSync(directory).find((name) => name.endsWith('.whl'))!;
    const name = `samcli/local/rapid/aws-lambda-rie-${arch() === 'arm64' ? 'arm64' : 'x86_64'}`;
    const files = unzipSync(readFileSync(join(directory, wheel)), { filter: (entry) => entry.name === name });
    writeFileSync(cached, files[name]!);
    chmodSync(cached, 0o755);
    rmSync(join(directory, wheel));
    return cached;
  } catch (error) {
    console.log(`The Runtime Interface Emulator cannot be fetched: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Sample {
  name: string;
  /** Command line of the runtime, with the handler as its last argument. */
  command: string[];
  directory: string;
  /** A function that must be in the profile. */
  function: string;
}

/** Invokes a sample under the emulator, flushes it, and checks the reply and the object. */
async function check(rie: string, sample: Sample, s3Url: string, outcomes: Outcomes, objects: Objects): Promise<void> {
  const [http, api] = [await freePort(), await freePort()];
  const addresses = [
    '--runtime-interface-emulator-address',
    `127.0.0.1:${http}`,
    '--runtime-api-address',
    `127.0.0.1:${api}`,
  ];
  const child = spawn(rie, [...addresses, ...sample.command], {
    cwd: sample.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: role.accessKeyId, AWS_SECRET_ACCESS_KEY: role.secretAccessKey },
      ...{ AWS_ENDPOINT_URL_S3: s3Url, LAMBDA_PROFILE_BUCKET: BUCKET, LAMBDA_PROFILE_STACK: sample.name },
      ...{
        AWS_LAMBDA_FUNCTION_NAME: sample.name,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        LAMBDA_TASK_ROOT: sample.directory,
      },
    },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log += data));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const invoke = async (marks: RunMarks): Promise<Uint8Array> => {
    const answer = await fetch(`http://127.0.0.1:${http}/2015-03-31/functions/function/invocations`, {
      method: 'POST',
      headers: { 'X-Amz-Client-Context': encodeRunMarks(marks) },
      body: '{"customer":"octo","country":"DE"}',
      signal: AbortSignal.timeout(20_000),
    });
    return new Uint8Array(await answer.arrayBuffer());
  };
  const marks = { run: 'run-1', commit: '0123abc' };
  try {
    for (let attempt = 0; attempt < 100 && !log.includes('exec'); attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const answers: string[] = [];
    await invoke({ op: 'warmup', ...marks });
    for (let i = 0; i < INVOCATIONS; i++)
      answers.push(new TextDecoder().decode(await invoke({ op: 'invoke', ...marks })));
    const flushed = await invoke({ op: 'flush', ...marks, holdMs: 20 });
    const reply = parseFlushReply(flushed);
    outcomes.check(`${sample.name}: the function answers as ever`, () =>
      answers.every((answer) => answer.includes('"seal"')) ? [] : [answers[0]!],
    );
    outcomes.check(`${sample.name}: a flush is answered by the agent`, () =>
      reply?.invocations === INVOCATIONS && reply.failures.length === 0 && reply.run === 'run-1'
        ? []
        : [new TextDecoder().decode(flushed)],
    );
    outcomes.check(`${sample.name}: the object is in S3, with the function in its profile`, () => {
      const published = reply?.published.find(({ type }) => type === 'cpu');
      const object = objects(BUCKET, published?.key ?? 'nothing was published')[0];
      if (!published || !object) return ['there is no object'];
      const profile = decodeProfile(object.body);
      const window = parseWindow(profile.comments);
      const { names } = weighProfile(profile, 'cpu');
      const differences = object.etag === published.etag.replaceAll('"', '') ? [] : [`ETag ${object.etag}`];
      if (window?.invocations.n !== INVOCATIONS || window.function !== sample.name)
        differences.push(JSON.stringify(window));
      if (object.metadata['lambda-profile-run'] !== 'run-1') differences.push(JSON.stringify(object.metadata));
      if (!names.includes(sample.function)) differences.push(`functions ${names.join(' ')}`);
      return differences;
    });
  } catch (error) {
    outcomes.check(`${sample.name}: runs`, () => [String(error), ...log.split('\n').slice(-4)]);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

type Objects = Awaited<ReturnType<typeof startS3>>['objects'];

const rie = await emulator();
const go = await goVersion();
const outcomes = new Outcomes();
if (rie) {
  const work = mkdtempSync(join(tmpdir(), 'rie-'));
  const s3 = await startS3({ accounts: [role] });
  s3.createBucket(BUCKET);
  try {
    if (go) {
      const directory = join(work, 'go');
      mkdirSync(directory);
      const bootstrap = join(directory, 'bootstrap');
      writeFileSync(bootstrap, await buildGo(GO_FUNCTIONS.orders));
      chmodSync(bootstrap, 0o755);
      const sample = { name: 'orders-go', command: [bootstrap, 'bootstrap'], directory, function: 'main.price' };
      await check(rie, sample, s3.url, outcomes, s3.objects);
    } else console.log('Go is not on PATH: its sample is not run.');

    const directory = join(work, 'node');
    cpSync(join(root, 'examples/functions/node'), directory, { recursive: true });
    const layer = await buildLayer(join(work, 'layer'));
    const ric = createRequire(import.meta.url).resolve('aws-lambda-ric');
    const client = join(root, 'test/cloud/lambda/rapid-client.cjs');
    const command = [
      join(layer.directory, 'lambda-profile'),
      process.execPath,
      '--require',
      client,
      ric,
      'index.handler',
    ];
    await check(rie, { name: 'orders-node', command, directory, function: 'handler' }, s3.url, outcomes, s3.objects);
  } finally {
    await s3.close();
    rmSync(work, { recursive: true, force: true });
  }
}
console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exit(outcomes.failed === 0 ? 0 : 1);
