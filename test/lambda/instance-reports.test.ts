import { describe, expect, it } from 'vitest';
import { createPendingReports, noteAnswer, reportsByInstance } from '../../src/lambda/instance-reports.ts';
import type { Answer, Invocation } from '../../src/lambda/invoke.ts';

const times = { scheduledMs: 0, lateMs: 0, sentMs: 0, receivedMs: 1, attempts: 1, status: 'succeeded' as const };

function answer(op: Invocation['op'], id: string, billedDurationMs: number, more = {}, reply?: object): Answer {
  const requestId = `${id}-1234-4abc-8def-000000000000`;
  const report = {
    ...{ requestId, durationMs: billedDurationMs - 0.5, billedDurationMs, memorySizeMb: 512, maxMemoryUsedMb: 80 },
    status: 'success' as const,
    ...more,
  };
  return { invocation: { op, ...times, requestId, report }, payload: Buffer.from(JSON.stringify(reply ?? {})) };
}
const flushed = (instance: string, requests: string, more = {}): Answer =>
  answer('flush', 'ffffffff', 300, more, {
    'lambda-profile': { v: 1, instance, run: 'r', invocations: requests.length / 8, requests, published: [] },
  });

describe('reports of instances', () => {
  it('go to the instance whose agent names their requests, however many windows it has', () => {
    const pending = createPendingReports();
    for (const [id, billedMs] of [
      ['0000000a', 10],
      ['0000000b', 20],
      ['abcdef01', 40],
    ] as const)
      noteAnswer(pending, answer('invoke', id, billedMs));
    noteAnswer(pending, flushed('i-1', '0000000b'));
    noteAnswer(pending, flushed('i-2', 'abcdef01'));
    noteAnswer(pending, flushed('i-1', '0000000a'));
    expect(reportsByInstance(pending)).toEqual(
      new Map([
        ['i-1', { billedMeanMs: 15, initMs: null }],
        ['i-2', { billedMeanMs: 40, initMs: null }],
      ]),
    );
    expect(pending.waiting.size).toBe(0);
  });

  it('know the init of an instance from the flush that brought it up, and from a cold call, which is billed apart', () => {
    const pending = createPendingReports();
    noteAnswer(pending, flushed('i-1', '', { initDurationMs: 150 }));
    noteAnswer(pending, answer('invoke', '0000000a', 500, { initDurationMs: 480 }));
    noteAnswer(pending, answer('invoke', '0000000b', 20));
    noteAnswer(pending, flushed('i-2', '0000000a0000000b'));
    expect(reportsByInstance(pending).get('i-1')).toEqual({ billedMeanMs: null, initMs: 150 });
    expect(reportsByInstance(pending).get('i-2')).toEqual({ billedMeanMs: 20, initMs: 480 });
  });

  it('are not known for a producer that names no requests, nor of warm-up calls', () => {
    const pending = createPendingReports();
    noteAnswer(pending, answer('warmup', '0000000a', 10));
    noteAnswer(pending, answer('invoke', '0000000b', 10));
    noteAnswer(pending, flushed('i-1', ''));
    noteAnswer(pending, { ...answer('flush', '0000000c', 10), payload: Buffer.from('not an answer of ours') });
    expect(reportsByInstance(pending)).toEqual(new Map([['i-1', { billedMeanMs: null, initMs: null }]]));
  });
});
