import { describe, expect, test } from 'vitest';
import { compareSides } from '../../src/compare/compare.ts';
import type { Comparison } from '../../src/compare/comparison.ts';
import { screen, simulateSide } from './simulation.ts';

const quiet = { instances: 8, functions: 20, samples: 2_000, instanceSd: 0.1, functionSd: 0.03 };
const name = (special: Record<number, string>) => (i: number) => special[i] ?? `fn${i}`;
const changeOf = (comparison: Comparison, key: string) => comparison.functions.find((changed) => changed.key === key)!;

describe('compareSides() and cost that moved', () => {
  test('compares a renamed function with what it was called before', () => {
    const base = simulateSide({ ...quiet, seed: 'b', prefix: 'b', name: name({ 1: 'validate' }) });
    const head = simulateSide({ ...quiet, seed: 'h', prefix: 'h', name: name({ 1: 'validateOrder' }) });
    const comparison = compareSides(base, head, screen);
    expect(changeOf(comparison, 'validateOrder')).toMatchObject({
      presence: 'both',
      renamedFrom: 'validate',
      change: 'moved',
    });
    expect(changeOf(comparison, 'validate')).toBeUndefined();
  });

  test('does not excuse a renamed function that became slower', () => {
    const base = simulateSide({ ...quiet, seed: 'b', prefix: 'b', name: name({ 1: 'validate' }) });
    const head = simulateSide({
      ...quiet,
      seed: 'h',
      prefix: 'h',
      name: name({ 1: 'validateOrder' }),
      factor: (i) => (i === 1 ? 1.6 : 1),
    });
    expect(changeOf(compareSides(base, head, screen), 'validateOrder')).toMatchObject({
      renamedFrom: 'validate',
      change: 'slower',
    });
  });

  // fn1 keeps 60 % of its cost, the rest goes to fn19, which has no cost of its own on the base side.
  const split = (fn1: number, moved: number) => (i: number) => (i === 1 ? fn1 : i === 19 ? moved * (20 / 2) : 1);
  const unsplit = simulateSide({ ...quiet, seed: 'b', prefix: 'b', factor: (i) => (i === 19 ? 0 : 1) });

  test('excuses a part that was split off, and says where it came from', () => {
    const head = simulateSide({ ...quiet, seed: 'h', prefix: 'h', factor: split(0.6, 0.4) });
    const comparison = compareSides(unsplit, head, screen);
    expect(changeOf(comparison, 'fn19')).toMatchObject({ presence: 'new', change: 'moved', movedFrom: 'fn1' });
    expect(changeOf(comparison, 'fn1').change).toBe('moved');
  });

  test('finds the source of moved cost also when only the part that was split off is tested again', () => {
    const head = simulateSide({ ...quiet, seed: 'h', prefix: 'h', factor: split(0.6, 0.4) });
    const fresh = compareSides(unsplit, head, { ...screen, restrictTo: new Set(['fn19']) });
    expect(fresh.functions.map(({ key, change, movedFrom }) => [key, change, movedFrom])).toEqual([
      ['fn19', 'moved', 'fn1'],
    ]);
  });

  test('does not excuse a part that costs much more than what it was split from lost', () => {
    const head = simulateSide({ ...quiet, seed: 'h', prefix: 'h', factor: split(0.6, 1.2) });
    expect(changeOf(compareSides(unsplit, head, screen), 'fn19').change).toBe('slower');
  });

  test('does not let one fall excuse two rises', () => {
    const head = simulateSide({
      ...quiet,
      seed: 'h',
      prefix: 'h',
      factor: (i) => (i === 1 ? 0.5 : i === 2 || i === 3 ? 1.8 : 1),
    });
    const base = simulateSide({ ...quiet, seed: 'b', prefix: 'b' });
    const comparison = compareSides(base, head, screen);
    expect(changeOf(comparison, 'fn2').change).toBe('slower');
    expect(changeOf(comparison, 'fn3').change).toBe('slower');
  });

  test('does not excuse a slower function next to functions that stayed the same', () => {
    const base = simulateSide({ ...quiet, seed: 'b', prefix: 'b' });
    const head = simulateSide({ ...quiet, seed: 'h', prefix: 'h', factor: (i) => (i === 4 ? 1.8 : 1) });
    expect(changeOf(compareSides(base, head, screen), 'fn4').change).toBe('slower');
  });
});
