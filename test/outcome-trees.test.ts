import { describe, expect, it } from 'vitest';
import { skipped } from '../src/compare/verdict.ts';
import { createCallTrees } from '../src/outcome-trees.ts';
import type { Profile } from '../src/pprof/columns.ts';
import { INSTANCE_LABEL, type Recording } from '../src/recordings/recording.ts';
import { type CallTree, selectInstances } from '../src/report/flamegraph/calltree.ts';
import { frameName, perWhat } from '../src/report/flamegraph/frame.ts';
import { computeFlameGraph } from '../src/report/flamegraph/layout.ts';
import { profileOf } from './pprof/fixtures.ts';
import { instance, sampleRecording } from './recordings/sample.ts';

const verdict = skipped({ functionName: 'orders', reason: 'why not', next: '' });
const [base, head] = ['b'.repeat(40), 'c'.repeat(40)];

/** CPU of two instances in `work`, one of them also in `rare`. */
function cpuOf(first: number, second: number): Profile {
  const by = (id: string) => ({ [INSTANCE_LABEL]: id });
  return profileOf({
    samples: [
      { stack: ['work@src/a.mjs', 'handler@src/a.mjs'], values: [1, first], labels: by('i-1') },
      { stack: ['work@src/a.mjs', 'work@src/a.mjs', 'handler@src/a.mjs'], values: [1, second], labels: by('i-2') },
      { stack: ['rare@src/a.mjs', 'handler@src/a.mjs'], values: [1, 1], labels: by('i-2') },
      { stack: ['(idle)@'], values: [9, 9_000_000], labels: by('i-1') },
    ],
  });
}

type Profiles = Partial<Record<'cpu' | 'heap', Profile>>;

function recordingOf(commit: string, profiles: Profiles): Recording {
  const instances = [instance, { ...instance, id: 'i-2', invocations: 50 }];
  return {
    ...sampleRecording(commit, { instances }),
    profiles: new Map(Object.entries(profiles)) as Recording['profiles'],
  };
}

function treesOf(ofHead: Profiles, ofBase?: Profiles): CallTree[] {
  const baseline = ofBase && { recording: recordingOf(base, ofBase), distance: 0, relation: 'parent commit' };
  return createCallTrees({
    verdict,
    differences: [],
    warnings: [],
    head: recordingOf(head, ofHead),
    ...(baseline && { baseline }),
  });
}

/** Totals of the frames of a tree, by name. */
const totalsOf = (tree: CallTree): Record<string, [base: number, head: number]> => {
  const graph = computeFlameGraph(tree);
  return Object.fromEntries(
    Array.from(graph.name, (_, node) => [frameName(graph, node), [graph.base[node]!, graph.head[node]!]]),
  );
};

describe('createCallTrees()', () => {
  it('divides each side by its invocations, and leaves out the time in which nothing ran', () => {
    const [tree] = treesOf({ cpu: cpuOf(300_000, 600_000) }, { cpu: cpuOf(150_000, 150_000) });
    expect(totalsOf(tree!).all).toEqual([expect.closeTo(300_001 / 150), expect.closeTo(900_001 / 150)]);
    expect(tree!.intervalUs).toBe(1_000);
  });

  it('holds what each instance did, per its own invocations, small frames in (other)', () => {
    const [tree] = treesOf({ cpu: cpuOf(300_000, 600_000) }, { cpu: cpuOf(150_000, 150_000) });
    expect(tree!.instances!.map(({ side, id, invocations }) => [side, id, invocations])).toEqual([
      ['base', 'i-1', 100],
      ['base', 'i-2', 50],
      ['head', 'i-1', 100],
      ['head', 'i-2', 50],
    ]);
    const names = Object.keys(totalsOf(tree!));
    expect(names.some((name) => name.includes('rare'))).toBe(false);
    const alone = totalsOf(selectInstances(tree!, { base: 'i-1', head: 'i-2' }));
    expect(alone.all).toEqual([1_500, expect.closeTo(600_001 / 50)]);
    expect(alone['(other)']).toEqual([0, expect.closeTo(1 / 50)]);
    const work = names.find((name) => name.includes('work'))!;
    expect(alone[work]).toEqual([1_500, 12_000]);
  });

  it('draws every metric of a profile, what there is at one moment per instance', () => {
    const heap = profileOf({
      types: ['alloc_objects/count', 'alloc_space/bytes', 'inuse_space/bytes'],
      defaultSampleType: 'alloc_space',
      samples: [{ stack: ['work@src/a.mjs'], values: [3, 3_000, 800], labels: { [INSTANCE_LABEL]: 'i-1' } }],
    });
    const trees = treesOf({ heap });
    expect(trees.map((tree) => [tree.sampleType, perWhat(tree)])).toEqual([
      ['alloc_space', 'per invocation'],
      ['alloc_objects', 'per invocation'],
      ['inuse_space', 'per instance'],
    ]);
    expect(totalsOf(trees[2]!).all).toEqual([0, 400]);
  });

  it('offers no choice of instances where there is one', () => {
    const one = profileOf({ samples: [{ stack: ['work@a.mjs'], values: [1, 5] }] });
    expect(treesOf({ cpu: one })[0]!.instances).toBeUndefined();
    expect(createCallTrees({ verdict, differences: [], warnings: [] })).toEqual([]);
  });

  it('keeps the instances that the page has room for, of both sides', () => {
    const many = (ids: number) =>
      profileOf({
        samples: Array.from({ length: ids }, (_, id) => id).flatMap((id) =>
          Array.from({ length: 500 }, (_, i) => ({
            stack: [`f${i}@src/a.mjs`],
            values: [1, 1_000],
            labels: { [INSTANCE_LABEL]: `i-${id}` },
          })),
        ),
      });
    const recording = (commit: string): Recording => ({
      ...sampleRecording(commit, { instances: Array.from({ length: 60 }, (_, i) => ({ ...instance, id: `i-${i}` })) }),
      profiles: new Map([['cpu' as const, many(60)]]),
    });
    const [tree] = createCallTrees({
      verdict,
      differences: [],
      warnings: [],
      head: recording(head),
      baseline: { recording: recording(base), distance: 0, relation: 'parent commit' },
    });
    const sides = tree!.instances!.map(({ side }) => side);
    expect(sides.filter((side) => side === 'base')).toHaveLength(20);
    expect(sides.filter((side) => side === 'head')).toHaveLength(20);
  });
});
