import { describe, expect, it } from 'vitest';
import { billedAsDocumented, parseInvocationReport } from '../../src/lambda/invocation-report.ts';

const ID = '8f507cfc-example-4697-b07a-ac58fc914c95';

describe('parseInvocationReport()', () => {
  it('reads a cold invocation in the order of the cloud', () => {
    const tail = `START RequestId: ${ID} Version: 7\nEND RequestId: ${ID}\nREPORT RequestId: ${ID}\tDuration: 80.30 ms\tBilled Duration: 570 ms\tMemory Size: 4096 MB\tMax Memory Used: 97 MB\tInit Duration: 488.91 ms\t\nXRAY TraceId: 1-aa\tSegmentId: bb\tSampled: true\n`;
    expect(parseInvocationReport(tail, ID)).toEqual({
      requestId: ID,
      durationMs: 80.3,
      billedDurationMs: 570,
      memorySizeMb: 4096,
      maxMemoryUsedMb: 97,
      initDurationMs: 488.91,
      status: 'success',
    });
  });

  it('reads the order of the local emulator, with spaces for tabs', () => {
    const tail = `REPORT RequestId: ${ID} Init Duration: 0.47 ms Duration: 303.30 ms Billed Duration: 304 ms Memory Size: 128 MB Max Memory Used: 128 MB`;
    expect(parseInvocationReport(tail)).toMatchObject({
      durationMs: 303.3,
      initDurationMs: 0.47,
      billedDurationMs: 304,
    });
  });

  it('reads SnapStart, a timeout and an out-of-memory error', () => {
    const restored = `REPORT RequestId: ${ID}\tDuration: 149.53 ms\tBilled Duration: 313 ms\tMemory Size: 3538 MB\tMax Memory Used: 163 MB\tRestore Duration: 789.64 ms\tBilled Restore Duration: 163 ms\t`;
    expect(parseInvocationReport(restored)).toMatchObject({
      durationMs: 149.53,
      restoreDurationMs: 789.64,
      billedRestoreDurationMs: 163,
    });
    const failed = `REPORT RequestId: ${ID}\tDuration: 344356.22 ms\tBilled Duration: 344756 ms\tMemory Size: 1024 MB\tMax Memory Used: 1024 MB\tInit Duration: 399.33 ms\tStatus: error\tError Type: Runtime.OutOfMemory`;
    expect(parseInvocationReport(failed)).toMatchObject({ status: 'error', errorType: 'Runtime.OutOfMemory' });
    expect(parseInvocationReport(failed.replace('error', 'timeout'))).toMatchObject({ status: 'timeout' });
  });

  it('reads the JSON format among JSON lines of the function itself', () => {
    const tail = [
      'cut off line"}',
      '{"level":"INFO","message":"platform.report is a word of ours"}',
      `{"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"${ID}","metrics":{"durationMs":147.156,"billedDurationMs":201,"memorySizeMB":256,"maxMemoryUsedMB":123,"restoreDurationMs":500.795,"billedRestoreDurationMs":53},"status":"success"}}`,
      '',
    ].join('\n');
    expect(parseInvocationReport(tail, ID)).toEqual({
      requestId: ID,
      durationMs: 147.156,
      billedDurationMs: 201,
      memorySizeMb: 256,
      maxMemoryUsedMb: 123,
      restoreDurationMs: 500.795,
      billedRestoreDurationMs: 53,
      status: 'success',
    });
  });

  it('answers undefined for a tail without a report, with one of another request, or with an INIT_REPORT only', () => {
    const other = `REPORT RequestId: other-id\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB`;
    expect(parseInvocationReport('')).toBeUndefined();
    expect(parseInvocationReport(other, ID)).toBeUndefined();
    expect(parseInvocationReport('INIT_REPORT Init Duration: 154.03 ms\tPhase: init\tStatus: error')).toBeUndefined();
  });
});

describe('billedAsDocumented()', () => {
  const report = { requestId: ID, memorySizeMb: 128, maxMemoryUsedMb: 60, status: 'success' } as const;
  it('accepts billed == ceil(duration + init + billed restore) and notices a breach', () => {
    expect(billedAsDocumented({ ...report, durationMs: 80.3, initDurationMs: 488.91, billedDurationMs: 570 })).toBe(
      true,
    );
    expect(
      billedAsDocumented({ ...report, durationMs: 149.53, billedRestoreDurationMs: 163, billedDurationMs: 313 }),
    ).toBe(true);
    expect(billedAsDocumented({ ...report, durationMs: 3000, initDurationMs: 305.5, billedDurationMs: 3000 })).toBe(
      false,
    );
  });
});
