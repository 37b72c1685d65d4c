import { describe, expect, it } from 'vitest';
import { createAccount } from '../../src/lambda/account.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { createRecording } from '../../src/recordings/recording.ts';
import { parseSnapshotKey } from '../../src/snapshots/layout.ts';
import { parseWindow, type Snapshot } from '../../src/snapshots/window.ts';
import { CPU, HEAP, snapshotBody, windowOf } from '../snapshots/fixtures.ts';

function snapshot(type: string, slot: number, columns: string[], values: number[], window: object): Snapshot {
  const body = snapshotBody({ columns, samples: { 'main.handle': values }, comment: windowOf(window) });
  const profile = decodeProfile(body);
  const key = `sparta/pprof/orders/profiles/${type}/${slot}-${type}.a1.profile`;
  const place = parseSnapshotKey(key, 'sparta/pprof', 'orders')!;
  return {
    ...place,
    etag: key,
    bytes: body.length,
    lastModifiedMs: 0,
    profile,
    window: parseWindow(profile.comments)!,
  };
}

const none = { n: 0, errors: 0, cold: 1 };
const ten = { n: 10, errors: 0, cold: 0 };
const record = (snapshots: Snapshot[]) =>
  createRecording({
    ...{ tool: 'test', key: '', commit: '0123abc', run: 'run-1', measuredAt: '2026-11-20T12:00:00Z', snapshots },
    account: { ...createAccount(), sent: 10, succeeded: 10 },
    target: {
      ...{ functionName: 'orders', invokeName: 'orders', version: '7', region: 'eu-west-1', codeSha256: '' },
      ...{ memoryMb: 512, timeoutSeconds: 10, architecture: 'x86_64', runtime: 'nodejs24.x' },
    },
  }).manifest;

describe('createRecording() counts the invocations of a window once', () => {
  it('when the cold start is published with it, as type init', () => {
    const window = { invocations: ten, allocatedBytes: 1000 };
    const { instances, load } = record([
      snapshot('cpu', 0, CPU, [1, 10], window),
      snapshot('heap', 0, HEAP, [1, 10, 0, 0], window),
      snapshot('init', 0, CPU, [1, 5], { invocations: none, allocatedBytes: null }),
    ]);
    expect(instances).toMatchObject([{ invocations: 10, cold: 0, windows: 1, allocatedBytes: 1000 }]);
    expect(load.coverage).toBe(1);
  });

  it('when counters are published as they were before it, too', () => {
    const { instances } = record([
      snapshot('heap', 0, HEAP, [1, 40, 0, 0], { invocations: { ...none, cold: 0 }, kind: 'cumulative' }),
      snapshot('heap', 1, HEAP, [1, 90, 0, 0], { sequence: 1, invocations: ten, kind: 'cumulative' }),
      snapshot('cpu', 1, CPU, [1, 10], { sequence: 1, invocations: ten }),
    ]);
    expect(instances).toMatchObject([{ invocations: 10, windows: 1 }]);
  });
});
