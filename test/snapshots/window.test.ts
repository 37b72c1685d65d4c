import { describe, expect, it } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import type { ProfileType } from '../../src/snapshots/layout.ts';
import { parseSnapshotKey } from '../../src/snapshots/layout.ts';
import { foldSnapshots, parseWindow, type Snapshot } from '../../src/snapshots/window.ts';
import { CPU, HEAP, LEGACY_EMPTY, type ProfileText, snapshotBody, windowOf } from './fixtures.ts';

/** A snapshot as it is collected; without a comment it is in a slot of λ-1. */
function snapshot(type: ProfileType, slot: number, text: ProfileText | string, instance = 'λ-1'): Snapshot {
  const body = typeof text === 'string' ? Buffer.from(text) : snapshotBody(text);
  const profile = decodeProfile(body);
  const window = parseWindow(profile.comments);
  const key = `sparta/pprof/shop/profiles/${type}/${slot}-${type}.${instance}.profile`;
  const etag = `${key} ${slot}`;
  return {
    ...parseSnapshotKey(key, 'sparta/pprof', 'shop')!,
    ...{ etag, lastModifiedMs: 0, bytes: body.length, profile },
    ...(window && { window }),
  };
}

const total = (snapshots: Snapshot[], column: string): number[] =>
  foldSnapshots(snapshots).map(({ profile }) => weighProfile(profile, column).totals[0] ?? 0);

describe('foldSnapshots()', () => {
  const cpu = (seconds: number, nanos: number): ProfileText => ({
    columns: CPU,
    samples: { 'main.handle': [1, nanos] },
    seconds,
  });
  const heap = (seconds: number, alloc: number, inuse: number): ProfileText => ({
    columns: HEAP,
    samples: { 'main.load': [1, alloc, 1, inuse] },
    seconds,
  });

  it('sums windows of CPU', () => {
    expect(total([snapshot('cpu', 0, cpu(3, 30)), snapshot('cpu', 1, cpu(1, 10))], 'cpu')).toEqual([40]);
  });

  it('takes the last less the first of counters, and the last of states, by the time they were taken', () => {
    const rolled = [
      snapshot('heap', 0, heap(30, 900, 50)),
      snapshot('heap', 1, heap(10, 200, 70)),
      snapshot('heap', 2, heap(20, 500, 60)),
    ];
    expect(total(rolled, 'alloc_space')).toEqual([700]);
    expect(total(rolled, 'inuse_space')).toEqual([50]);
  });

  it('sums counters of agents that count windows', () => {
    const delta = (sequence: number): ProfileText => ({
      ...heap(0, 100 * (sequence + 1), 10 * (sequence + 1)),
      comment: windowOf({ sequence }),
    });
    const windows = [snapshot('heap', 0, delta(0)), snapshot('heap', 1, delta(1))];
    expect(total(windows, 'alloc_space')).toEqual([300]);
    expect(total(windows, 'inuse_space')).toEqual([20]);
  });

  it('subtracts the counters at the start of a run that an agent counts from the start of the process', () => {
    const at = (sequence: number, alloc: number, n: number): ProfileText => ({
      ...heap(0, alloc, 5),
      comment: windowOf({ sequence, kind: 'cumulative', invocations: { n, errors: 0, cold: 0 } }),
    });
    expect(total([snapshot('heap', 1, at(1, 900, 10)), snapshot('heap', 0, at(0, 400, 0))], 'alloc_space')).toEqual([
      500,
    ]);
  });

  it('folds empty contention profiles of old Go versions, and new ones', () => {
    expect(total([snapshot('block', 0, LEGACY_EMPTY), snapshot('block', 1, LEGACY_EMPTY)], 'delay')).toEqual([0]);
  });

  it('keeps instances apart, whatever they are called', () => {
    const both = [snapshot('cpu', 0, cpu(1, 1), 'λ-7'), snapshot('cpu', 0, cpu(1, 2), 'i-7')];
    expect(foldSnapshots(both).map(({ instance }) => instance)).toEqual(['i-7', 'λ-7']);
  });
});

describe('parseWindow()', () => {
  it('reads an id that is not known as empty', () => {
    const comment = `lambda-profile:${JSON.stringify(windowOf({ run: null, commit: null }))}`;
    expect(parseWindow(['another comment', comment])).toMatchObject({ run: '', commit: '', function: 'orders' });
  });

  it.each([
    ['no comment', []],
    ['no JSON', ['lambda-profile:{']],
    ['an id with a slash', [`lambda-profile:${JSON.stringify(windowOf({ run: 'a/b' }))}`]],
    ['a negative number', [`lambda-profile:${JSON.stringify(windowOf({ sequence: -1 }))}`]],
    ['too long', [`lambda-profile:${JSON.stringify(windowOf({ more: 'x'.repeat(20_000) }))}`]],
  ])('knows nothing from %s', (_what, comments) => expect(parseWindow(comments)).toBeUndefined());
});
