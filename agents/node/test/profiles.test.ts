import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCpuProfile, type InsideClocks } from '../src/cpu-profile.ts';
import type { TimeNode } from '../src/cpu-sampler.ts';
import { nameScript, type Roots } from '../src/file-names.ts';
import { encodeHeapProfile } from '../src/heap-profile.ts';
import type { AllocationNode } from '../src/heap-sampler.ts';
import { createRateLimit } from '../src/rate-limit.ts';
import { quantile } from '../src/window.ts';
import { readProfile } from './cloud.ts';

const ROOTS: Roots = {
  task: '/var/task',
  layer: '/tmp/opt',
  runtime: '/tmp/ric',
  agent: '/tmp/opt/nodejs/lambda-profile',
};
const AGENT = 'file:///tmp/opt/nodejs/lambda-profile/agent.mjs';
const APP = 'file:///var/task/src/app.mjs';
const HEADER = { startMs: 1_795_189_573_848, durationMs: 12.5, comment: 'lambda-profile:{"v":1}' };

let scriptIds = 0;
const node = (name: string, script: string, samples: [unknown, number?][], children: TimeNode[] = []): TimeNode => ({
  name,
  scriptName: script,
  scriptId: ++scriptIds,
  lineNumber: script === '' ? 0 : 3,
  columnNumber: script === '' ? 0 : 7,
  hitCount: samples.length,
  contexts: samples.map(([context, cpuTime]) => ({ context, ...(cpuTime === undefined ? {} : { cpuTime }) })),
  children,
});
const cpu = (children: TimeNode[], nonJSThreadsCpuTime = 0, inside: InsideClocks | null = null) => {
  const profile = { topDownRoot: node('(root)', '', [], children), nonJSThreadsCpuTime };
  return readProfile(gzipSync(encodeCpuProfile(profile, 1000, ROOTS, HEADER, inside)));
};

describe('encodeCpuProfile()', () => {
  it('sums the CPU of each stack and keeps apart what was outside of invocations', () => {
    const { samples } = cpu([
      node('handler', APP, [
        ['invocation', 1e6],
        ['invocation', 2e6],
        ['runtime', 5e5],
        ['init', 7e5],
      ]),
    ]);
    const stack = ['handler src/app.mjs:3:7'];
    expect(samples).toEqual([
      { stack, values: [2, 3e6], labels: {} },
      { stack, values: [1, 5e5], labels: { 'lambda-profile.phase': 'runtime' } },
      { stack, values: [1, 7e5], labels: { 'lambda-profile.phase': 'init' } },
    ]);
  });

  it('drops what waited, what was not measured, and samples without CPU', () => {
    const { samples } = cpu([
      node('(idle)', '', [
        [undefined, 0],
        [undefined, 0],
      ]),
      node('handler', APP, [
        ['ignored', 1e6],
        ['invocation', undefined],
      ]),
    ]);
    expect(samples).toEqual([]);
  });

  it("hangs the function's code where the agent was called from, and drops the agent's own work", () => {
    const { samples } = cpu([
      node(
        'invoke',
        'file:///tmp/ric/index.mjs',
        [],
        [
          node(
            'apply',
            AGENT,
            [['invocation', 1e6]],
            [
              node('cpuUsage', 'node:internal/process', [['invocation', 1e6]], [node('', '', [['invocation', 1e6]])]),
              node('handler', APP, [['invocation', 4e6]], [node('parse', '', [['invocation', 2e6]])]),
            ],
          ),
        ],
      ),
    ]);
    expect(samples.map(({ stack, values }) => [stack, values[1]])).toEqual([
      [['handler src/app.mjs:3:7', 'invoke /var/runtime/index.mjs:3:7'], 4e6],
      [['parse :0:0', 'handler src/app.mjs:3:7', 'invoke /var/runtime/index.mjs:3:7'], 2e6],
    ]);
  });

  it('reports the CPU of other threads as one sample', () => {
    expect(cpu([], 3_400_000).samples).toEqual([
      { stack: ['(non-JS threads) :0:0'], values: [3, 3_400_000], labels: {} },
    ]);
  });

  it('keeps apart what other threads did outside of invocations', () => {
    const stack = ['(non-JS threads) :0:0'];
    expect(cpu([], 3_400_000, { threadNanos: 0, otherThreadsNanos: 1_400_000 }).samples).toEqual([
      { stack, values: [1, 1_400_000], labels: {} },
      { stack, values: [2, 2_000_000], labels: { 'lambda-profile.phase': 'runtime' } },
    ]);
    expect(cpu([], 3_400_000, { threadNanos: 0, otherThreadsNanos: 5_000_000 }).samples).toEqual([
      { stack, values: [3, 3_400_000], labels: {} },
    ]);
  });

  it('gives invocations the CPU that the clocks say, whenever samples came, and the rest to what is outside', () => {
    const tree = () => [
      node('handler', APP, [
        ['invocation', 6e6],
        ['runtime', 3e6],
      ]),
      node('apply', AGENT, [['invocation', 1e6]]),
    ];
    const values = (inside: InsideClocks | null) => cpu(tree(), 0, inside).samples.map((sample) => sample.values);
    expect(values({ threadNanos: 9e6, otherThreadsNanos: 0 })).toEqual([
      [1, 9e6],
      [1, 1e6],
    ]);
    expect(values({ threadNanos: 99e6, otherThreadsNanos: 0 })).toEqual([[1, 10e6]]);
    expect(values(null)).toEqual([
      [1, 6e6],
      [1, 3e6],
    ]);
  });

  it('survives names of any kind', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, script) => {
        cpu([node(name, script, [['invocation', 1]])]);
      }),
    );
  });

  it('keeps the order of a deep recursion', () => {
    let deepest = node('leaf', APP, [['invocation', 1e6]]);
    for (let i = 0; i < 500; i++) deepest = node(`level${499 - i}`, APP, [], [deepest]);
    const { stack } = cpu([deepest]).samples[0]!;
    expect(stack).toHaveLength(501);
    expect([stack[0], stack[1], stack[500]]).toEqual([
      'leaf src/app.mjs:3:7',
      'level499 src/app.mjs:3:7',
      'level0 src/app.mjs:3:7',
    ]);
  });
});

describe('encodeHeapProfile()', () => {
  const tree = (allocations: AllocationNode['allocations']): AllocationNode => {
    const frame = { scriptName: APP, scriptId: 9, lineNumber: 3, columnNumber: 7 };
    const leaf = { ...frame, name: 'fill', children: [], allocations };
    return { ...frame, name: '(root)', children: [leaf], allocations: [] };
  };
  const heap = (allocations: AllocationNode['allocations']) =>
    readProfile(gzipSync(encodeHeapProfile(tree(allocations), 65_536, ROOTS, HEADER)));

  it('has the columns of Go, with objects and bytes of the window', () => {
    const profile = heap([
      { sizeBytes: 24, count: 2731 },
      { sizeBytes: 1_000_000, count: 1 },
    ]);
    expect(profile.columns).toEqual([
      'alloc_objects/count',
      'alloc_space/bytes',
      'inuse_objects/count',
      'inuse_space/bytes',
    ]);
    expect(profile.defaultColumn).toBe('alloc_space');
    const values = [2732, 24 * 2731 + 1_000_000, 0, 0];
    expect(profile.samples).toEqual([{ stack: ['fill src/app.mjs:3:7'], values, labels: {} }]);
  });

  it('reports what is alive where V8 tells', () => {
    const [sample] = heap([
      { allocObjects: 10, allocSpaceBytes: 240, inuseObjects: 4, inuseSpaceBytes: 96 },
      { allocObjects: 1, allocSpaceBytes: 8, inuseObjects: 0, inuseSpaceBytes: 0 },
    ]).samples;
    expect(sample!.values).toEqual([11, 248, 4, 96]);
  });
});

describe('nameScript()', () => {
  it.each([
    ['file:///var/task/src/x.mjs', 'src/x.mjs', false],
    ['/var/task/node_modules/lib/index.js', 'node_modules/lib/index.js', false],
    ['file:///var/task/with%20space.mjs', 'with space.mjs', false],
    ['/var/task2/x.js', '/var/task2/x.js', false],
    ['/tmp/opt/nodejs/node_modules/sdk/index.js', '/opt/nodejs/node_modules/sdk/index.js', false],
    ['file:///tmp/ric/index.mjs', '/var/runtime/index.mjs', false],
    ['node:internal/timers', 'node:internal/timers', false],
    ['', '', false],
    [AGENT, '/tmp/opt/nodejs/lambda-profile/agent.mjs', true],
    ['file:///bad%zz.mjs', '/bad%zz.mjs', false],
  ])('names %s', (script, file, agent) => {
    expect(nameScript(script, ROOTS)).toEqual({ file, agent });
  });

  it('takes no directory for the root of everything when it is not known', () => {
    expect(nameScript('/x.js', { task: '', layer: '', runtime: '', agent: '' })).toEqual({
      file: '/x.js',
      agent: false,
    });
  });
});

describe('createRateLimit()', () => {
  it('never gives more than its burst and one each interval', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3000 })), (gaps) => {
        const limit = createRateLimit({ burst: 3, everyMs: 1000, nowMs: 0 });
        let nowMs = 0;
        let given = 0;
        for (const gap of gaps) {
          nowMs += gap;
          if (limit.take(nowMs) === 0) given++;
        }
        expect(given).toBeLessThanOrEqual(3 + nowMs / 1000);
      }),
    );
  });

  it('says how long to wait, and keeps that promise', () => {
    const limit = createRateLimit({ burst: 1, everyMs: 1000, nowMs: 0 });
    expect(limit.take(0)).toBe(0);
    const waitMs = limit.take(250);
    expect(waitMs).toBe(750);
    expect(limit.take(250 + waitMs)).toBe(0);
  });
});

describe('quantile()', () => {
  it('is the nearest rank', () => {
    expect(quantile([], 0.5)).toBe(0);
    expect(quantile([5], 0.9)).toBe(5);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9)).toBe(9);
  });
});
