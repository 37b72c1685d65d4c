import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { diffFunctions, diffProfiles, reportTotal } from '../../src/pprof/diff.ts';
import { classifyFrame } from '../../src/pprof/frames.ts';
import { labelProfile, Merge, mergeProfiles } from '../../src/pprof/merge.ts';
import { weighOwners, weighProfile, weighSides } from '../../src/pprof/weigh.ts';
import { generateProfiles } from '../conformance/generate.ts';
import { profileOf, samplesOf } from './fixtures.ts';

const table = (weights: ReturnType<typeof weighProfile>, group = 0) =>
  Object.fromEntries(weights.names.map((name, i) => [name, [weights.self[group]![i], weights.total[group]![i]]]));

describe('weighProfile()', () => {
  test('gives self to the innermost function and total to every function of the stack', () => {
    const profile = profileOf({
      samples: [
        { stack: ['work', 'handler', 'main'], values: [1, 30] },
        { stack: ['handler', 'main'], values: [1, 12] },
      ],
    });
    expect(table(weighProfile(profile, 'cpu'))).toEqual({ work: [30, 30], handler: [12, 42], main: [0, 42] });
    expect(table(weighProfile(profile, 'samples'))).toEqual({ work: [1, 1], handler: [1, 2], main: [0, 2] });
    expect([...weighProfile(profile, 'cpu').totals]).toEqual([42]);
  });

  test('counts a recursive function once per sample', () => {
    const profile = profileOf({ samples: [{ stack: ['walk', 'visit', 'walk', 'walk', 'main'], values: [1, 10] }] });
    expect(table(weighProfile(profile, 'cpu'))).toEqual({ walk: [10, 10], visit: [0, 10], main: [0, 10] });
  });

  test('expands inlined functions', () => {
    const profile = profileOf({ samples: [{ stack: [['hash', 'lookup'], 'main'], values: [1, 10] }] });
    expect(table(weighProfile(profile, 'cpu'))).toEqual({ hash: [10, 10], lookup: [0, 10], main: [0, 10] });
  });

  test('weighs each instance separately', () => {
    const window = (cpu: number) => profileOf({ samples: [{ stack: ['work', 'main'], values: [1, cpu] }] });
    const merged = mergeProfiles([
      labelProfile(window(10), 'instance', 'i-1'),
      labelProfile(window(30), 'instance', 'i-2'),
    ]);
    const weights = weighProfile(merged, 'cpu', 'instance');
    expect(weights.groups).toEqual(['i-1', 'i-2']);
    expect(table(weights, 0)).toEqual({ work: [10, 10], main: [0, 10] });
    expect(table(weights, 1)).toEqual({ work: [30, 30], main: [0, 30] });
    expect([...weights.totals]).toEqual([10, 30]);
  });

  test('has one group without a name if the label is nowhere', () => {
    expect(weighProfile(profileOf({}), 'cpu', 'instance').groups).toEqual(['']);
  });

  test('knows file and line', () => {
    const { names, files, lines } = weighProfile(
      profileOf({ samples: [{ stack: ['f@src/a.mjs:12'], values: [1, 1] }] }),
      'cpu',
    );
    expect([names, files, [...lines]]).toEqual([['f'], ['src/a.mjs'], [12]]);
  });

  test('refuses a sample type that is not there, and sums that would be rounded', () => {
    const large = profileOf({ samples: [{ stack: ['f'], values: [1n, 2n ** 54n] }] });
    expect(() => weighProfile(large, 'wall')).toThrow(
      'Cannot find sample type "wall": the profile has "samples", "cpu".',
    );
    expect(() => weighProfile(large, 'cpu')).toThrow('more than 2^53');
  });

  test('gives the same sums for a merge as for its parts', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const small = (profile: ReturnType<typeof decodeProfile>) =>
          Object.assign(profile, { values: profile.values.map((word, i) => (i % 2 ? 0 : word & 0xffff)) });
        const profiles = generateProfiles(seed).map((bytes) => small(decodeProfile(bytes)));
        const whole = table(weighProfile(mergeProfiles(profiles), 'samples'));
        const sums: Record<string, number[]> = {};
        for (const profile of profiles)
          for (const [name, [self, total]] of Object.entries(table(weighProfile(profile, 'samples')))) {
            const sum = Object.hasOwn(sums, name) ? sums[name]! : [0, 0];
            Object.defineProperty(sums, name, {
              value: [sum[0]! + self!, sum[1]! + total!],
              enumerable: true,
              configurable: true,
            });
          }
        for (const [name, sum] of Object.entries(sums))
          expect(Object.hasOwn(whole, name) ? whole[name] : [0, 0]).toEqual(sum);
      }),
      { numRuns: 100 },
    );
  });
});

describe('weighSides()', () => {
  test('weighs the sides of a merge as if each were a profile', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const profiles = generateProfiles(seed).map((bytes) => {
          const profile = decodeProfile(bytes);
          return Object.assign(profile, { values: profile.values.map((word, i) => (i % 2 ? 0 : word & 0xffff)) });
        });
        const merge = new Merge(profiles.length, true);
        for (const [side, profile] of profiles.entries()) merge.add(profile, side);
        const groups = profiles.map((_, i) => `i-${i}`);
        const sides = weighSides(merge, 'samples', groups);
        expect(sides.groups).toEqual(groups);
        for (const side of profiles.keys()) {
          const alone = weighProfile(merge.result(side), 'samples');
          expect(table(sides, side)).toEqual(table(alone));
          expect(sides.totals[side]).toBe(alone.totals[0]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('weighOwners()', () => {
  const owners = (samples: { stack: string[]; values: number[] }[], language: 'go' | 'node' = 'node') => {
    const weights = weighOwners(profileOf({ samples }), 'cpu', '', (frame) => classifyFrame(frame, language));
    const charged = weights.owners.map(({ key, kind }, i) => [
      key,
      kind,
      weights.counts[0]![i],
      weights.samples[0]![i],
    ]);
    return {
      charged: charged.filter(([, , value]) => value !== 0),
      agent: weights.agentValue[0],
      owners: weights.owners,
    };
  };
  const one = (...stack: string[]) => owners([{ stack, values: [1, 10] }]);

  test('charges what libraries and Node do to the own function that called them', () => {
    expect(one('write@node:fs', 'log@node_modules/log/a.js', 'save@src/db.mjs', 'main@src/a.mjs').charged).toEqual([
      ['save', 'own', 10, 1],
    ]);
  });

  test.each([
    ['the collector', ['(garbage collector)', 'read@node:fs'], ['(garbage collector)', 'gc', 10, 1]],
    ['idleness', ['(idle)', '(root)'], ['(idle)', 'idle', 10, 1]],
    [
      'the library nearest to the root',
      ['a@node_modules/a/a.js', 'b@node_modules/b/b.js', 'x@node:net'],
      ['b in b (b)', 'library', 10, 1],
    ],
    ['the runtime', ['x@node:net', 'y@node:fs'], ['(runtime)', 'runtime', 10, 1]],
  ])('charges a sample without own code to %s', (_, stack, expected) => {
    expect(one(...stack).charged).toEqual([expected]);
  });

  test('leaves out what the agent itself does, but not the handler it calls', () => {
    const agent = 'wrap@/opt/lambda-profile/agent.mjs';
    expect(one('gzip@node:zlib', agent, 'run@/var/runtime/index.mjs')).toMatchObject({ charged: [], agent: 10 });
    expect(one('sum@node_modules/m/s.js', 'work@src/a.mjs', agent)).toMatchObject({
      charged: [['work', 'own', 10, 1]],
      agent: 0,
    });
  });

  test('knows the neighbours of own functions by their keys', () => {
    const { owners: found } = owners([
      { stack: ['parse@node_modules/csv/p.js', 'load@src/a.mjs', 'begin@src/a.mjs'], values: [1, 10] },
      { stack: ['load@src/a.mjs', 'load@src/a.mjs', 'begin@src/a.mjs'], values: [1, 5] },
    ]);
    const load = found.find(({ key }) => key === 'load')!;
    expect([...load.callers]).toEqual([['begin', 15]]);
    expect([...load.callees]).toEqual([['parse (csv)', 10]]);
  });

  test('weighs each instance separately', () => {
    const profile = (cpu: number, instance: string) =>
      labelProfile(profileOf({ samples: [{ stack: ['work@src/a.mjs'], values: [2, cpu] }] }), 'instance', instance);
    const merged = mergeProfiles([profile(10, 'i-1'), profile(30, 'i-2')]);
    const weights = weighOwners(merged, 'cpu', 'instance', (frame) => classifyFrame(frame, 'node'));
    const work = weights.owners.findIndex(({ key }) => key === 'work');
    expect(weights.groups).toEqual(['i-1', 'i-2']);
    expect(weights.counts.map((counts) => counts[work])).toEqual([10, 30]);
    expect(weights.samples.map((samples) => samples[work])).toEqual([2, 2]);
  });
});

describe('diffFunctions()', () => {
  test('compares functions per invocation and says which are new and gone', () => {
    const base = profileOf({
      samples: [
        { stack: ['old', 'main'], values: [1, 100] },
        { stack: ['work', 'main'], values: [1, 200] },
      ],
    });
    const head = profileOf({
      samples: [
        { stack: ['new', 'main'], values: [1, 50] },
        { stack: ['work', 'main'], values: [1, 200] },
      ],
    });
    const diffs = diffFunctions(weighProfile(base, 'cpu'), weighProfile(head, 'cpu'), { base: 100, head: 50 });
    expect(
      diffs.map(({ name, status, base, head, delta }) => [name, status, base.self, head.self, delta.self, delta.total]),
    ).toEqual([
      ['work', 'changed', 2, 4, 2, 2],
      ['new', 'new', 0, 1, 1, 1],
      ['old', 'gone', 1, 0, -1, -1],
      ['main', 'changed', 0, 0, 0, 2],
    ]);
  });
});

describe('diffProfiles()', () => {
  const base = profileOf({
    samples: [
      { stack: ['f'], values: [3, 30] },
      { stack: ['gone'], values: [1, 10] },
    ],
  });
  const head = profileOf({ samples: [{ stack: ['f'], values: [5, 50] }] });

  test('lets equal stacks cancel, as -base', () => {
    const diff = diffProfiles(base, head, 'base');
    expect(samplesOf(diff)).toEqual(['f {} 2,20', 'gone {} -1,-10']);
    expect(reportTotal(diff, 'cpu')).toBe(30n);
  });

  test('keeps the base apart, as -diff_base', () => {
    const diff = diffProfiles(base, head, 'diff-base');
    expect(samplesOf(diff)).toEqual(['f {pprof::base=true} -3,-30', 'f {} 5,50', 'gone {pprof::base=true} -1,-10']);
    expect(reportTotal(diff, 'cpu')).toBe(40n);
    expect(table(weighProfile(diff, 'cpu'))).toEqual({ f: [20, 20], gone: [-10, -10] });
  });

  test('scales head to the totals of base, and loses no sample whose columns are 0 and 1', () => {
    const types = ['a/count', 'b/count'];
    const diff = diffProfiles(
      profileOf({ types, samples: [{ stack: ['g'], values: [4, 7] }] }),
      profileOf({
        types,
        samples: [
          { stack: ['f'], values: [2, 0] },
          { stack: ['h'], values: [0, 7] },
        ],
      }),
      'base',
      true,
    );
    expect(samplesOf(diff)).toEqual(['f {} 4,0', 'g {} -4,-7', 'h {} 0,7']);
  });
});
