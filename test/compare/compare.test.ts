import { describe, expect, test } from 'vitest';
import { compareSides, confirmComparison, flaggedFunctions, needsConfirmation } from '../../src/compare/compare.ts';
import type { Side } from '../../src/compare/side.ts';
import { screen, simulateSide } from './simulation.ts';

const quiet = { instances: 6, functions: 20, samples: 1_500, instanceSd: 0.1, functionSd: 0.03 };
const base = simulateSide({ ...quiet, seed: 'base', prefix: 'b' });
const same = simulateSide({ ...quiet, seed: 'head', prefix: 'h' });
const doubled = simulateSide({ ...quiet, seed: 'head', prefix: 'h', factor: (i) => (i === 2 ? 2 : 1) });

/** The same side with instances, owners and groups in another order. */
function shuffled(side: Side): Side {
  const { groups, owners, counts, samples, agentValue } = side.weights!;
  const columns = owners.map((_, i) => (i * 7 + 3) % owners.length);
  const rows = groups.map((_, i) => groups.length - 1 - i);
  const reorder = (matrix: Float64Array[]) =>
    rows.map((row) => Float64Array.from(columns, (column) => matrix[row]![column]!));
  return {
    ...side,
    weights: {
      groups: rows.map((row) => groups[row]!),
      owners: columns.map((column) => owners[column]!),
      counts: reorder(counts),
      samples: reorder(samples),
      agentValue,
    },
    instances: side.instances.toReversed(),
  };
}

describe('compareSides()', () => {
  test('names nothing when nothing changed', () => {
    const comparison = compareSides(base, same, screen);
    expect(comparison.functions).toHaveLength(20);
    expect(comparison.functions.filter(({ change }) => change !== 'unchanged')).toEqual([]);
    expect(needsConfirmation(comparison)).toBe(false);
  });

  test('names the one function that takes twice as long, and no other', () => {
    const comparison = compareSides(base, doubled, screen);
    expect([...flaggedFunctions(comparison)]).toEqual(['fn2']);
    const changed = comparison.functions.find(({ key }) => key === 'fn2')!;
    expect(changed.ratio).toBeGreaterThan(1.7);
    expect(changed.ratioLow).toBeLessThan(2);
    expect(changed.ratioHigh).toBeGreaterThan(2);
    expect(changed).toMatchObject({ presence: 'both', headInstances: 6, headInstancesAbove: 6 });
    expect(changed.pSlower).toBeLessThan(0.01);
  });

  test('names a function that became four times as fast, and blames no other for its larger share', () => {
    const faster = simulateSide({ ...quiet, seed: 'head', prefix: 'h', factor: (i) => (i === 0 ? 0.25 : 1) });
    const changes = compareSides(base, faster, screen).functions.filter(({ change }) => change !== 'unchanged');
    expect(changes.map(({ key, change }) => [key, change])).toEqual([['fn0', 'faster']]);
  });

  test('takes out the speed of the machines, which only the totals show', () => {
    const slow = simulateSide({ ...quiet, seed: 'head', prefix: 'h', factor: () => 1.6 });
    const comparison = compareSides(base, slow, screen);
    expect([...flaggedFunctions(comparison)]).toEqual([]);
    expect(comparison.metrics.find(({ id }) => id === 'cpu')).toMatchObject({ change: 'more' });
  });

  test('does not depend on the order of instances, groups or functions', () => {
    expect(compareSides(shuffled(base), shuffled(doubled), screen)).toEqual(compareSides(base, doubled, screen));
  });

  test('mirrors its p values when base and head change places', () => {
    const there = compareSides(base, doubled, screen);
    const back = compareSides(doubled, base, screen);
    for (const changed of there.functions) {
      const mirrored = back.functions.find(({ key }) => key === changed.key)!;
      expect(mirrored.pFaster).toBe(changed.pSlower);
      expect(mirrored.pSlower).toBe(changed.pFaster);
      expect(mirrored.ratio).toBeCloseTo(1 / changed.ratio, 10);
    }
    expect(back.functions.find(({ key }) => key === 'fn2')!.change).toBe('faster');
  });

  test('lists own code first, then the largest change', () => {
    const side = (of: Side): Side => ({
      ...of,
      weights: {
        ...of.weights!,
        owners: of.weights!.owners.map((owner, i) => (i === 2 ? { ...owner, kind: 'library' as const } : owner)),
      },
    });
    const { functions } = compareSides(side(base), side(doubled), screen);
    expect(functions.at(-1)!.key).toBe('fn2');
    const added = functions.slice(0, -1).map((f) => Math.abs(f.headNanosPerInvocation - f.baseNanosPerInvocation));
    expect(added).toEqual(added.toSorted((a, b) => b - a));
  });

  test('leaves out an instance that answered a handful of calls, unless too few would be left', () => {
    const starved = (side: Side, count: number): Side => ({
      ...side,
      instances: side.instances.map((instance, i) => ({ ...instance, invocations: i < count ? 1 : 100, cpuMs: 900 })),
    });
    const { method, metrics } = compareSides(base, starved(same, 1), screen);
    expect([method.baseInstances, method.headInstances]).toEqual([6, 5]);
    expect(metrics.find(({ id }) => id === 'cpu')!.head).toBeCloseTo(9, 9);
    expect(compareSides(base, starved(same, 2), screen).method.headInstances).toBe(6);
  });

  test('shows a new function as infinite growth and a vanished one as none', () => {
    const renamedTo = (name: string) => (i: number) => (i === 1 ? name : `fn${i}`);
    const before = simulateSide({
      ...quiet,
      seed: 'base',
      prefix: 'b',
      name: renamedTo('zebra'),
      file: fileOf('a.ts'),
    });
    const after = simulateSide({
      ...quiet,
      seed: 'head',
      prefix: 'h',
      name: renamedTo('quokka'),
      file: fileOf('b.ts'),
    });
    const { functions } = compareSides(before, after, screen);
    expect(functions.find(({ key }) => key === 'quokka')).toMatchObject({ presence: 'new', ratio: Infinity });
    expect(functions.find(({ key }) => key === 'zebra')).toMatchObject({ presence: 'gone', ratio: 0, ratioLow: 0 });
  });

  test('takes names such as __proto__ for names', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const name = (i: number) => names[i] ?? `fn${i}`;
    const before = simulateSide({ ...quiet, seed: 'base', prefix: 'b', name });
    const after = simulateSide({ ...quiet, seed: 'head', prefix: 'h', name, factor: (i) => (i === 0 ? 2 : 1) });
    const comparison = compareSides(before, after, screen);
    expect([...flaggedFunctions(comparison)]).toEqual(['__proto__']);
    expect(comparison.functions).toHaveLength(20);
  });

  test('leaves out instances without invocations and instances without samples', () => {
    const { weights, instances } = doubled;
    const comparison = compareSides(
      base,
      {
        weights: weights!,
        instances: [
          ...instances.map((instance, i) => (i === 0 ? { ...instance, invocations: 0 } : instance)),
          { ...instances[0]!, id: 'unknown' },
        ],
      },
      screen,
    );
    expect(comparison.method).toMatchObject({ baseInstances: 6, headInstances: 5, headInvocations: 300 });
  });

  test('has nothing to say about functions without profiles, but still about totals', () => {
    const without = (side: Side): Side => ({ ...side, weights: undefined });
    const comparison = compareSides(without(base), without(same), screen);
    expect(comparison.functions).toEqual([]);
    expect(comparison.resolution.every(({ detectable }) => detectable === Infinity)).toBe(true);
    expect(comparison.metrics.find(({ id }) => id === 'cpu')!.ratio).toBeGreaterThan(0);
  });

  test('cries wolf in about 5 % of the runs in which nothing changed', () => {
    const runs = 300;
    let flagged = 0;
    for (let run = 0; run < runs; run++) {
      const side = (prefix: string) =>
        simulateSide({ instances: 5, functions: 25, samples: 800, seed: `${prefix}${run}`, prefix });
      // No floors: this is about the p values alone.
      const { functions } = compareSides(side('b'), side('h'), screen);
      if (functions.some(({ pSlower }) => pSlower <= 0.05)) flagged++;
    }
    // 15 expected, standard deviation 3.8.
    expect(flagged).toBeGreaterThan(3);
    expect(flagged).toBeLessThan(29);
  });
});

describe('confirmComparison()', () => {
  const screened = compareSides(base, doubled, screen);
  const restrictTo = flaggedFunctions(screened);

  test('keeps what fresh instances repeat, with their estimate', () => {
    const fresh = compareSides(
      simulateSide({ ...quiet, seed: 'base again', prefix: 'b' }),
      simulateSide({ ...quiet, seed: 'head again', prefix: 'h', factor: (i) => (i === 2 ? 2 : 1) }),
      { ...screen, restrictTo },
    );
    expect(fresh.functions.map(({ key }) => key)).toEqual(['fn2']);
    const confirmed = confirmComparison(screened, fresh);
    expect(confirmed.method.confirmed).toBe(true);
    expect(confirmed.functions).toHaveLength(20);
    expect(confirmed.functions.find(({ key }) => key === 'fn2')).toEqual(fresh.functions[0]);
  });

  test('drops what they do not repeat', () => {
    const fresh = compareSides(
      simulateSide({ ...quiet, seed: 'base again', prefix: 'b' }),
      simulateSide({ ...quiet, seed: 'head again', prefix: 'h' }),
      { ...screen, restrictTo },
    );
    expect([...flaggedFunctions(confirmComparison(screened, fresh))]).toEqual([]);
  });

  test('takes every total that changed from the fresh instances, growth and saving alike', () => {
    const cpu = (change: 'more' | 'less' | 'unchanged', head: number) => {
      const metric = screened.metrics.find(({ id }) => id === 'cpu')!;
      return { ...screened, metrics: [{ ...metric, change, head }] };
    };
    const of = (a: 'more' | 'less' | 'unchanged', b: 'more' | 'less' | 'unchanged') => {
      const [metric] = confirmComparison(cpu(a, 1), cpu(b, 2)).metrics;
      return [metric!.change, metric!.head];
    };
    expect(of('more', 'more')).toEqual(['more', 2]);
    expect(of('less', 'unchanged')).toEqual(['unchanged', 2]);
    expect(of('less', 'more')).toEqual(['unchanged', 2]);
    expect(of('unchanged', 'more')).toEqual(['unchanged', 1]);
  });
});

function fileOf(other: string): (i: number) => string {
  return (i) => (i === 1 ? other : 'src/app.ts');
}
