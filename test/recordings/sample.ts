import { decodeProfile } from '../../src/pprof/decode.ts';
import type { InstanceAccount, Manifest, Recording } from '../../src/recordings/recording.ts';
import { profileOf } from '../pprof/profiles.ts';

export const instance: InstanceAccount = {
  id: 'i-1',
  windows: 1,
  invocations: 100,
  errors: 0,
  cold: 0,
  cpuMs: 250,
  activeMs: 300,
  durationP50Ms: 3,
  allocatedBytes: null,
};

/** A recording of one small CPU profile. */
export function sampleRecording(commit: string, more: Partial<Manifest> = {}, stack = ['work@src/a.mjs']): Recording {
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
    instances: [instance],
    load: {
      warmup: 0,
      sent: 100,
      succeeded: 100,
      failed: 0,
      throttled: 0,
      ambiguous: 0,
      coldStarts: 1,
      coverage: 1,
    },
    reports: { count: 1, durationP50Ms: 1, durationP90Ms: 1, billedMeanMs: 1, maxMemoryMb: 60, initMs: [] },
    verdict: 'pass',
    ...more,
  };
  return { manifest, profiles: new Map([['cpu', decodeProfile(profileOf([[5, stack]]))]]) };
}
