import { describe, expect, test } from 'vitest';
import { findParts } from '../../src/compare/cause.ts';
import type { FunctionChange } from '../../src/compare/comparison.ts';

function slower(key: string, addedNanos: number): FunctionChange {
  return {
    key,
    change: 'slower',
    baseNanosPerInvocation: 100,
    headNanosPerInvocation: 100 + addedNanos,
  } as FunctionChange;
}

const calls: Record<string, string[]> = { sort: ['handler'], parse: ['handler'] };
const callersOf = (key: string) => new Set(calls[key]);
const partsOf = (...changes: FunctionChange[]) =>
  [...findParts(changes, callersOf)].map(([part, { key }]) => [part, key]);

describe('findParts()', () => {
  test('takes a caller that grew a little for a part of the callee that grew much', () => {
    expect(partsOf(slower('handler', 10), slower('sort', 100))).toEqual([['handler', 'sort']]);
  });

  test('leaves a caller that grew by more than a quarter of its callee a finding of its own', () => {
    expect(partsOf(slower('handler', 26), slower('sort', 100))).toEqual([]);
  });

  test('never explains a callee by its caller, nor functions that do not call each other', () => {
    expect(partsOf(slower('handler', 100), slower('sort', 10))).toEqual([]);
    expect(partsOf(slower('sort', 100), slower('parse', 10))).toEqual([]);
  });

  test('names the largest of several callees', () => {
    expect(partsOf(slower('parse', 80), slower('sort', 100), slower('handler', 10))).toEqual([['handler', 'sort']]);
  });
});
