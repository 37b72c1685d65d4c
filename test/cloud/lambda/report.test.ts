import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billedDurationMs, type InvocationMetrics, platformLog } from './report.ts';

const ID = '8f507cfc-9e2b-4d3c-bb0f-5a3a4b9c1d2e';
const warm: InvocationMetrics = { durationMs: 0.951, memorySizeMB: 128, maxMemoryUsedMB: 17, status: 'success' };
const now = () => new Date('2026-11-20T10:15:00Z');
const text = platformLog({ format: 'Text', systemLevel: 'INFO' }, now);
const json = platformLog({ format: 'JSON', systemLevel: 'INFO' }, now);

describe('text platform lines', () => {
  test('a warm invocation ends with a TAB', () => {
    expect(text.report(ID, warm)).toBe(
      `REPORT RequestId: ${ID}\tDuration: 0.95 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t\n`,
    );
  });

  test('a cold invocation is billed for its init', () => {
    expect(text.report(ID, { ...warm, durationMs: 80.3, initDurationMs: 488.91 })).toBe(
      `REPORT RequestId: ${ID}\tDuration: 80.30 ms\tBilled Duration: 570 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t` +
        'Init Duration: 488.91 ms\t\n',
    );
  });

  test('a timeout and a crash carry their status last', () => {
    const timeout = text.report(ID, { ...warm, durationMs: 3000, initDurationMs: 476.75, status: 'timeout' });
    expect(timeout).toContain('Duration: 3000.00 ms\tBilled Duration: 3477 ms\t');
    expect(timeout.endsWith('\tInit Duration: 476.75 ms\tStatus: timeout\n')).toBe(true);
    const crash = text.report(ID, { ...warm, status: 'crash', errorType: 'Runtime.ExitError' });
    expect(crash.endsWith('\tMax Memory Used: 17 MB\tStatus: error\tError Type: Runtime.ExitError\n')).toBe(true);
  });

  test('START, END and INIT_REPORT', () => {
    expect(text.start(ID, '$LATEST')).toBe(`START RequestId: ${ID} Version: $LATEST\n`);
    expect(text.end(ID, warm)).toBe(`END RequestId: ${ID}\n`);
    expect(text.initReport(206.721, 'init', 'error', 'Runtime.ExitError')).toBe(
      'INIT_REPORT Init Duration: 206.72 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n',
    );
  });
});

describe('JSON platform lines', () => {
  test('a report carries its metrics and its status', () => {
    expect(JSON.parse(json.report(ID, { ...warm, durationMs: 1233.96, initDurationMs: 463.51 }))).toEqual({
      time: '2026-11-20T10:15:00.000Z',
      type: 'platform.report',
      record: {
        requestId: ID,
        metrics: {
          durationMs: 1233.96,
          billedDurationMs: 1698,
          memorySizeMB: 128,
          maxMemoryUsedMB: 17,
          initDurationMs: 463.51,
        },
        status: 'success',
      },
    });
  });

  test('the system log level WARN keeps only failures', () => {
    const quiet = platformLog({ format: 'JSON', systemLevel: 'WARN' }, now);
    expect(quiet.start(ID, '1') + quiet.end(ID, warm) + quiet.report(ID, warm)).toBe('');
    const record = JSON.parse(quiet.report(ID, { ...warm, status: 'crash', errorType: 'Runtime.ExitError' })).record;
    expect(record).toMatchObject({ status: 'error', errorType: 'Runtime.ExitError' });
  });

  test('runtimeDone of a success is a DEBUG event', () => {
    const verbose = platformLog({ format: 'JSON', systemLevel: 'DEBUG' }, now);
    expect(json.end(ID, warm)).toBe('');
    expect(JSON.parse(verbose.end(ID, warm)).type).toBe('platform.runtimeDone');
  });
});

test('billedDurationMs() is the sum of the printed durations, rounded up', () => {
  const duration = fc.double({ min: 0, max: 900_000, noNaN: true });
  fc.assert(
    fc.property(duration, duration, (durationMs, initDurationMs) => {
      const line = text.report(ID, { ...warm, durationMs, initDurationMs });
      const cents = (field: string) => Number(line.match(`\t${field}: (\\d+\\.\\d\\d) ms`)![1]!.replace('.', ''));
      const printed = cents('Duration') + cents('Init Duration');
      expect(line).toContain(`\tBilled Duration: ${Math.ceil(printed / 100)} ms\t`);
    }),
  );
  expect(billedDurationMs(100.1, 0.9)).toBe(101);
});
