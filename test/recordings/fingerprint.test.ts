import { describe, expect, it } from 'vitest';
import { differencesBetween } from '../../src/recordings/fingerprint.ts';

const fingerprint = {
  memoryMb: 1024,
  architecture: 'arm64',
  runtime: 'nodejs24.x',
  region: 'eu-west-1',
  language: 'node v24.21.0',
  agent: 'lambda-profile-node/0.1.0',
  engine: 'dd-pprof/5.20.0',
  intervalUs: 1000,
  flags: ['--a', '--b'],
};

describe('differencesBetween()', () => {
  it('finds nothing between equal environments', () => {
    expect(differencesBetween({ fingerprint }, { fingerprint: { ...fingerprint } })).toEqual([]);
  });

  it('names each field that differs as people call it, with both values', () => {
    const head = { ...fingerprint, memoryMb: 512, flags: ['--a'], intervalUs: 10_000 };
    expect(differencesBetween({ fingerprint }, { fingerprint: head })).toEqual([
      { field: 'memory size', base: '1024 MB', head: '512 MB' },
      { field: 'sampling interval', base: '1000 µs', head: '10000 µs' },
      { field: 'runtime flags', base: '--a --b', head: '--a' },
    ]);
  });
});
