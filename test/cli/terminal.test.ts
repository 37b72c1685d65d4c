import { spawn, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Server, startS3 } from '../cloud/s3/server.ts';
import { profileBytes } from '../pprof/fixtures.ts';
import { useCommandLine } from './command.ts';

const { directory, write } = useCommandLine();
const main = join(directory, '.dist/cli.js');
const BUCKET = 'octo-profiles';
let s3: S3Server;
let environment: Record<string, string>;

beforeAll(async () => {
  s3 = await startS3({ accounts: [{ accessKeyId: 'key', secretAccessKey: 'secret' }] });
  s3.createBucket(BUCKET);
  environment = {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    TERM: 'xterm',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_S3: s3.url,
  };
  const heap = profileBytes({
    types: ['alloc_space/bytes', 'inuse_space/bytes'],
    samples: [{ stack: ['f'], values: [1, 2] }],
  });
  const cpu = profileBytes({ samples: [{ stack: ['f'], values: [1, 2] }] });
  for (const stack of ['orders', 'stock'])
    for (const [type, bytes] of [
      ['cpu', cpu],
      ['heap', heap],
    ] as const)
      s3.put(BUCKET, `sparta/pprof/${stack}/profiles/${type}/0-${type}.i-1.profile`, bytes);
});
afterAll(() => s3.close());

/** A conversation on a pseudo-terminal: each answer is typed once its question is there. */
function talk(command: string, answers: [question: string, keys: string][]) {
  const child = spawn('script', ['-qec', `stty cols 200 rows 40; ${command}`, '/dev/null'], {
    cwd: directory,
    env: environment,
  });
  let text = '';
  const left = [...answers];
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const [next] = left;
    const at = next ? text.indexOf(next[0], from) : -1;
    if (!next || at < 0) return;
    from = at + next[0].length;
    left.shift();
    child.stdin.write(next[1]);
  });
  return new Promise<{ exitCode: number | null; text: string }>((resolve, reject) => {
    const impatience = setTimeout(() => {
      child.kill();
      reject(new Error(`No end after this:\n${text}`));
    }, PATIENCE_MS);
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(impatience);
      resolve({ exitCode, text });
    });
  });
}

/** A question that never comes must not hang the test. */
const PATIENCE_MS = 40_000;

const DOWN = '\u001b[B';
const hasScript = spawnSync('script', ['-qec', 'stty cols 80', '/dev/null']).status === 0;

describe.skipIf(!hasScript)('on a terminal', () => {
  const profile = `${process.execPath} ${main} profile --s3-bucket ${BUCKET} --no-open`;

  test('profile asks for what is not given, and prints the command that needs no answers', async () => {
    const { exitCode, text } = await talk(profile, [
      ['Which stack?', '\r'],
      ['Which profile?', `${DOWN}\r`],
      ['Which values?', `${DOWN}\r`],
    ]);
    expect(text).toMatch(
      /The same again: lambda-profile profile (orders|stock) --type heap --s3-bucket octo-profiles --sample-type alloc_space --base none --no-open/,
    );
    expect(text).toMatch(/\.lambda-profile\/(orders|stock)-heap\.html/);
    expect(exitCode).toBe(0);
  });

  test('profile offers what was downloaded before, with its age', async () => {
    const again = `${profile} orders --type cpu`;
    await talk(again, []);
    const { text } = await talk(again, [['Which snapshots?', `${DOWN}\r`]]);
    expect(text).toMatch(/Those downloaded \d+ s ago/);
    expect(text).toContain('--type cpu --s3-bucket octo-profiles --cached');
  });

  test('Ctrl-C in a question ends with 130 and shows the cursor again', async () => {
    const { exitCode, text } = await talk(profile, [['Which stack?', '\u0003']]);
    expect(exitCode).toBe(130);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
  });
});

describe('a process', () => {
  test('is quiet when nobody reads its output any more', async () => {
    const samples = Array.from({ length: 20_000 }, (_, i) => ({ stack: [`f${i}`], values: [1, 1] }));
    const path = write('large.pb', profileBytes({ samples }));
    const command = `${process.execPath} ${main} top --json ${path} | head -c 100`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', command], { encoding: 'utf8', env: environment });
    expect({ bytes: stdout.length, stderr, status }).toEqual({ bytes: 100, stderr: '', status: 0 });
  });

  test('ends with 130 on Ctrl-C while it waits', async () => {
    // A server that never answers.
    let asked: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const server: Server = createServer(() => asked());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const child = spawn(process.execPath, [main, 'top', `s3://${BUCKET}/`], {
      cwd: directory,
      env: { ...environment, AWS_ENDPOINT_URL_S3: url },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await arrived;
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    server.closeAllConnections();
    server.close();
  });
});
