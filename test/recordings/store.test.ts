import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { fetchBaseline } from '../../src/recordings/baseline.ts';
import type { Manifest, Recording } from '../../src/recordings/recording.ts';
import { fetchRecording, type RecordingPlace, recordingPath, storeRecording } from '../../src/recordings/store.ts';
import { S3Error } from '../cloud/s3/errors.ts';
import { type S3Server, sendError, startS3 } from '../cloud/s3/server.ts';
import { profileOf } from '../pprof/profiles.ts';

const COMMIT = 'a'.repeat(40);
const place: RecordingPlace = { bucket: 'octo', prefix: 'lambda-profile/recordings', functionName: 'orders', key: '' };

let server: S3Server;
let s3: S3Client;
let conflicts = 0;

beforeEach(async () => {
  conflicts = 0;
  server = await startS3({
    accounts: [{ accessKeyId: 'key', secretAccessKey: 'secret' }],
    intercept: (_request, response, operation) => {
      if (operation !== 'PutObject' || conflicts === 0) return false;
      conflicts--;
      sendError(response, new S3Error('ConditionalRequestConflict'));
      return true;
    },
  });
  server.createBucket('octo');
  s3 = new S3Client({
    region: 'eu-west-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  s3.destroy();
  await server.close();
});

function recording(commit = COMMIT, cpuNanos = 5): Recording {
  const manifest: Manifest = {
    schemaVersion: 1,
    tool: 'test',
    functionName: 'orders',
    key: '',
    commit,
    run: 'r',
    measuredAt: '2026-11-20T10:00:00.000Z',
    functionVersion: '7',
    codeSha256: 'x',
    fingerprint: {
      memoryMb: 512,
      architecture: 'arm64',
      runtime: 'nodejs24.x',
      region: 'eu-west-1',
      language: 'node v24',
      agent: 'a',
      engine: 'e',
      intervalUs: 1000,
      flags: [],
    },
    profiles: [],
    instances: [],
    load: { warmup: 0, sent: 1, succeeded: 1, failed: 0, throttled: 0, ambiguous: 0, coldStarts: 1, coverage: 1 },
    reports: { count: 1, durationP50Ms: 1, durationP90Ms: 1, billedMeanMs: 1, maxMemoryMb: 60, initMs: [] },
    verdict: 'pass',
  };
  return { manifest, profiles: new Map([['cpu', decodeProfile(profileOf([[cpuNanos, ['work@src/a.mjs']]]))]]) };
}

describe('storeRecording()', () => {
  it('stores a recording that fetchRecording() reads again, value for value', async () => {
    expect(await storeRecording(s3, place, recording())).toBe('stored');
    const read = (await fetchRecording(s3, place, COMMIT))!;
    expect(read.manifest).toMatchObject({ commit: COMMIT, functionVersion: '7', verdict: 'pass' });
    expect(read.profiles.get('cpu')!.value(0, 1)).toBe(5n);
  });

  it('writes the manifest last', async () => {
    await storeRecording(s3, place, recording());
    const puts = server.requests.filter(({ operation }) => operation === 'PutObject').map(({ key }) => key);
    expect(puts.at(-1)).toBe(`${recordingPath(place, COMMIT)}recording.json`);
  });

  it('keeps what is there: the first of two recordings of a commit wins, whole', async () => {
    await storeRecording(s3, place, recording(COMMIT, 5));
    expect(await storeRecording(s3, place, recording(COMMIT, 9))).toBe('exists');
    expect((await fetchRecording(s3, place, COMMIT))!.profiles.get('cpu')!.value(0, 1)).toBe(5n);
  });

  it('has one winner among twenty concurrent writers, and the rest agree that it exists', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => storeRecording(s3, place, recording(COMMIT, i + 1))),
    );
    expect(results.filter((result) => result === 'stored')).toHaveLength(1);
    const kept = await fetchRecording(s3, place, COMMIT);
    expect(kept!.profiles.get('cpu')!.value(0, 1)).toBe(BigInt(results.indexOf('stored') + 1));
  });

  it('tries again when S3 reports a conflicting write, and gives up with a sentence', async () => {
    conflicts = 3;
    expect(await storeRecording(s3, place, recording())).toBe('stored');
    conflicts = 100;
    await expect(storeRecording(s3, place, recording('b'.repeat(40)))).rejects.toThrow(
      /Cannot store the recording in s3:\/\/octo/,
    );
  });

  it('keeps measurements of one function with different keys apart', () => {
    expect(recordingPath(place, COMMIT)).toBe(`lambda-profile/recordings/orders/${COMMIT}/`);
    expect(recordingPath({ ...place, key: 'big-orders' }, COMMIT)).toBe(
      `lambda-profile/recordings/orders.big-orders/${COMMIT}/`,
    );
  });
});

describe('fetchRecording()', () => {
  it('is undefined for a commit without one, and for one that was interrupted before its manifest', async () => {
    expect(await fetchRecording(s3, place, COMMIT)).toBeUndefined();
    server.put('octo', `${recordingPath(place, COMMIT)}cpu.0000000000000000.pb.gz`, 'half');
    expect(await fetchRecording(s3, place, COMMIT)).toBeUndefined();
  });

  it.each([
    ['not JSON', 'recording.json', '{', /recording.json is not JSON/],
    ['of another schema', 'recording.json', '{"schemaVersion":2}', /recording.json: schemaVersion/],
  ])('refuses a manifest that is %s, for a broken baseline is not a missing one', async (_, file, text, message) => {
    server.put('octo', recordingPath(place, COMMIT) + file, text);
    await expect(fetchRecording(s3, place, COMMIT)).rejects.toThrow(message);
  });

  it('refuses a profile that was replaced or is missing', async () => {
    await storeRecording(s3, place, recording());
    const profile = server.objects('octo').find(({ key }) => key.endsWith('.pb.gz'))!;
    server.put('octo', profile.key, 'something else');
    await expect(fetchRecording(s3, place, COMMIT)).rejects.toThrow(/is not the file that was stored/);
  });
});

describe('fetchBaseline()', () => {
  it('takes the nearest commit that has a recording, and tells how far it is', async () => {
    const commits = Array.from({ length: 30 }, (_, i) => i.toString(16).padStart(40, '0'));
    await storeRecording(s3, place, recording(commits[12]!));
    await storeRecording(s3, place, recording(commits[25]!));
    expect(await fetchBaseline(s3, place, commits)).toMatchObject({
      distance: 12,
      recording: { manifest: { commit: commits[12] } },
    });
    expect(await fetchBaseline(s3, place, commits.slice(0, 12))).toBeUndefined();
    expect(await fetchBaseline(s3, place, [])).toBeUndefined();
  });
});
