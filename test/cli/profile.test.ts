import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Server, startS3 } from '../cloud/s3/server.ts';
import { profileBytes } from '../pprof/fixtures.ts';
import { useCommandLine } from './command.ts';

const { run, directory, write } = useCommandLine();
const BUCKET = 'octo-profiles';
let s3: S3Server;
let environment: Record<string, string>;

/** The comment of a window of so many invocations. */
function windowOf(instance: string, invocations: number, functionVersion = '7'): string {
  return `lambda-profile:${JSON.stringify({
    ...{ v: 1, run: 'r', function: 'orders', functionVersion, commit: '', instance, sequence: 0 },
    ...{ reason: 'flush', invocations: { n: invocations, errors: 0, cold: 0 } },
    ...{ time: { start: 1, end: 2, activeMs: 1, cpuMs: 1 }, memoryMb: 512, arch: 'arm64', runtime: 'nodejs24.x' },
    ...{ language: 'node', agent: 'a', engine: 'e', intervalUs: 1000, flags: [] },
  })}`;
}

function putSnapshot(stack: string, type: string, instance: string, bytes: Uint8Array | string): void {
  s3.put(BUCKET, `sparta/pprof/${stack}/profiles/${type}/0-${type}.${instance}.profile`, bytes);
}

const cpu = (nanos: number, instance: string) =>
  profileBytes({
    samples: [{ stack: ['tax@src/tax.mjs', 'handler@index.mjs'], values: [nanos / 1_000_000, nanos] }],
    comments: [windowOf(instance, 10)],
  });

beforeAll(async () => {
  s3 = await startS3({ accounts: [{ accessKeyId: 'key', secretAccessKey: 'secret' }] });
  s3.createBucket(BUCKET);
  environment = {
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_S3: s3.url,
    LAMBDA_PROFILE_BUCKET: BUCKET,
  };
  putSnapshot('orders', 'cpu', 'i-1', cpu(5_000_000, 'i-1'));
  putSnapshot('orders', 'cpu', 'i-2', cpu(7_000_000, 'i-2'));
  putSnapshot('orders', 'cpu', 'i-3', 'broken');
  putSnapshot(
    'orders',
    'heap',
    'i-1',
    profileBytes({ types: ['inuse_space/bytes', 'alloc_space/bytes'], samples: [{ stack: ['make'], values: [1, 2] }] }),
  );
  putSnapshot('stock', 'cpu', 'i-9', cpu(1_000_000, 'i-9'));
});
afterAll(() => s3.close());

const profile = (...args: string[]) => run(['profile', ...args], environment);

describe('lambda-profile profile', () => {
  test('writes a page of the folded snapshots, without those that are broken', async () => {
    const { exitCode, stdout, stderr } = await profile('orders', '--type', 'cpu');
    expect(exitCode).toBe(0);
    expect(stdout).toBe('.lambda-profile/orders-cpu.html\n');
    expect(stderr).toContain('Skipped sparta/pprof/orders/profiles/cpu/0-cpu.i-3.profile: Cannot read the profile');
    expect(stderr).toContain('cpu: 2 of 3 snapshots (1 could not be read), 2 instances, 1 stack');
    const page = readFileSync(join(directory, '.lambda-profile/orders-cpu.html'), 'utf8');
    expect(page).toContain('Per invocation: 20 invocations.');
    expect(s3.requests.some(({ method }) => method === 'DELETE' || method === 'PUT')).toBe(false);
  });

  test('downloads nothing again that has not changed, and everything that has', async () => {
    const gets = () => s3.requests.filter(({ operation }) => operation === 'GetObject').length;
    const before = gets();
    await profile('orders', '--type', 'cpu');
    expect(gets()).toBe(before);
    putSnapshot('orders', 'cpu', 'i-2', cpu(9_000_000, 'i-2'));
    const changed = await profile('orders', '--type', 'cpu');
    expect(changed.stderr).toContain('Downloading 3 snapshots');
    expect(gets()).toBe(before + 3);
    const offline = await run(['profile', 'orders', '--type', 'cpu', '--cached'], {
      ...environment,
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
    });
    expect(offline.exitCode).toBe(0);
  });

  test('keeps stacks apart in the cache', async () => {
    const { stderr } = await profile('stock', '--type', 'cpu');
    expect(stderr).toContain('cpu: 1 of 1 snapshot, 1 instance');
    expect(readdirSync(join(directory, '.lambda-profile/cache'))).toHaveLength(2);
  });

  test('compares with a file, per invocation', async () => {
    write('base.pb', cpu(6_000_000, 'i-0'));
    const { exitCode } = await profile('orders', '--type', 'cpu', '--base', 'base.pb', '-o', 'change.html');
    expect(exitCode).toBe(0);
    expect(readFileSync(join(directory, 'change.html'), 'utf8')).toContain('20 invocations, base 10.');
  });

  test('writes a file for speedscope, with a list entry for each sample type', async () => {
    const { stdout } = await profile('orders', '--type', 'heap', '--speedscope', 'heap.speedscope.json');
    expect(stdout).toBe('heap.speedscope.json\n');
    const file = JSON.parse(readFileSync(join(directory, 'heap.speedscope.json'), 'utf8'));
    expect(file.profiles).toMatchObject([
      { type: 'sampled', name: 'orders inuse_space', unit: 'bytes', endValue: 1, samples: [[0]], weights: [1] },
      { name: 'orders alloc_space', endValue: 2 },
    ]);
    expect(file.shared.frames).toEqual([{ name: 'make' }]);
  });

  test('hands pprof the profile, and a base scaled to as many invocations', async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'go'), '#!/bin/sh\n[ "$2" = -n ] || echo "$@"\n', { mode: 0o755 });
    const path = { ...environment, PATH: `${bin}:${process.env.PATH}` };
    const args = ['profile', 'orders', '--type', 'cpu', '--base', 'base.pb', '--pprof', '--sample-type', 'cpu'];
    const { exitCode, stdout } = await run(args, path);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout:
        'tool pprof -http=localhost: -sample_index=cpu -diff_base=.lambda-profile/orders-cpu-base.pb.gz .lambda-profile/orders-cpu-head.pb.gz\n',
    });
    const base = await run(['top', '--json', '.lambda-profile/orders-cpu-base.pb.gz']);
    expect(JSON.parse(base.stdout).total).toBe(12_000_000);
  });

  test('serves the page at a path nobody can guess, to nobody else, until it is interrupted', async () => {
    const main = join(directory, '.dist/cli.js');
    const child = spawn(process.execPath, [main, 'profile', 'orders', '--type', 'cpu', '--serve'], {
      cwd: directory,
      env: { PATH: process.env.PATH, HOME: directory, ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const url = await new Promise<string>((resolve) => {
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\n')) resolve(text.trim());
      });
    });
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).toContain('<!doctype html>');
    expect((await fetch(new URL('/', url))).status).toBe(404);
    const rebound = await new Promise<number | undefined>((resolve) => {
      request(url, { headers: { Host: 'evil.example.com' } }, (response) =>
        resolve(response.resume().statusCode),
      ).end();
    });
    expect(rebound).toBe(404);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  test.each([
    ['the stack', ['profile'], 'Missing <stack>: one of orders, stock.'],
    ['the type', ['profile', 'orders'], 'Missing --type: one of cpu, heap.'],
    ['an unknown type', ['profile', 'orders', '--type', 'wall'], 'Cannot use the profile type "wall"'],
    ['nothing cached', ['profile', 'other', '--cached'], 'Cannot use --cached: nothing of other was downloaded yet.'],
    [
      'an unknown sample type',
      ['profile', 'orders', '--type', 'cpu', '--sample-type', 'x'],
      'the profile has "samples"',
    ],
    ['two ways to look', ['profile', 'orders', '--pprof', '--serve'], 'Cannot do all of --pprof and --serve'],
  ])('asks nobody where there is no terminal: %s', async (_, args, message) => {
    const { exitCode, stderr } = await run(args, environment);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  test('says where it looked when there is nothing', async () => {
    const { exitCode, stderr } = await profile('other', '--type', 'cpu');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Cannot find a cpu of other in s3://octo-profiles/sparta/pprof/: there is none.');
    expect(existsSync(join(directory, '.lambda-profile/other-cpu.html'))).toBe(false);
  });
});

describe('lambda-profile profile of a stack with several versions', () => {
  test('tells when windows are of several versions, and takes one of them', async () => {
    const of = (version: string) =>
      profileBytes({ samples: [{ stack: ['f'], values: [1, 1e6] }], comments: [windowOf(`v${version}`, 10, version)] });
    putSnapshot('mixed', 'cpu', 'a', of('8'));
    putSnapshot('mixed', 'cpu', 'b', of('9'));
    const all = await profile('mixed', '--type', 'cpu');
    expect(all.stderr).toContain('They are of orders:8, orders:9: --qualifier takes one.');
    const one = await profile('mixed', '--type', 'cpu', '--qualifier', '9');
    expect(one.stderr).toContain('cpu: 1 of 2 snapshots, 1 instance');
    const none = await profile('mixed', '--type', 'cpu', '--qualifier', '10');
    expect(none).toMatchObject({ exitCode: 3 });
    expect(none.stderr).toContain('they are of other functions or versions');
  });
});
