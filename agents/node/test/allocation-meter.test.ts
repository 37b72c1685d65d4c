import { describe, expect, it } from 'vitest';
import { createAllocationMeter } from '../src/allocation-meter.ts';

describe('createAllocationMeter()', () => {
  const meter = createAllocationMeter();
  /** Allocates arrays of 1,000 numbers: 8 bytes each and a header. */
  const allocate = (arrays: number) => {
    let length = 0;
    for (let i = 0; i < arrays; i++) length += new Array(1000).fill(i).length;
    return length;
  };
  const count = (arrays: number) => {
    meter.begin();
    allocate(arrays);
    return meter.end();
  };

  it('counts what was allocated, freed or not', () => {
    count(100);
    expect(count(1000) / 8_000_000).toBeGreaterThan(0.95);
    expect(count(1000) / 8_000_000).toBeLessThan(1.2);
  });

  it('counts through any number of garbage collections', () => {
    const bytes = count(50_000); // 400 MB, far more than the young generation holds
    expect(bytes / 400_000_000).toBeGreaterThan(0.95);
    expect(bytes / 400_000_000).toBeLessThan(1.1);
  });

  it('counts nothing, or next to nothing, for nothing', () => {
    meter.begin();
    expect(meter.end()).toBeLessThan(20_000);
  });

  it('is 0 for an end without a beginning', () => {
    expect(createAllocationMeter().end()).toBe(0);
  });
});
