import { describe, expect, test } from 'vitest';
import { formatPercentage, formatQuantity, tableUnit } from '../../src/pprof/quantity.ts';

// Expected texts are what google/pprof's measurement package prints.
describe('formatQuantity()', () => {
  test.each([
    [1_500_000_000n, 'nanoseconds', 'minimum', '1.50s'],
    [1_500_000_000n, 'nanoseconds', 'ms', '1500ms'],
    [-1_500_000_000n, 'nanoseconds', 's', '-1.50s'],
    [1n, 'nanoseconds', 's', '0'],
    [7_200n, 'seconds', 'minimum', '2hrs'],
    [1152n, 'bytes', 'kB', '1.12kB'],
    [1408n, 'bytes', 'kB', '1.38kB'],
    [1536n, 'bytes', 'seconds', '1536B'],
    [12n, 'count', 'minimum', '12'],
    [12n, 'count', 'count', '12'],
    [12n, 'objects', 'objects', '12objects'],
    [0n, 'bytes', 'minimum', '0'],
    [3_000n, 'milliGCU', 'minimum', '3GCU'],
  ])('%d %s in %s is %s', (value, from, to, expected) => {
    expect(formatQuantity(value, from, to)).toBe(expected);
  });
});

describe('formatPercentage()', () => {
  test.each([
    [1n, 1n, '  100%'],
    [9_994n, 10_000n, '99.94%'],
    [-341n, 10_000n, ' 3.41%'],
    [1n, 800n, ' 0.12%'],
    [3n, 800n, ' 0.38%'],
    [21n, 100_000n, '0.021%'],
    [1n, 100_000_000n, '1e-06%'],
    [0n, 5n, '    0%'],
    [5n, 0n, '    0%'],
    [382n, 1n, '38200.00%'],
  ])('%d of %d is %s', (value, total, expected) => {
    expect(formatPercentage(value, total)).toBe(expected);
  });
});

describe('tableUnit()', () => {
  test('is the unit of the smallest value, or a larger one if the values span much more', () => {
    expect(tableUnit(10_000_000n, 900_000_000n, 'nanoseconds')).toBe('ms');
    expect(tableUnit(10_000_000n, 5_000_000_000n, 'nanoseconds')).toBe('s');
    expect(tableUnit(0n, 2_048n, 'bytes')).toBe('kB');
    expect(tableUnit(1n, 5n, 'count')).toBe('count');
  });
});
