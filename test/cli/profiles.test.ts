import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { profileBytes } from '../pprof/fixtures.ts';
import { useCommandLine } from './command.ts';

const { run, write, directory } = useCommandLine();

const base = write(
  'base.pb',
  profileBytes({
    samples: [
      { stack: ['tax@tax.go', 'price@price.go', 'main@main.go'], values: [10, 100_000_000] },
      { stack: [['hash', 'lookup'], 'main@main.go'], values: [30, 300_000_000] },
      { stack: ['gone', 'main@main.go'], values: [1, 10_000_000] },
    ],
  }),
);
const head = write(
  'head.pb',
  profileBytes({
    samples: [
      { stack: ['tax@tax.go', 'price@price.go', 'main@main.go'], values: [35, 350_000_000] },
      { stack: [['hash', 'lookup'], 'main@main.go'], values: [30, 300_000_000] },
      { stack: ['tiny', 'main@main.go'], values: [1, 1_000_000] },
    ],
  }),
);
const broken = write('broken.pb', 'this is no profile');

describe('lambda-profile top', () => {
  test('lists functions by their own value, as go tool pprof -top does', async () => {
    const { exitCode, stdout, stderr } = await run(['top', base]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(`File: bootstrap
Type: cpu
Time: 2023-11-14 22:13:20 UTC
Duration: 10s, Total samples = 410ms ( 4.10%)
Showing nodes accounting for 410ms, 100% of 410ms total
      flat  flat%   sum%        cum   cum%
     300ms 73.17% 73.17%      300ms 73.17%  hash (inline)
     100ms 24.39% 97.56%      100ms 24.39%  tax
      10ms  2.44%   100%       10ms  2.44%  gone
         0     0%   100%      300ms 73.17%  lookup
         0     0%   100%      410ms   100%  main
         0     0%   100%      100ms 24.39%  price
`);
  });

  test('leaves out functions below half a percent, and says so', async () => {
    const { stdout } = await run(['top', head]);
    expect(stdout).toContain('Dropped 1 node (cum <= 3.25ms)\n');
    expect(stdout).not.toContain('tiny');
  });

  test('sorts by the value with callees, of another sample type, of some samples', async () => {
    const { stdout } = await run([
      'top',
      '--cum',
      '--sample-type',
      'samples',
      '--focus',
      'price',
      '--ignore',
      'zzz',
      base,
    ]);
    expect(stdout).toContain('Active filters:\n   focus=price\n   ignore=zzz\n');
    const rows = stdout.split('\n').slice(-4, -1);
    expect(rows).toEqual([
      '         0     0%     0%         10 24.39%  main',
      '         0     0%     0%         10 24.39%  price',
      '        10 24.39% 24.39%         10 24.39%  tax',
    ]);
  });

  test('prints every function as JSON', async () => {
    const { stdout } = await run(['top', '--json', head]);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      sampleType: 'cpu',
      unit: 'nanoseconds',
      total: 651_000_000,
      functions: [
        { name: 'tax', self: 350_000_000, total: 350_000_000 },
        { name: 'hash', self: 300_000_000, total: 300_000_000 },
        { name: 'tiny', self: 1_000_000, total: 1_000_000 },
        { name: 'lookup', self: 0, total: 300_000_000 },
        { name: 'main', self: 0, total: 651_000_000 },
        { name: 'price', self: 0, total: 350_000_000 },
      ],
    });
  });

  test('prints values beyond 2^53 exactly', async () => {
    const huge = write('huge.pb', profileBytes({ samples: [{ stack: ['f'], values: [1, 9_007_199_254_740_993n] }] }));
    expect((await run(['top', '--json', huge])).stdout).toContain('"self":9007199254740993,');
  });

  test('merges the files of a folder, and names those it cannot read', async () => {
    const folder = join(directory, 'folder/deeper');
    mkdirSync(folder, { recursive: true });
    write('folder/a.pb', readFileSync(base));
    write('folder/deeper/b.pb', readFileSync(base));
    write('folder/c.pb', 'nonsense');
    const { exitCode, stdout, stderr } = await run(['top', '--json', 'folder']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).total).toBe(820_000_000);
    expect(stderr).toMatch(/^Skipped 1 of 3 profiles:\n {2}folder\/c\.pb: Cannot read the profile[^\n]*\n$/);
  });

  test('makes names inert', async () => {
    const name = '\u001b[2J::error::x\n##[error]';
    const path = write('hostile.pb', profileBytes({ samples: [{ stack: [name], values: [1, 1] }] }));
    const { stdout } = await run(['top', path]);
    expect(stdout).toContain('\u{FFFD}[2J::error::x\u{FFFD}## [error]\n');
  });

  test.each([
    ['a file that is none', ['top', 'missing.pb'], 3, 'missing.pb: Cannot read the file: there is none of that name.'],
    ['a file that is no profile', ['top', broken], 3, 'Cannot read the profile'],
    ['an unknown sample type', ['top', base, '--sample-type', 'wall'], 2, 'the profile has "samples", "cpu"'],
    ['a pattern that is wrong', ['top', base, '--focus', '('], 2, 'Cannot understand the pattern "("'],
    ['no file', ['top'], 2, "missing required argument 'file'"],
    ['an unknown option', ['top', base, '--colour'], 2, "unknown option '--colour'"],
    ['an unknown command', ['tops', base], 2, "unknown command 'tops'"],
  ])('refuses %s', async (_, args, exitCode, message) => {
    const result = await run(args);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain(message);
    expect(result.stdout).toBe('');
  });
});

describe('lambda-profile diff', () => {
  test('lists what grew and shrank, as go tool pprof -top -diff_base does', async () => {
    const { exitCode, stdout } = await run(['diff', base, head]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Showing nodes accounting for 240ms, 58.54% of 410ms total\n');
    expect(stdout.split('\n').slice(-5, -1)).toEqual([
      '     250ms 60.98% 60.98%      250ms 60.98%  tax',
      '     -10ms  2.44% 58.54%      -10ms  2.44%  gone',
      '         0     0% 58.54%      241ms 58.78%  main',
      '         0     0% 58.54%      250ms 60.98%  price',
    ]);
  });

  test('reads it as go tool pprof -base does', async () => {
    const { stdout } = await run(['diff', '--reading', 'base', base, head]);
    expect(stdout).toContain('of 261ms total\n');
  });

  test('prints every function of both as JSON', async () => {
    const { stdout } = await run(['diff', '--json', base, head]);
    const { functions, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({
      schemaVersion: 1,
      sampleType: 'cpu',
      unit: 'nanoseconds',
      total: { base: 410_000_000, head: 651_000_000, delta: 241_000_000 },
    });
    expect(functions.map(({ name }: { name: string }) => name)).toEqual([
      ...['tax', 'gone', 'tiny', 'hash', 'lookup', 'main', 'price'],
    ]);
    expect(functions[0]).toEqual({
      name: 'tax',
      self: { base: 100_000_000, head: 350_000_000, delta: 250_000_000 },
      total: { base: 100_000_000, head: 350_000_000, delta: 250_000_000 },
    });
    expect(functions[1].self).toEqual({ base: 10_000_000, head: 0, delta: -10_000_000 });
  });

  test('refuses profiles without a common sample type', async () => {
    const heap = write('heap.pb', profileBytes({ types: ['space/bytes'], samples: [{ stack: ['f'], values: [1] }] }));
    const { exitCode, stderr } = await run(['diff', base, heap]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: 'Cannot merge the profiles: no sample type is common to all of them.\n',
    });
  });
});

describe('lambda-profile merge', () => {
  test('writes one profile of many, without those that are broken', async () => {
    const { exitCode, stdout, stderr } = await run(['merge', base, broken, head, '-o', 'merged.pb.gz']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toContain('Skipped 1 of 3 profiles:\n');
    expect(stderr).toContain('broken.pb: ');
    const merged = decodeProfile(readFileSync(join(directory, 'merged.pb.gz')));
    const nanos = Array.from({ length: merged.sampleCount }, (_, i) => Number(merged.value(i, 1)));
    expect(nanos.reduce((sum, value) => sum + value, 0)).toBe(1_061_000_000);
  });

  test.each([
    ['nothing that can be read', ['merge', broken, 'missing.pb', '-o', 'x.pb.gz'], 3, 'none of 2 profiles can be read'],
    ['no place to write to', ['merge', base], 2, "required option '-o, --output <file>' not specified"],
    ['a place that is none', ['merge', base, '-o', 'no/such/folder.pb.gz'], 2, 'Cannot write no/such/folder.pb.gz'],
  ])('refuses %s', async (_, args, exitCode, message) => {
    const result = await run(args);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain(message);
  });
});

describe('lambda-profile', () => {
  test('says its version and explains itself', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { exitCode, stdout } = await run(['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: lambda-profile [options] [command]');
  });
});
