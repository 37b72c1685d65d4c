import { expect, test } from 'vitest';
import { createRecordWriter } from '../../src/cli/load-records.ts';
import type { Invocation } from '../../src/lambda/invoke.ts';

const invocation: Invocation = {
  ...{ op: 'invoke', scheduledMs: 1000.5, lateMs: 0.25, sentMs: 1000.75, receivedMs: 1012.3456789 },
  ...{ attempts: 1, status: 'function-error', errorType: 'RangeError', requestId: 'r-1' },
};

test.each([0, 1, 3])('a document with %i records is JSON, with times from the start', (count) => {
  let text = '';
  const print = (part: string): void => {
    text += part;
  };
  const writer = createRecordWriter(print, { schemaVersion: 1, function: 'orders:7' }, 1000);
  for (let i = 0; i < count; i++) writer.add(invocation);
  writer.end({ end: 'complete', requests: count });
  const record = {
    ...{ op: 'invoke', scheduledMs: 0.5, lateMs: 0.25, sentMs: 0.75, receivedMs: 12.346 },
    ...{ attempts: 1, status: 'function-error', errorType: 'RangeError', requestId: 'r-1' },
  };
  expect(JSON.parse(text)).toEqual({
    ...{ schemaVersion: 1, function: 'orders:7', end: 'complete', requests: count },
    records: new Array(count).fill(record),
  });
});
