import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDelta,
  formatElapsed,
  formatInterval,
  formatPair,
  formatPercent,
  formatProbability,
  formatRatio,
  formatShare,
  formatThreshold,
  formatValue,
} from '../../src/compare/format.ts';

describe('formatValue()', () => {
  it.each([
    [14.4, 'ms', '14.4 ms'],
    [2.43, 'ms', '2.43 ms'],
    [99.96, 'ms', '100 ms'],
    [0.042, 'ms', '42.0 µs'],
    [0, 'ms', '0 ms'],
    [12_345, 'ms', '12.3 s'],
    [1_820_000, 'bytes', '1.82 MB'],
    [999_600, 'bytes', '1.00 MB'],
    [512, 'bytes', '512 B'],
    [2.5e9, 'bytes', '2.50 GB'],
    [1024, 'MB', '1,024 MB'],
    [0.025, 'share', '2.50%'],
    [Number.NaN, 'ms', 'n/a'],
  ] as const)('shows %d %s as %s', (value, unit, expected) => expect(formatValue(value, unit)).toBe(expected));
});

describe('formatPair() and formatDelta()', () => {
  it('use one unit for both sides', () => {
    expect(formatPair(0.05, 2.43, 'ms')).toBe('0.050 → 2.43 ms');
    expect(formatPair(0, 1.21, 'ms')).toBe('0 → 1.21 ms');
    expect(formatPair(Number.NaN, 96, 'MB')).toBe('n/a → 96.0 MB');
  });
  it('show the sign of the quantity', () => {
    expect(formatDelta(0.53, 2.43, 'ms')).toBe('+1.90 ms');
    expect(formatDelta(0.76, 0, 'ms')).toBe('−0.76 ms');
    expect(formatDelta(1, 1, 'ms')).toBe('±0 ms');
    expect(formatDelta(0.002, 0.006, 'share')).toBe('+0.40 points');
    expect(formatDelta(Number.NaN, 1, 'ms')).toBe('n/a');
  });
});

describe('relative changes', () => {
  it('carry a sign and at most one decimal', () => {
    expect(formatPercent(0.15)).toBe('+15.0%');
    expect(formatPercent(-0.124)).toBe('−12.4%');
    expect(formatPercent(3.58)).toBe('+358%');
    expect(formatPercent(0)).toBe('±0.0%');
    expect(formatPercent(0.0002)).toBe('±0.0%');
    expect(formatPercent(11)).toBe('×12.0');
    expect(formatPercent(Number.NaN)).toBe('n/a');
  });
  it('are words when there is nothing to divide by', () => {
    expect(formatRatio(Number.POSITIVE_INFINITY)).toBe('new');
    expect(formatRatio(0)).toBe('gone');
    expect(formatInterval(Number.NaN, Number.NaN)).toBe('—');
    expect(formatInterval(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe('—');
  });
  it('show intervals without needless digits', () => expect(formatInterval(1.093, 1.27)).toBe('+9.3% … +27%'));
  it('show limits, shares and probabilities', () => {
    expect(formatThreshold(0.1)).toBe('+10%');
    expect(formatThreshold(0.125)).toBe('+12.5%');
    expect(formatShare(0.253)).toBe('25%');
    expect(formatShare(0.034)).toBe('3.4%');
    expect(formatProbability(0.00001)).toBe('<0.0001');
    expect(formatProbability(0.0023)).toBe('0.0023');
    expect(formatProbability(0.4)).toBe('0.40');
  });
});

describe('counts and times', () => {
  it('group thousands', () => expect(formatCount(1_234_567)).toBe('1,234,567'));
  it('show minutes only when there are any', () => {
    expect(formatElapsed(412)).toBe('0.4 s');
    expect(formatElapsed(63_100)).toBe('1 min 3 s');
  });
});

it('every number becomes a short text without exponent', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e12, max: 1e12 }), fc.constantFrom('ms', 'bytes', 'MB', 'share'), (value, unit) => {
      expect(formatValue(value, unit)).toMatch(/^(n\/a|−?[\d,]+(\.\d{1,3})?( (s|ms|µs|B|kB|MB|GB)|%))$/);
    }),
  );
});
