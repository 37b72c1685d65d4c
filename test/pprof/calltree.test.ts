import { describe, expect, test } from 'vitest';
import { buildCallTree, type CallNode, type CallTree } from '../../src/pprof/calltree.ts';
import { classifyFrame } from '../../src/pprof/frames.ts';
import { profileOf } from './fixtures.ts';

const classify = (frame: Parameters<typeof classifyFrame>[0]) => classifyFrame(frame, 'go');

function show({ frames, roots }: CallTree): string[] {
  const rows = (node: CallNode, indent: string): string[] => [
    `${indent}${frames[node.frame]!.key} ${node.self.base}→${node.self.head} of ${node.total.base}→${node.total.head}`,
    ...node.children.flatMap((child) => rows(child, `${indent}  `)),
  ];
  return roots.flatMap((root) => rows(root, ''));
}

describe('buildCallTree()', () => {
  const base = profileOf({
    samples: [
      { stack: ['main.work.func1', 'main.run', 'main.main'], values: [1, 30] },
      { stack: ['main.run', 'main.main'], values: [1, 10] },
    ],
  });
  const head = profileOf({
    samples: [
      { stack: ['main.work.func2', 'main.run', 'main.main'], values: [1, 50] },
      { stack: ['main.tiny', 'main.main'], values: [1, 1] },
    ],
  });

  test('puts both sides into one tree, under names that both builds have', () => {
    const tree = buildCallTree(base, head, 'cpu', classify);
    expect(show(tree)).toEqual([
      'main.main 0→0 of 40→51',
      '  main.run 10→0 of 40→50',
      '    main.work.func 30→50 of 30→50',
      '  main.tiny 0→1 of 0→1',
    ]);
    expect(tree.total).toEqual({ base: 40, head: 51 });
  });

  test('divides by invocations, and leaves out what is small on both sides', () => {
    const tree = buildCallTree(base, head, 'cpu', classify, { invocations: { base: 10, head: 5 }, minShare: 0.05 });
    expect(show(tree)).toEqual([
      'main.main 0→0 of 4→10.2',
      '  main.run 1→0 of 4→10',
      '    main.work.func 3→10 of 3→10',
    ]);
    expect(tree.pruned).toBe(1);
  });

  test('needs no base', () => {
    expect(buildCallTree(undefined, head, 'cpu', classify).total).toEqual({ base: 0, head: 51 });
  });

  test('makes direct recursion one node, and cuts stacks that are too deep', () => {
    const recursive = profileOf({ samples: [{ stack: ['main.f', 'main.f', 'main.f', 'main.main'], values: [1, 1] }] });
    expect(show(buildCallTree(undefined, recursive, 'cpu', classify))).toEqual([
      'main.main 0→0 of 0→1',
      '  main.f 0→1 of 0→1',
    ]);
    const deep = profileOf({
      samples: [{ stack: Array.from({ length: 50_000 }, (_, i) => `main.f${i % 2}`), values: [1, 1] }],
    });
    let depth = 0;
    for (let [node] = buildCallTree(undefined, deep, 'cpu', classify).roots; node !== undefined; [node] = node.children)
      depth++;
    expect(depth).toBe(1000);
  });
});
