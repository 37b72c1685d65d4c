import { expect, test } from 'vitest';
import { countCombinations, relabel } from '../../src/compare/permutation.ts';

const rowsOf = ({ rows, instances, head }: ReturnType<typeof relabel>) =>
  Array.from({ length: rows }, (_, row) => [...head.subarray(row * instances, (row + 1) * instances)].join(''));

test('countCombinations() counts, and gives up beyond its limit', () => {
  expect(countCombinations(10, 5)).toBe(252);
  expect(countCombinations(7, 2)).toBe(21);
  expect(countCombinations(16, 8, 9_999)).toBe(Number.POSITIVE_INFINITY);
});

test('relabel() enumerates every labelling once, the observed one first', () => {
  const rows = rowsOf(relabel([false, false, true, true, true], 'seed'));
  expect(rows[0]).toBe('00111');
  expect(new Set(rows).size).toBe(10);
  expect(rows.every((row) => row.replaceAll('0', '').length === 3)).toBe(true);
});

test('relabel() samples 9,999 labellings of the same sizes when there are too many, and the same for the same seed', () => {
  const isHead = Array.from({ length: 20 }, (_, i) => i >= 12);
  const first = relabel(isHead, 'a..b');
  expect(first).toMatchObject({ exact: false, rows: 10_000 });
  const rows = rowsOf(first);
  expect(rows[0]).toBe('00000000000011111111');
  expect(rows.every((row) => row.replaceAll('0', '').length === 8)).toBe(true);
  expect(rowsOf(relabel(isHead, 'a..b'))).toEqual(rows);
  expect(rowsOf(relabel(isHead, 'a..c'))).not.toEqual(rows);
});

test('relabel() draws every instance equally often', () => {
  const instances = 18;
  const { rows, head } = relabel(
    Array.from({ length: instances }, (_, i) => i % 2 === 0),
    'seed',
  );
  for (let i = 0; i < instances; i++) {
    let count = 0;
    for (let row = 0; row < rows; row++) count += head[row * instances + i]!;
    // 5,000 expected, standard deviation 50.
    expect(Math.abs(count - 5_000)).toBeLessThan(250);
  }
});

test('relabel() mirrors its rows when base and head change places', () => {
  const isHead = Array.from({ length: 18 }, (_, i) => i % 3 === 0);
  const mirrored = rowsOf(
    relabel(
      isHead.map((head) => !head),
      'seed',
    ),
  );
  const flip = (row: string) => row.replaceAll(/./g, (bit) => (bit === '1' ? '0' : '1'));
  expect(mirrored.map(flip)).toEqual(rowsOf(relabel(isHead, 'seed')));
});
