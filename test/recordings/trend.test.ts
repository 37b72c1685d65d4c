import { S3Client } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import type { RecordingPlace } from '../../src/recordings/store.ts';
import { recordingPath, storeRecording } from '../../src/recordings/store.ts';
import { computeTrendPoint, fetchTrend } from '../../src/recordings/trend.ts';
import { startS3 } from '../cloud/s3/server.ts';
import { instance, sampleRecording } from './sample.ts';

const place: RecordingPlace = { bucket: 'octo', prefix: 'lambda-profile/recordings', functionName: 'orders', key: '' };
const commits = Array.from({ length: 50 }, (_, i) => (1000 + i).toString(16).padStart(40, '0'));

async function start() {
  const server = await startS3({ accounts: [{ accessKeyId: 'key', secretAccessKey: 'secret' }] });
  server.createBucket('octo');
  const s3 = new S3Client({
    region: 'eu-west-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    s3.destroy();
    await server.close();
  });
  const store = (commit: string, cpuMs: number | null) =>
    storeRecording(s3, place, sampleRecording(commit, { instances: [{ ...instance, cpuMs }] }));
  return { server, s3, store };
}

it('fetchTrend() tells the CPU per invocation of the last twenty commits that have a recording, oldest first', async () => {
  const { server, s3, store } = await start();
  for (const at of [0, 3, 19, 20]) await store(commits[at]!, 100 * (at + 1));
  const before = server.requests.length;
  expect(await fetchTrend(s3, place, commits)).toEqual({
    points: [19, 3, 0].map((at) => ({ commit: commits[at], cpuMsPerInvocation: at + 1 })),
    unreadable: 0,
  });
  expect(server.requests.slice(before)).toHaveLength(20);
});

it('fetchTrend() leaves out and counts what cannot be read', async () => {
  const { server, s3, store } = await start();
  await store(commits[0]!, 100);
  await store(commits[2]!, null);
  server.put('octo', `${recordingPath(place, commits[1]!)}recording.json`, 'not JSON');
  expect(await fetchTrend(s3, place, commits.slice(0, 3))).toEqual({
    points: [{ commit: commits[0], cpuMsPerInvocation: 1 }],
    unreadable: 1,
  });
  expect(await fetchTrend(s3, place, [])).toEqual({ points: [], unreadable: 0 });
});

it('computeTrendPoint() weighs instances by their invocations, and leaves out those that do not tell', () => {
  const instances = [
    { ...instance, invocations: 100, cpuMs: 100 },
    { ...instance, invocations: 300, cpuMs: 900 },
    { ...instance, cpuMs: null },
  ];
  expect(computeTrendPoint({ commit: 'abc', instances })).toEqual({ commit: 'abc', cpuMsPerInvocation: 2.5 });
});
