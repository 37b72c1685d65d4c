import { describe, expect, it } from 'vitest';
import type { Invocation } from '../../src/lambda/invoke.ts';
import {
  countCall,
  createLoadTally,
  type LoadSummary,
  renderLoadSummary,
  summarizeLoad,
} from '../../src/lambda/load-summary.ts';

const call = (i: number, extra: Partial<Invocation> = {}): Invocation => ({
  op: 'invoke',
  scheduledMs: i * 20,
  lateMs: 0,
  sentMs: i * 20,
  receivedMs: i * 20 + 10 + (i % 10),
  attempts: 1,
  status: 'succeeded',
  report: {
    requestId: String(i),
    durationMs: 5 + (i % 10),
    billedDurationMs: 5 + (i % 10),
    memorySizeMb: 512,
    maxMemoryUsedMb: 90,
    status: 'success',
  },
  ...extra,
});

function summaryOf(records: Invocation[]): LoadSummary {
  const tally = createLoadTally();
  for (const record of records) countCall(tally, record);
  return summarizeLoad(tally);
}

describe('summarizeLoad()', () => {
  it('counts what was measured: rate, throughput, latency from the schedule, durations, errors', () => {
    const records = Array.from({ length: 100 }, (_, i) => call(i));
    records[7] = call(7, { status: 'function-error', errorType: 'RangeError' });
    records[8] = call(8, { lateMs: 400, sentMs: 560, receivedMs: 600, attempts: 3 });
    const summary = summaryOf([call(0, { op: 'warmup' }), ...records]);
    expect(summary).toMatchObject({
      requests: 100,
      attackMs: 1980,
      success: 0.99,
      statuses: { succeeded: 99, 'function-error': 1 },
      errorTypes: [['RangeError', 1]],
      late: 1,
      throttled: 2,
      maxMemoryMb: 90,
    });
    expect(summary.ratePerSecond).toBeCloseTo(50, 9);
    expect(summary.latency!.maxMs).toBe(440);
    expect(summary.duration!.p50Ms).toBeCloseTo(9, 1);
    expect(summary.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(100);
  });

  it('is empty, not broken, without a call', () => {
    const summary = summaryOf([]);
    expect(summary).toMatchObject({ requests: 0, ratePerSecond: 0, latency: null, histogram: [] });
    expect(renderLoadSummary(summary)).toContain('Requests');
  });
});

describe('renderLoadSummary()', () => {
  it('prints totals, spreads and a histogram', () => {
    const records = Array.from({ length: 100 }, (_, i) => call(i));
    records[7] = call(7, { status: 'function-error', errorType: 'Bad\u001b[31mName' });
    expect(renderLoadSummary(summaryOf(records))).toMatchInlineSnapshot(`
      "Requests   [total, rate, throughput]     100, 50.00/s, 49.52/s
      Time       [total, attack, wait]         2s, 1.98s, 19ms
      Latencies  [min, mean, 50, 90, 95, max]  10ms, 14.5ms, 14ms, 18ms, 19ms, 19ms
      Durations  [min, mean, 50, 90, 95, max]  5ms, 9.5ms, 9ms, 13ms, 14ms, 14ms
      Billed     [min, mean, 50, 90, 95, max]  5ms, 9.5ms, 9ms, 13ms, 14ms, 14ms
      Memory     [max]                         90 MB
      Success    [ratio]                       99.00%
      Status     [status:count]                succeeded:99  function-error:1
      Error types:
        Bad?[31mName: 1

      Latency         #       %
      <= 15ms        50   50.00  ####################
      <= 20ms        50   50.00  ####################
      "
    `);
  });
});
