import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderViewerModule } from '../../../build/viewer.ts';
import { fitLabel, frameFacts, frameName, framePresence } from '../../../src/report/flamegraph/frame.ts';
import { computeFlameGraph } from '../../../src/report/flamegraph/layout.ts';
import { frameBeside } from '../../../src/report/flamegraph/viewer/keyboard.ts';
import {
  computeMatcher,
  findFrame,
  findLargestRise,
  findMatches,
} from '../../../src/report/flamegraph/viewer/search.ts';
import { firstState, formatHash, parseHash } from '../../../src/report/flamegraph/viewer/state.ts';
import { hostileNames } from '../samples.ts';
import { ordersTree } from './sample-trees.ts';

const graph = computeFlameGraph(ordersTree());
const named = (end: string) =>
  Array.from(graph.name).findIndex((name) => name >= 0 && graph.names[name]!.endsWith(end));

describe('the address', () => {
  it('keeps every state', () => {
    const states = fc.record({
      tab: fc.nat(2),
      width: fc.constantFrom('head' as const, 'base' as const, 'both' as const),
      colour: fc.constantFrom('total' as const, 'self' as const),
      frame: fc.oneof(fc.string(), fc.constantFrom(...hostileNames.map((name) => name.toWellFormed()))),
      view: fc.constantFrom('flame' as const, 'callers' as const),
      query: fc.string(),
      before: fc.string(),
      after: fc.string(),
    });
    fc.assert(fc.property(states, (state) => void expect(parseHash(formatHash(state), 3)).toEqual(state)));
  });
  it('is empty for the first state, and anything strange leads there', () => {
    expect(formatHash(firstState)).toBe('');
    for (const hash of ['', '#', '#t=9&w=x&c=y&v=z', '#t=-1', '#%%%']) expect(parseHash(hash, 2)).toEqual(firstState);
  });
});

describe('search', () => {
  it('takes regular expressions, and plain text when it is none', () => {
    expect(computeMatcher('^sort\\.')('sort.Slice')).toBe(true);
    expect(computeMatcher('(*Engine)')('pricing.(*Engine).Apply')).toBe(true);
    expect(computeMatcher('(*Engine).Apply')('pricing.(*Engine).Apply')).toBe(true);
    expect(computeMatcher('SORT')('pricing.sortRules')).toBe(true);
    expect(computeMatcher('[')('a[b')).toBe(true);
  });
  it('counts outermost frames only', () => {
    const matches = findMatches(graph, computeMatcher('pricing'), 'head');
    expect(matches.nodes.map((node) => frameName(graph, node))).toEqual([
      'github.com/octo-org/orders/pricing.(*Engine).Apply',
    ]);
    expect(matches.head).toBeCloseTo(graph.head[named('(*Engine).Apply')]!);
  });
  it('finds a function by its full name and by the name tables show', () => {
    const node = named('/pricing.sortRules');
    expect(findFrame(graph, 'github.com/octo-org/orders/pricing.sortRules')).toBe(node);
    expect(findFrame(graph, 'pricing.sortRules')).toBe(node);
    expect(findFrame(graph, 'icing.sortRules')).toBe(-1);
    expect(findFrame(graph, 'nothing')).toBe(-1);
  });
  it('follows gross rises to the largest one, past a fall that hides it', () => {
    expect(frameName(graph, findLargestRise(graph))).toMatch(/sort/);
  });
});

describe('arrow keys', () => {
  it('lead to callers, callees and neighbours that have a width', () => {
    const apply = named('(*Engine).Apply');
    const rules = named('/pricing.sortRules');
    expect(frameBeside(graph, graph.head, rules, 'parent')).toBe(apply);
    expect(frameBeside(graph, graph.head, apply, 'child')).toBe(rules);
    expect(frameName(graph, frameBeside(graph, graph.head, rules, 'next'))).toMatch(/roundHalfEven/);
    expect(frameName(graph, frameBeside(graph, graph.both, rules, 'next'))).toMatch(/legacyTaxTable/);
  });
  it('stay where nothing is', () => {
    expect(frameBeside(graph, graph.head, 0, 'parent')).toBe(0);
    expect(frameBeside(graph, graph.head, 0, 'next')).toBe(0);
    const leaf = named('sortRules.func');
    expect(frameBeside(graph, graph.head, leaf, 'child')).toBe(leaf);
  });
});

describe('facts about a frame', () => {
  it('hold the net, its share, both gross changes, the noise and self', () => {
    expect(frameFacts(graph, named('(*Engine).Apply'), graph.base[0]!, graph.head[0]!)).toEqual([
      '2.20 → 3.37 ms per invocation: +1.17 ms (+53.2%)',
      '+11.9% of the base total',
      'gross ▲ 1.93 ms, ▼ 0.76 ms',
      'above its noise of ±0.12 ms',
      'self 0.50 → 0.52 ms',
    ]);
  });
  it('hold one side when there is one', () => {
    const first = computeFlameGraph(ordersTree('head'));
    expect(frameFacts(first, 0, 0, first.head[0]!)).toEqual(['12.1 ms per invocation, 100% of all', 'self 0 ms']);
  });
  it('say new and gone only above the noise', () => {
    expect(framePresence(graph, named('validateSKU'))).toBe('new');
    expect(framePresence(graph, named('legacyTaxTable'))).toBe('gone');
    expect(framePresence(graph, named('sort.Slice'))).toBe('both');
  });
  it('fit a label by leaving out the path, then the end', () => {
    expect(fitLabel('▲ ', 'github.com/octo-org/orders/pricing.sortRules', 60)).toMatch(/^▲ github/);
    expect(fitLabel('▲ ', 'github.com/octo-org/orders/pricing.sortRules', 20)).toBe('▲ pricing.sortRules');
    expect(fitLabel('▲ ', 'github.com/octo-org/orders/pricing.sortRules', 8)).toBe('▲ prici…');
    expect(fitLabel('▲ ', 'name', 2)).toBe('');
    expect(fitLabel('', 'tick (node:internal/process/task_queues)', 12)).toBe('tick (node:…');
    expect(fitLabel('', 'example.com/a/b.(*T[example.com/c.D]).run', 24)).toBe('b.(*T[example.com/c.D])…');
  });
});

it('viewer.generated.ts is what build/viewer.ts writes', async () => {
  const file = new URL('../../../src/report/flamegraph/viewer.generated.ts', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(await renderViewerModule());
});
