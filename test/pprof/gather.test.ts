import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gatherProfiles } from '../../src/pprof/gather.ts';
import { profileBytes, samplesOf } from './fixtures.ts';

const source = (name: string, bytes: Uint8Array) => ({ name, read: async () => bytes });
const window = (cpu: number, types?: string[]) =>
  gzipSync(profileBytes({ ...(types && { types }), samples: [{ stack: ['work', 'main'], values: [1, cpu] }] }));

describe('gatherProfiles()', () => {
  test('merges snapshots as they arrive', async () => {
    const { profile, broken } = await gatherProfiles(Array.from({ length: 20 }, (_, i) => source(`${i}`, window(i))));
    expect(samplesOf(profile)).toEqual(['work;main {} 20,190']);
    expect(broken).toEqual([]);
  });

  test('leaves out a broken snapshot and names it', async () => {
    const { profile, broken } = await gatherProfiles([
      source('first', window(1)),
      source('empty', new Uint8Array()),
      source('cut', window(5).subarray(0, 30)),
      source('last', window(2)),
    ]);
    expect(samplesOf(profile)).toEqual(['work;main {} 2,3']);
    expect(broken).toEqual([
      { name: 'empty', reason: 'Cannot read the profile: it is empty.' },
      { name: 'cut', reason: expect.stringContaining('gzip data is damaged') },
    ]);
  });

  test('merges snapshots of different sample types by those they share', async () => {
    const { profile } = await gatherProfiles([
      source('nanoseconds', window(1_000)),
      source('microseconds', window(2, ['samples/count', 'cpu/microseconds'])),
    ]);
    expect(samplesOf(profile)).toEqual(['work;main {} 2,3000']);
  });

  test('fails if there is nothing to merge, or if reading fails', async () => {
    await expect(gatherProfiles([])).rejects.toThrow('at least one is needed');
    await expect(gatherProfiles([source('a', Buffer.from('x'))])).rejects.toThrow(
      'none of 1 profiles can be read. The first, a:',
    );
    const failing = { name: 'b', read: () => Promise.reject(new Error('no such file')) };
    await expect(gatherProfiles([source('a', window(1)), failing])).rejects.toThrow('no such file');
  });
});
