/** Reports in every state, for goldens and for looking at. */
import type { Comparison, FunctionChange, MetricChange, MetricId } from '../../src/compare/comparison.ts';
import type { MeasuredSide, Report } from '../../src/report/report.ts';

const baseCommit = '4c2dece0b1a2938475665748392a1b0c9d8e7f60';
const headCommit = '8f3a1b0c0ffee112233445566778899aabbccdde';

export function sampleSide(commit: string, cpuMs: number): MeasuredSide {
  return {
    commit,
    functionVersion: commit === baseCommit ? '41' : '42',
    measuredAt: '2026-03-02T10:15:30Z',
    instances: Array.from({ length: 8 }, (_, index) => ({
      id: `i-${(0x1a2b3c00 + index).toString(16)}`,
      invocations: 625,
      errors: index === 3 ? 1 : 0,
      cpuMsPerInvocation: cpuMs * (1 + (index - 3.5) * 0.008),
      durationP50Ms: cpuMs * 1.6 + index * 0.1,
      windows: 2,
      durationP95Ms: cpuMs * 2.1 + index,
      billedMeanMs: cpuMs * 1.7 + index * 0.2,
      initMs: 180 + index,
      maxMemoryMb: 96,
      allocatedBytesPerInvocation: 1_820_000 + 1_000 * index,
    })),
    invocations: { sent: 5000, succeeded: 4999, failed: 1, throttled: 0, ambiguous: 0, cold: 8 },
    environment: {
      memoryMb: 1024,
      architecture: 'arm64',
      runtime: 'provided.al2023',
      region: 'eu-west-1',
      language: 'go',
      agent: 'lambda-profile-go 0.1.0',
      intervalUs: 10_000,
    },
    cost: { known: true, currency: 'USD', asOf: '2026-03-01', perMillion: 0.0404 * cpuMs },
  };
}

/** A function whose CPU went from `baseMs` to `headMs` per invocation; the rest follows from the two. */
export function sampleFunction(
  display: string,
  baseMs: number,
  headMs: number,
  more: Partial<FunctionChange> = {},
): FunctionChange {
  const ratio = headMs / baseMs;
  const presence = baseMs === 0 ? 'new' : headMs === 0 ? 'gone' : 'both';
  const slower = headMs > baseMs;
  return {
    key: more.kind === undefined ? `github.com/octo-org/orders/${display}` : display,
    display,
    kind: 'own',
    file: '',
    line: 0,
    presence,
    baseNanosPerInvocation: baseMs * 1e6,
    headNanosPerInvocation: headMs * 1e6,
    share: Math.max(baseMs, headMs) / 14.4,
    ratio,
    ratioLow: presence === 'both' ? ratio * 0.93 : ratio,
    ratioHigh: presence === 'both' ? ratio * 1.08 : ratio,
    rawRatio: ratio,
    pSlower: slower ? 0.0003 : 1,
    pFaster: slower ? 1 : 0.0004,
    headInstancesAbove: slower ? 8 : 0,
    headInstances: 8,
    change: slower ? 'slower' : 'faster',
    ...more,
  };
}

export function sampleMetric(
  id: MetricId,
  unit: MetricChange['unit'],
  base: number,
  head: number,
  change: MetricChange['change'],
): MetricChange {
  const ratio = head / base;
  return {
    id,
    unit,
    base,
    head,
    ratio,
    ratioLow: ratio * 0.97,
    ratioHigh: ratio * 1.03,
    pMore: change === 'more' ? 0.0006 : 0.6,
    pLess: change === 'less' ? 0.0006 : 0.4,
    change,
  };
}

const orders = 'github.com/octo-org/orders';
const rules = `${orders}/pricing/rules.go`;
const validate = `${orders}/handler/validate.go`;
const tax = `${orders}/pricing/tax.go`;
const audit = `${orders}/audit/log.go`;

const slowerFunctions: FunctionChange[] = [
  sampleFunction('pricing.sortRules', 0.53, 2.43, { file: rules, line: 88 }),
  sampleFunction('handler.validateSKU', 0, 1.21, { file: validate, line: 41 }),
];

const fasterFunctions: FunctionChange[] = [
  sampleFunction('pricing.legacyTaxTable', 0.76, 0, { file: tax, line: 12 }),
  sampleFunction('audit.(*Log).Emit', 1.01, 0.54, { file: audit, line: 57 }),
];

const otherFunctions: FunctionChange[] = [
  sampleFunction('pricing.roundHalfEven', 0.41, 0.42, {
    change: 'moved',
    renamedFrom: 'pricing.round',
    file: rules,
    line: 140,
    pSlower: 0.4,
  }),
  sampleFunction('runtime.gcBgMarkWorker', 1.01, 1.25, {
    kind: 'gc',
    file: '/usr/local/go/src/runtime/mgc.go',
    line: 1310,
  }),
  sampleFunction('encoding/json.(*decodeState).object', 0.61, 0.66, {
    kind: 'library',
    change: 'unchanged',
    pSlower: 0.31,
    headInstancesAbove: 5,
  }),
  sampleFunction('store.(*Dynamo).Put', 2.81, 2.76, { change: 'unchanged', pFaster: 0.72, headInstancesAbove: 3 }),
];

export function sampleComparison(functions: FunctionChange[], metrics: MetricChange[]): Comparison {
  return {
    functions,
    metrics,
    resolution: [
      { share: 0.2, detectable: 0.22 },
      { share: 0.05, detectable: 0.38 },
    ],
    method: {
      baseInstances: 8,
      headInstances: 8,
      baseInvocations: 4999,
      headInvocations: 4999,
      baseSamples: 7205,
      headSamples: 8283,
      functionsTested: 61,
      relabellings: 9999,
      exact: false,
      seed: '4c2dece:8f3a1b0',
      alpha: 0.05,
      confirmed: true,
    },
  };
}

const metricsMore = [
  sampleMetric('cpu', 'ms', 14.4, 16.56, 'more'),
  sampleMetric('duration', 'ms', 31, 34, 'unchanged'),
  sampleMetric('billed', 'ms', 32, 35.1, 'unchanged'),
  sampleMetric('cost', 'USD', 0.627, 0.668, 'unchanged'),
  sampleMetric('allocated', 'bytes', 1_820_000, 1_858_000, 'unchanged'),
  sampleMetric('memory', 'MB', 96, 97, 'unchanged'),
  sampleMetric('init', 'ms', Number.NaN, Number.NaN, 'unknown'),
  sampleMetric('errors', 'share', 0.0002, 0.0002, 'unchanged'),
];

const metricsSame = [
  sampleMetric('cpu', 'ms', 14.4, 14.5, 'unchanged'),
  sampleMetric('duration', 'ms', 31, 31.2, 'unchanged'),
  sampleMetric('allocated', 'bytes', 1_820_000, 1_820_000, 'unchanged'),
];

const common = {
  schemaVersion: 1,
  tool: 'lambda-profile-action 0.1.0',
  key: 'orders',
  functionName: 'orders',
  commit: headCommit,
  hottest: [],
  differences: [],
  budget: { failThreshold: 0.1, warnThreshold: 0.05, minDeltaMs: 0.2 },
  top: 5,
  changedFiles: ['pricing/rules.go', 'handler/validate.go', 'pricing/tax.go'],
  sources: {
    [rules]: 'pricing/rules.go',
    [validate]: 'handler/validate.go',
    [audit]: 'audit/log.go',
  },
  baseSources: { [tax]: 'pricing/tax.go' },
  repository: { serverUrl: 'https://github.com', owner: 'octo-org', name: 'orders' },
  pullRequest: 812,
  run: { id: 9_876_543_210, attempt: 2, url: 'https://github.com/octo-org/orders/actions/runs/9876543210' },
  files: {
    reportJson: '.lambda-profile/report.json',
    reportHtml: '.lambda-profile/orders.html',
    headProfile: '.lambda-profile/head-cpu.pb.gz',
    baseProfile: '.lambda-profile/base-cpu.pb.gz',
  },
  timings: [
    { step: 'Invoke', ms: 41_230 },
    { step: 'Collect snapshots', ms: 63_100 },
    { step: 'Compare', ms: 412 },
  ],
  warnings: [],
} satisfies Partial<Report>;

const sides = {
  base: { ...sampleSide(baseCommit, 14.4), distance: 2, relation: 'merge base of the pull request' },
  head: sampleSide(headCommit, 16.56),
};

const quiet = { next: '', regressed: [], warned: [], checks: [] };

/** One report for each state a reader can meet. */
export const samples: Record<string, Report> = {
  regression: {
    ...common,
    ...sides,
    verdict: {
      kind: 'fail',
      headline: 'orders: 2 functions use more CPU, CPU per invocation +15.0% (14.4 → 16.6 ms), over the +10% budget',
      reasons: [
        'pricing.sortRules uses 4.6 times the CPU it used before: 8 of 8 head instances lie above the median base instance.',
        'handler.validateSKU is new and takes 1.21 ms of each invocation.',
        'This run could have seen (80% power): +22% in functions above 20% of the CPU.',
      ],
      next: 'Look at pricing.sortRules (pricing/rules.go:88) in the flame graph; if the cost is wanted, add the label "perf-regression-accepted" and re-run the job.',
      regressed: slowerFunctions.map((changed) => changed.key),
      warned: [],
      checks: [],
    },
    comparison: sampleComparison([...slowerFunctions, ...fasterFunctions, ...otherFunctions], metricsMore),
  },
  warning: {
    ...common,
    ...sides,
    verdict: {
      kind: 'warn',
      headline: 'orders: pricing.sortRules uses more CPU, but base and head were measured on different runtimes',
      reasons: ['The environments differ in one field: a slower function cannot be told from a slower machine.'],
      next: 'Measure the base branch again on the new runtime: run this workflow on a push to it.',
      regressed: [slowerFunctions[0]!.key],
      warned: [],
      checks: [],
    },
    comparison: sampleComparison([slowerFunctions[0]!, ...otherFunctions], metricsMore),
    differences: [{ field: 'runtime', base: 'provided.al2', head: 'provided.al2023' }],
    warnings: ['1 of 38 snapshots could not be read and was left out.'],
  },
  pass: {
    ...common,
    ...sides,
    head: sampleSide(headCommit, 14.5),
    verdict: {
      ...quiet,
      kind: 'pass',
      headline: 'orders: no regression found (CPU per invocation 14.4 → 14.5 ms)',
      reasons: [],
    },
    comparison: sampleComparison(otherFunctions.slice(2), metricsSame),
  },
  improvement: {
    ...common,
    ...sides,
    head: sampleSide(headCommit, 12.6),
    verdict: {
      ...quiet,
      kind: 'pass',
      headline: 'orders: CPU per invocation −12.5% (14.4 → 12.6 ms)',
      reasons: ['No function uses more CPU beyond its noise.'],
    },
    comparison: sampleComparison(
      [...fasterFunctions, ...otherFunctions.slice(2)],
      [sampleMetric('cpu', 'ms', 14.4, 12.6, 'less'), ...metricsSame.slice(1)],
    ),
  },
  accepted: {
    ...common,
    ...sides,
    verdict: {
      kind: 'accepted',
      headline: 'orders: CPU per invocation +15.0% (14.4 → 16.6 ms), accepted by a label',
      reasons: ['The label perf-regression-accepted is set on this pull request.'],
      next: '',
      regressed: [slowerFunctions[0]!.key],
      warned: [],
      checks: [],
    },
    comparison: sampleComparison([slowerFunctions[0]!, ...otherFunctions], metricsMore),
  },
  inconclusive: {
    ...common,
    ...sides,
    head: { ...sampleSide(headCommit, 15.7), instances: sampleSide(headCommit, 15.7).instances.slice(0, 3) },
    verdict: {
      ...quiet,
      kind: 'inconclusive',
      headline: 'orders: only 3 instances answered, 5 are needed to judge',
      reasons: ['CPU per invocation moved by +9.0%, which the noise of 3 instances can explain.'],
      next: 'Raise `concurrency` to at least 8 so that more instances take part.',
    },
    comparison: sampleComparison(otherFunctions.slice(2), [
      { ...sampleMetric('cpu', 'ms', 14.4, 15.7, 'unknown'), ratioLow: 0.85, ratioHigh: 1.33 },
      ...metricsSame.slice(1),
    ]),
  },
  'first-run': {
    ...common,
    head: sides.head,
    verdict: {
      ...quiet,
      kind: 'no-baseline',
      headline: 'orders: first recording, nothing to compare with yet',
      reasons: ['No recording of the base branch exists in the bucket, so the check passes.'],
      next: 'Run this workflow on a push to the base branch: that stores the recording pull requests are compared with.',
    },
    hottest: [
      {
        display: 'pricing.(*Engine).Apply',
        kind: 'own',
        file: rules,
        line: 31,
        nanosPerInvocation: 4.1e6,
        share: 0.25,
      },
      {
        display: 'store.(*Dynamo).Put',
        kind: 'own',
        file: '/build/store/dynamo.go',
        line: 77,
        nanosPerInvocation: 2.8e6,
        share: 0.17,
      },
      { display: 'encoding/json.Marshal', kind: 'library', file: '', line: 0, nanosPerInvocation: 1.2e6, share: 0.072 },
      { display: 'runtime.gcBgMarkWorker', kind: 'gc', file: '', line: 0, nanosPerInvocation: 0.9e6, share: 0.054 },
      { display: 'audit.(*Log).Emit', kind: 'own', file: audit, line: 57, nanosPerInvocation: 0.8e6, share: 0.048 },
      { display: 'handler.route', kind: 'own', file: validate, line: 12, nanosPerInvocation: 0.04e6, share: 0.0024 },
    ],
  },
  skipped: {
    ...common,
    verdict: {
      ...quiet,
      kind: 'skipped',
      headline: 'orders: not measured, this pull request comes from a fork without credentials',
      reasons: ['A workflow of a fork has no access to the AWS account.'],
      next: 'Ask a maintainer to push the branch to this repository, or measure after the merge.',
    },
    files: {},
    timings: [],
  },
  error: {
    ...common,
    verdict: {
      ...quiet,
      kind: 'error',
      headline: 'orders: not measured, 0 of 20 snapshots arrived within 120 s',
      reasons: ['This says nothing about performance.'],
      next: 'Set LAMBDA_PROFILE_BUCKET in the environment of the function, deploy it, and run this job again.',
      checks: [
        { what: 'Invoke orders:live', state: 'ok', found: '5,000 of 5,000 succeeded' },
        { what: 'Snapshots in sparta/pprof/orders/profiles/cpu/', state: 'failed', found: '0 objects after 120 s' },
        {
          what: 'Environment of the function',
          state: 'failed',
          found: 'LAMBDA_PROFILE_BUCKET is not set on version 42',
        },
        { what: 'The role may write to the bucket', state: 'unknown', found: 'iam:SimulatePrincipalPolicy is denied' },
      ],
    },
    files: { reportJson: '.lambda-profile/report.json' },
  },
};

/** Names that try to be something else than a name. */
export const hostileNames: string[] = [
  'a|b||c\\|d\\\\|e',
  'tick `code` ``two`` ```three',
  '`',
  '\\',
  '@octocat @octo-org/team #1 GH-2 octo-org/orders#3',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '</code></details></summary><h1>big',
  '--> <!-- lambda-profile:v1 key=other run=1 attempt=1 commit= -->',
  '--!> ]]> %> */',
  'safe\u202Etxt.exe\u202C \u2066isolate\u2069 \u200Bzero\u200D\uFEFF\u00AD',
  'line one\nline two\r\n\r\n# heading\n- item\n\n```\nfence\n```\u2028sep\u2029para\u0085nel',
  '::error file=a,line=1::owned',
  'x\n::set-env name=PATH::/evil\n##[error]owned',
  '\u001b[31mred\u001b[0m \u001b]8;;https://example.com\u0007link\u001b]8;;\u0007 \u009b2J\u0000\u0007\b',
  '[link](https://example.com) ![image](https://example.com/x.png) https://example.com www.example.com <https://example.com>',
  '[ref]: https://example.com "title"',
  '$x$ $$y$$ $`z`$ ~~s~~ *e* **b** _u_ __v__ &amp; &lt;b&gt; &#64;octocat',
  '- [x] task',
  '1. one',
  '---',
  '> [!WARNING]',
  '__proto__',
  'constructor',
  'toString',
  '',
  '   ',
  '\u3164\u115f\u2800',
  'e\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308',
  '\ud800 lone \udc00',
  '日本語関数名前',
  '👩‍👩‍👧‍👦 family',
  'long'.repeat(5_000),
  '|'.repeat(20_000),
  '`'.repeat(20_000),
  '<b>'.repeat(7_000),
];

/** A report in which every text that comes from outside is `name`. */
export function hostileReport(name: string): Report {
  const from = samples.regression!;
  const functions = [
    sampleFunction(name, 1, 2, { key: name, file: name, line: 3 }),
    sampleFunction(name, 0, 2, { key: `${name} new`, file: `src/${name}`, line: 3, kind: 'library' }),
    sampleFunction(name, 2, 0, { key: `${name} gone`, file: name, line: 4 }),
    sampleFunction(name, 1, 1.01, { key: `${name} moved`, change: 'moved', renamedFrom: name, movedFrom: name }),
    sampleFunction(name, 1, 1.02, { key: `${name} same`, change: 'unchanged' }),
  ];
  const side = sampleSide(headCommit, 1);
  const hostileSide = {
    ...side,
    functionVersion: name,
    measuredAt: name,
    instances: [{ ...side.instances[0]!, id: name }],
    environment: { ...side.environment, architecture: name, runtime: name, region: name, language: name, agent: name },
  };
  return {
    ...from,
    tool: name,
    key: name,
    functionName: name,
    verdict: {
      kind: 'fail',
      headline: name,
      reasons: [name, `${name} is slower`],
      next: name,
      regressed: [name],
      warned: [`${name} new`],
      checks: [{ what: name, state: 'failed', found: name }],
    },
    base: { ...hostileSide, commit: baseCommit, distance: 1, relation: name },
    head: hostileSide,
    comparison: {
      ...sampleComparison(functions, metricsMore),
      method: { ...from.comparison!.method, seed: name },
    },
    hottest: [{ display: name, kind: name, file: name, line: 1, nanosPerInvocation: 1e6, share: 0.1 }],
    differences: [{ field: name, base: name, head: name }],
    changedFiles: [name],
    sources: Object.fromEntries([
      [name, name],
      [`src/${name}`, `src/${name}`],
    ]),
    baseSources: Object.fromEntries([[name, name]]),
    files: { reportHtml: name, reportJson: name, headProfile: name, baseProfile: name },
    timings: [{ step: name, ms: 12 }],
    warnings: [name],
  };
}
