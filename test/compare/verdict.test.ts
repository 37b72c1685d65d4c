import { describe, expect, test } from 'vitest';
import { compareSides } from '../../src/compare/compare.ts';
import type { Comparison, FunctionChange, MetricChange } from '../../src/compare/comparison.ts';
import {
  defaultPolicy,
  exitCodeOf,
  type JudgeContext,
  judge,
  measurementError,
  noBaseline,
  skipped,
} from '../../src/compare/verdict.ts';
import { screen, simulateSide } from './simulation.ts';

const parseOrder: FunctionChange = {
  key: 'orders.parseOrder',
  display: 'parseOrder',
  kind: 'own',
  file: 'src/order.ts',
  line: 12,
  presence: 'both',
  baseNanosPerInvocation: 4.1e6,
  headNanosPerInvocation: 4.9e6,
  share: 0.28,
  ratio: 1.18,
  ratioLow: 1.09,
  ratioHigh: 1.27,
  rawRatio: 1.195,
  pSlower: 0.002,
  pFaster: 1,
  headInstancesAbove: 8,
  headInstances: 8,
  change: 'slower',
};
const cpu: MetricChange = {
  id: 'cpu',
  unit: 'ms',
  base: 14.4,
  head: 15.2,
  ratio: 1.056,
  ratioLow: 0.98,
  ratioHigh: 1.13,
  pMore: 0.2,
  pLess: 1,
  change: 'unchanged',
};

function comparisonOf(
  functions: FunctionChange[],
  { metrics = [cpu], ...method }: Partial<Comparison['method']> & { metrics?: MetricChange[] } = {},
): Comparison {
  return {
    functions,
    metrics,
    resolution: [
      { share: 0.2, detectable: 0.22 },
      { share: 0.05, detectable: 0.38 },
      { share: 0.01, detectable: 1.04 },
    ],
    method: {
      baseInstances: 8,
      headInstances: 8,
      baseInvocations: 400,
      headInvocations: 400,
      baseSamples: 7_205,
      headSamples: 8_283,
      functionsTested: 61,
      relabellings: 9_999,
      exact: false,
      seed: 'a..b',
      alpha: 0.05,
      confirmed: true,
      ...method,
    },
  };
}
const context: JudgeContext = { functionName: 'orders-api', differences: [], baselineInterleaved: false };
const decide = (comparison: Comparison, more: Partial<JudgeContext> = {}) =>
  judge(comparison, defaultPolicy, { ...context, ...more });

describe('judge()', () => {
  test('fails a confirmed regression and says function, number and budget in one line', () => {
    const verdict = decide(comparisonOf([parseOrder]), { acceptLabel: 'accept-performance' });
    expect(verdict).toMatchInlineSnapshot(`
      {
        "checks": [],
        "headline": "orders-api: parseOrder uses +18.0% CPU per invocation (4.10 → 4.90 ms), over the +10% budget",
        "kind": "fail",
        "next": "Look at parseOrder (src/order.ts:12) in the flame graph; if the cost is wanted, add the label "accept-performance" and re-run the job.",
        "reasons": [
          "parseOrder: 4.10 → 4.90 ms, +18.0% (95% CI +9.0% … +27%), p = 0.002 (adjusted for 61 functions), 8 of 8 head instances above the base median.",
          "Confirmed on fresh instances of both versions.",
          "This run could have seen (80% power): +22% in functions above 20% of the CPU, +38% in functions above 5% of the CPU, +104% in functions above 1% of the CPU.",
        ],
        "regressed": [
          "orders.parseOrder",
        ],
        "warned": [],
      }
    `);
  });

  test('passes with the totals and what it could have seen', () => {
    expect(decide(comparisonOf([{ ...parseOrder, change: 'unchanged' }]))).toMatchInlineSnapshot(`
      {
        "checks": [],
        "headline": "orders-api: no CPU regression found (14.4 → 15.2 ms per invocation, +5.6%, 95% CI −2.0% … +13%)",
        "kind": "pass",
        "next": "",
        "reasons": [
          "This run could have seen (80% power): +22% in functions above 20% of the CPU, +38% in functions above 5% of the CPU, +104% in functions above 1% of the CPU.",
        ],
        "regressed": [],
        "warned": [],
      }
    `);
  });

  test.each([
    ['an adjusted p above alpha', { pSlower: 0.06 }],
    ['a calibrated change below the threshold', { ratio: 1.09 }],
    ['a raw change below half of it', { rawRatio: 1.04 }],
    ['a share of the CPU that does not matter', { share: 0.02 }],
    ['an increase of too few microseconds', { baseNanosPerInvocation: 4.1e4, headNanosPerInvocation: 4.9e4 }],
    ['cost that only moved', { change: 'moved' as const }],
    ['the runtime, which nobody can review', { kind: 'runtime' as const }],
    ['the garbage collector', { kind: 'gc' as const }],
  ])('does not fail for %s', (_, difference) => {
    const verdict = decide(comparisonOf([{ ...parseOrder, ...difference }]));
    expect(verdict.kind).not.toBe('fail');
    expect(verdict.regressed).toEqual([]);
  });

  test.each(['runtime', 'gc', 'idle'] as const)('does not even warn of %s: nobody can change a line of it', (kind) => {
    const changed = { ...parseOrder, kind, ratio: 2, rawRatio: 2, ratioLow: 1.8, ratioHigh: 2.2 };
    expect(decide(comparisonOf([changed]))).toMatchObject({ kind: 'pass', warned: [] });
  });

  test('does not warn of a function whose interval reaches below no change', () => {
    expect(decide(comparisonOf([{ ...parseOrder, ratioLow: 0.995 }]))).toMatchObject({ kind: 'pass', warned: [] });
  });

  test('warns between the two thresholds', () => {
    const verdict = decide(comparisonOf([{ ...parseOrder, ratio: 1.07 }]));
    expect(verdict).toMatchObject({ kind: 'warn', regressed: [], warned: ['orders.parseOrder'] });
    expect(verdict.headline).toBe(
      'orders-api: parseOrder uses +7.0% CPU per invocation (4.10 → 4.90 ms), over the +5% warning threshold',
    );
  });

  test('without confirmation only fails beyond stricter limits, and says so', () => {
    const unconfirmed = comparisonOf([{ ...parseOrder, ratio: 1.13 }], { confirmed: false });
    expect(decide(unconfirmed)).toMatchObject({ kind: 'warn', warned: ['orders.parseOrder'] });
    expect(decide(unconfirmed).reasons.join(' ')).toContain('Not confirmed against a live base');
    expect(decide(comparisonOf([parseOrder], { confirmed: false })).kind).toBe('fail');
    const lucky = { ...parseOrder, pSlower: 0.02 };
    expect(decide(comparisonOf([lucky], { confirmed: false })).kind).toBe('warn');
  });

  test('never fails below five instances a side, and says what to raise', () => {
    const verdict = decide(comparisonOf([parseOrder], { headInstances: 2 }));
    expect(verdict).toMatchObject({
      kind: 'inconclusive',
      headline: 'orders-api: inconclusive, only 2 distinct instances of the head sent CPU samples (5 needed)',
      regressed: [],
    });
    expect(verdict.next).toContain('Raise `concurrency`');
    expect(decide(comparisonOf([], { baseInstances: 4 })).next).toContain('Record the baseline again');
  });

  test('is inconclusive with two instances a side, whatever they show', () => {
    const side = (prefix: string, factor: number) =>
      simulateSide({
        seed: prefix,
        prefix,
        instances: 2,
        functions: 20,
        samples: 2_000,
        factor: (i) => (i ? 1 : factor),
      });
    const comparison = compareSides(side('b', 1), side('h', 4), screen);
    expect(decide(comparison)).toMatchObject({ kind: 'inconclusive', regressed: [], warned: [] });
    expect(decide(comparison).reasons).toContain('This run could not have seen any change reliably.');
  });

  test('is inconclusive when it could not even have seen a doubling, and says how many invocations could', () => {
    const comparison = { ...comparisonOf([], { headSamples: 166 }), resolution: [{ share: 0.2, detectable: 3 }] };
    expect(decide(comparison)).toMatchObject({
      kind: 'inconclusive',
      headline: 'orders-api: inconclusive, 166 CPU samples are too few to judge',
      next: 'Raise `invocations` to about 2000.',
    });
    expect(decide({ ...comparisonOf([], { functionsTested: 0 }), resolution: [] }).kind).toBe('inconclusive');
  });

  test('warns at most when the environments differ, and says what differs', () => {
    const verdict = decide(comparisonOf([parseOrder]), {
      differences: [{ field: 'memory', base: '512 MB', head: '1024 MB' }],
    });
    expect(verdict).toMatchObject({ kind: 'warn', regressed: ['orders.parseOrder'] });
    expect(verdict.headline).toContain('but the environments differ');
    expect(verdict.reasons).toContain('The environments differ (memory 512 MB → 1024 MB), so nothing can fail.');
    expect(verdict.next).toContain('Record a baseline in the same environment');
  });

  test('records who accepted a regression', () => {
    const verdict = decide(comparisonOf([parseOrder]), {
      acceptedBy: { login: 'octocat', label: 'accept-performance', at: '2026-11-20T10:00:00Z' },
    });
    expect(verdict).toMatchObject({ kind: 'accepted', regressed: ['orders.parseOrder'], next: '' });
    expect(verdict.headline).toMatch(/^orders-api: accepted by @octocat: parseOrder uses/);
    expect(verdict.reasons).toContain(
      'The label "accept-performance", set by @octocat at 2026-11-20T10:00:00Z, accepts it.',
    );
    const unknown = decide(comparisonOf([parseOrder]), { acceptedBy: { login: '', label: 'x', at: '' } });
    expect(unknown.headline).toMatch(/^orders-api: accepted: parseOrder uses/);
    expect(unknown.reasons).toContain('The label "x" accepts it.');
    expect(decide(comparisonOf([]), { acceptedBy: { login: 'octocat', label: 'x', at: '' } }).kind).toBe('pass');
  });

  test('names a new function without an infinite percentage', () => {
    const added = { ...parseOrder, presence: 'new' as const, ratio: Infinity, rawRatio: Infinity, share: 0.06 };
    const verdict = decide(comparisonOf([{ ...added, ratioHigh: Infinity, baseNanosPerInvocation: 0 }]));
    expect(verdict.kind).toBe('fail');
    expect(verdict.headline).toBe(
      'orders-api: parseOrder is new and uses 4.90 ms CPU per invocation (6% of the handler)',
    );
    expect([verdict.headline, ...verdict.reasons].join()).not.toMatch(/Infinity|∞/);
  });

  test('only warns about totals against a stored baseline; interleaved they fail', () => {
    const slow: MetricChange = {
      ...cpu,
      head: 18,
      ratio: 1.25,
      ratioLow: 1.2,
      ratioHigh: 1.3,
      pMore: 0.001,
      change: 'more',
    };
    const comparison = comparisonOf([], { metrics: [slow], confirmed: false });
    expect(decide(comparison)).toMatchObject({
      kind: 'warn',
      headline: 'orders-api: CPU +25.0% per invocation (14.4 → 18.0 ms), over the +5% limit',
    });
    expect(decide(comparison, { baselineInterleaved: true }).kind).toBe('fail');
    expect(decide(comparisonOf([], { metrics: [slow] })).kind).toBe('fail');
  });

  test('wants totals that drift to be surer than anything else', () => {
    const slow: MetricChange = { ...cpu, head: 18, ratio: 1.25, ratioLow: 1.05, pMore: 0.015, change: 'more' };
    expect(decide(comparisonOf([], { metrics: [slow] })).kind).toBe('warn');
  });

  test('does not warn about totals that were measured side by side and may as well be unchanged', () => {
    const noisy: MetricChange = { ...cpu, head: 16, ratio: 1.13, ratioLow: 0.98, pMore: 0.019, change: 'more' };
    expect(decide(comparisonOf([], { metrics: [noisy] })).kind).toBe('pass');
    expect(decide(comparisonOf([], { metrics: [noisy], confirmed: false })).kind).toBe('warn');
  });

  test('fails on more allocation even against a stored baseline', () => {
    const allocated: MetricChange = {
      ...cpu,
      id: 'allocated',
      unit: 'bytes',
      base: 1.82e6,
      head: 2.2e6,
      ratio: 1.21,
      ratioLow: 1.17,
      ratioHigh: 1.25,
      pMore: 0.0005,
      change: 'more',
    };
    const noisy = { ...allocated, ratioLow: 0.99 };
    expect(decide(comparisonOf([], { metrics: [noisy], confirmed: false })).kind).toBe('pass');
    expect(decide(comparisonOf([], { metrics: [cpu, allocated], confirmed: false }))).toMatchObject({
      kind: 'fail',
      headline: 'orders-api: allocated memory +21.0% per invocation (1.82 → 2.20 MB), over the +10% limit',
    });
  });

  test('fails on new errors before anything else, even with two instances', () => {
    const errors: MetricChange = {
      ...cpu,
      id: 'errors',
      unit: 'share',
      base: 0,
      head: 0.025,
      ratio: Infinity,
      change: 'more',
    };
    const verdict = decide(comparisonOf([parseOrder], { metrics: [cpu, errors], headInstances: 2 }));
    expect(verdict).toMatchObject({
      kind: 'fail',
      headline: 'orders-api: 2.5% of the invocations fail, none did before',
      next: 'Open the log of a failed invocation and fix the error first.',
    });
  });

  test('warns when memory comes close to its limit', () => {
    const memory: MetricChange = { ...cpu, id: 'memory', unit: 'MB', base: 400, head: 470, change: 'unknown' };
    const comparison = comparisonOf([], { metrics: [cpu, memory] });
    expect(decide(comparison, { memoryMb: 512 })).toMatchObject({
      kind: 'warn',
      headline: 'orders-api: peak memory of 470 MB is above 90% of the configured 512 MB',
    });
    expect(decide(comparison, { memoryMb: 1024 }).kind).toBe('pass');
  });

  test('keeps hostile names on one short line', () => {
    const hostile = { ...parseOrder, display: `evil\n::error::x\u202e${'a'.repeat(500)}` };
    const { headline, reasons } = decide(comparisonOf([hostile]));
    for (const sentence of [headline, ...reasons]) expect(sentence).not.toMatch(/[\n\u202e]/);
    expect(headline.length).toBeLessThan(250);
  });

  test('never claims that there is no regression', () => {
    const { headline, reasons } = decide(comparisonOf([]));
    expect(headline).toContain('no CPU regression found');
    expect(reasons.join(' ')).toContain('This run could have seen (80% power): +22%');
  });
});

describe('verdicts without a comparison', () => {
  test('a first run says so, aloud', () => {
    const verdict = noBaseline({ functionName: 'orders-api', baseBranch: 'main', recorded: true });
    expect(verdict.kind).toBe('no-baseline');
    expect(verdict.headline).toBe('orders-api: first profile recorded, nothing to compare with yet');
    expect(verdict.next).toContain('push to main');
  });

  test('a skipped run names its reason and the way out', () => {
    const verdict = skipped({
      functionName: 'orders-api',
      reason: 'the pull request comes from a fork',
      next: 'Do X.',
    });
    expect(verdict).toMatchObject({
      kind: 'skipped',
      headline: 'orders-api: not measured, the pull request comes from a fork',
      next: 'Do X.',
    });
  });

  test('a broken measurement is neither pass nor regression, and lists what was checked', () => {
    const checks = [{ what: 'Snapshots', state: 'failed' as const, found: '0 objects after 90 s' }];
    expect(measurementError('no snapshot arrived', checks, 'Redeploy.')).toMatchObject({
      kind: 'error',
      headline: 'Not measured: no snapshot arrived',
      checks,
      next: 'Redeploy.',
    });
  });
});

test('exitCodeOf() follows the table of exit codes', () => {
  const codes = Object.fromEntries(
    (['pass', 'warn', 'accepted', 'no-baseline', 'skipped', 'fail', 'error', 'inconclusive'] as const).map((kind) => [
      kind,
      exitCodeOf({ kind }, { failOnError: true }),
    ]),
  );
  expect(codes).toEqual({
    pass: 0,
    warn: 0,
    accepted: 0,
    'no-baseline': 0,
    skipped: 0,
    fail: 1,
    error: 3,
    inconclusive: 0,
  });
  expect(exitCodeOf({ kind: 'error' }, { failOnError: false })).toBe(0);
  expect(exitCodeOf({ kind: 'inconclusive' }, { failOnError: true, failOnInconclusive: true })).toBe(4);
});
