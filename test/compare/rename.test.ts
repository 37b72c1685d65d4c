import { describe, expect, test } from 'vitest';
import { pairRenamed } from '../../src/compare/rename.ts';
import type { Owner } from '../../src/pprof/owners.ts';

function owner(display: string, rest: Partial<Omit<Owner, 'callers' | 'callees'>> & Edges = {}): Owner {
  const { callers = { handler: 1 }, callees = {}, ...others } = rest;
  return {
    key: display,
    display,
    kind: 'own',
    file: 'src/orders.ts',
    line: 1,
    ...others,
    callers: new Map(Object.entries(callers)),
    callees: new Map(Object.entries(callees)),
  };
}
interface Edges {
  callers?: Record<string, number>;
  callees?: Record<string, number>;
}
const side = (...owners: Owner[]) => ({
  candidates: owners.map((each) => ({ owner: each, nanos: 100 })),
  totalNanos: 1_000,
});
const pair = (before: Owner[], after: Owner[], evidence = {}) =>
  Object.fromEntries(pairRenamed(side(...before), side(...after), evidence));

describe('pairRenamed()', () => {
  test('pairs a function with a similar name, the same caller and the same file', () => {
    expect(pair([owner('validate')], [owner('validateOrder')])).toEqual({ validate: 'validateOrder' });
  });

  test('pairs by what a function calls when its name says nothing', () => {
    const callees = { 'JSON.parse': 50, 'zod.parse': 30, hash: 20 };
    expect(pair([owner('alpha', { callees })], [owner('zulu', { callees })])).toEqual({ alpha: 'zulu' });
  });

  test('pairs a function that moved to another package under its old name', () => {
    expect(pair([owner('orders.Apply', { file: 'a.go' })], [owner('pricing.Apply', { file: 'b.go' })])).toEqual({
      'orders.Apply': 'pricing.Apply',
    });
  });

  test('trusts a file renamed by the pull request', () => {
    const before = owner('old/parse', { file: 'src/old.ts', callers: { a: 1 } });
    const after = owner('new/parse', { file: 'src/new.ts', callers: { b: 1 } });
    expect(pair([before], [after])).toEqual({});
    expect(pair([before], [after], { renames: [{ from: 'src/old.ts', to: 'src/new.ts' }] })).toEqual({
      'old/parse': 'new/parse',
    });
  });

  test('never pairs on cost and place alone', () => {
    expect(pair([owner('applyTax')], [owner('fetchStock')], { changedFiles: ['src/orders.ts'] })).toEqual({});
  });

  test('never pairs when two candidates are equally good', () => {
    expect(pair([owner('parse')], [owner('parseA'), owner('parseB')])).toEqual({});
  });

  test('takes the better of two candidates, and each only once', () => {
    expect(pair([owner('parse'), owner('parseAll')], [owner('parseX')])).toEqual({ parse: 'parseX' });
  });

  test('does not pair own code with a library, nor functions too small to matter', () => {
    expect(pair([owner('validate')], [owner('validateOrder', { kind: 'library' })])).toEqual({});
    const small = (each: Owner) => ({ candidates: [{ owner: each, nanos: 4 }], totalNanos: 1_000 });
    expect(pairRenamed(small(owner('validate')), small(owner('validateOrder')), {}).size).toBe(0);
  });

  test('ignores neighbours that were renamed themselves', () => {
    const before = [owner('outer', { callees: { inner: 1 } }), owner('inner', { callers: { outer: 1 } })];
    const after = [owner('outerV2', { callees: { innerV2: 1 } }), owner('innerV2', { callers: { outerV2: 1 } })];
    // outer still has the handler above it; inner has only its name left, which is not enough.
    expect(pair(before, after)).toEqual({ outer: 'outerV2' });
  });
});
