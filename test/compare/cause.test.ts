import { describe, expect, test } from 'vitest';
import { callPathOf, findParts } from '../../src/compare/cause.ts';
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

describe('callPathOf()', () => {
  const unit = (display: string, callers: Record<string, number> = {}, kind: 'own' | 'runtime' = 'own') =>
    ({ display, kind, callers: new Map(Object.entries(callers)) }) as const;

  test('goes up by the caller for which the function spends most, and leaves the runtime out', () => {
    const units = new Map([
      ['sort', unit('sort', { price: 10, tax: 90, native: 500 })],
      ['tax', unit('tax', { handler: 5 })],
      ['price', unit('price', { handler: 5 })],
      ['handler', unit('handler', { native: 1 })],
      ['native', unit('(native)', {}, 'runtime')],
    ]);
    expect(callPathOf('sort', units)).toEqual(['handler', 'tax', 'sort']);
    expect(callPathOf('handler', units)).toEqual(['handler']);
  });

  test('ends where functions call each other in a circle, and after twelve', () => {
    const circle = new Map([
      ['even', unit('even', { odd: 2 })],
      ['odd', unit('odd', { even: 1 })],
    ]);
    expect(callPathOf('even', circle)).toEqual(['odd', 'even']);
    const chain = new Map(Array.from({ length: 50 }, (_, i) => [`f${i}`, unit(`f${i}`, { [`f${i + 1}`]: 1 })]));
    expect(callPathOf('f0', chain)).toHaveLength(12);
  });
});
