/** Call trees for tests and for looking at: a small one that matches `samples.ts`, and large ones from a seed. */
import type { CallTree, InstanceValues } from '../../../src/report/flamegraph/calltree.ts';

/** A frame: name, self of base and head in ms, callees. */
type Frame = [name: string, base: number, head: number, callees?: Frame[]];

const own = 'github.com/octo-org/orders';

const program: Frame[] = [
  [
    'main.main',
    0,
    0,
    [
      [
        'github.com/aws/aws-lambda-go/lambda.Start',
        0.02,
        0.02,
        [
          [
            `${own}/handler.(*Orders).Handle`,
            0.3,
            0.31,
            [
              [
                `${own}/pricing.(*Engine).Apply`,
                0.5,
                0.52,
                [
                  [
                    `${own}/pricing.sortRules`,
                    0.06,
                    0.15,
                    [
                      [
                        'sort.Slice',
                        0.03,
                        0.2,
                        [['sort.quickSort_func', 0.26, 1.18, [[`${own}/pricing.sortRules.func`, 0.18, 0.9]]]],
                      ],
                    ],
                  ],
                  [`${own}/pricing.legacyTaxTable`, 0.34, 0, [['encoding/csv.(*Reader).readRecord', 0.42, 0]]],
                  [`${own}/pricing.roundHalfEven`, 0.41, 0.42],
                ],
              ],
              [
                `${own}/handler.validateSKU`,
                0,
                0.1,
                [
                  [
                    'regexp.MustCompile',
                    0,
                    0.05,
                    [
                      [
                        'regexp.compile',
                        0,
                        0.34,
                        [
                          ['regexp/syntax.Parse', 0, 0.42],
                          ['regexp/syntax.Compile', 0, 0.3],
                        ],
                      ],
                    ],
                  ],
                ],
              ],
              [`${own}/store.(*Dynamo).Put`, 0.9, 0.88, [['encoding/json.Marshal', 1.9, 1.88]]],
              [`${own}/audit.(*Log).Emit`, 0.21, 0.12, [['compress/gzip.(*Writer).Write', 0.8, 0.42]]],
              ['encoding/json.Unmarshal', 0.4, 0.41, [['encoding/json.(*decodeState).object', 0.61, 0.66]]],
            ],
          ],
        ],
      ],
    ],
  ],
  ['runtime.gcBgMarkWorker', 0.51, 0.6, [['runtime.scanobject', 0.5, 0.65]]],
  ['runtime.mcall', 0.3, 0.31, [['runtime.schedule', 0.5, 0.49, [['runtime.findRunnable', 0.7, 0.72]]]]],
];

/** The tree of the sample report, CPU in nanoseconds per invocation, noise as if of 8 instances. */
export function ordersTree(sides: 'both' | 'head' = 'both'): CallTree {
  return toColumns(program, 'cpu', 'nanoseconds', 1e6, sides);
}

/** The same shape as allocations. */
export function allocationsTree(): CallTree {
  return toColumns(program, 'alloc_space', 'bytes', 120_000, 'both');
}

/** The tree with `count` instances a side, each a little off the mean; the last of the head side takes twice as long. */
export function withInstances(tree: CallTree, count = 3): CallTree {
  const instancesOf = (side: 'base' | 'head', values: Float64Array): InstanceValues[] => {
    const nodes = Int32Array.from(values.keys()).filter((node) => values[node]! > 0);
    return Array.from({ length: count }, (_, i) => {
      const factor = side === 'head' && i === count - 1 ? 2 : 0.9 + 0.1 * i;
      const self = Float64Array.from(nodes, (node) => values[node]! * factor);
      return { side, id: `i-${(0x1a2b3c00 + i).toString(16)}`, invocations: 625, nodes, self };
    });
  };
  const instances = [...instancesOf('base', tree.nodes.baseSelf), ...instancesOf('head', tree.nodes.headSelf)];
  return { ...tree, intervalUs: 10_000, instances };
}

function toColumns(
  frames: Frame[],
  sampleType: string,
  unit: string,
  factor: number,
  sides: 'both' | 'head',
): CallTree {
  const names: string[] = [];
  const rows: { name: number; parent: number; base: number; head: number }[] = [];
  const visit = ([name, base, head, callees = []]: Frame, parent: number) => {
    if (!names.includes(name)) names.push(name);
    const row = { name: names.indexOf(name), parent, base: sides === 'head' ? 0 : base * factor, head: head * factor };
    const place = rows.push(row) - 1;
    for (const callee of callees) visit(callee, place);
  };
  for (const frame of frames) visit(frame, -1);
  return {
    sampleType,
    unit,
    names,
    files: names.map((name) => (name.startsWith(own) ? `${name.split('.')[1]?.slice(4) ?? ''}.go` : '')),
    nodes: {
      name: Int32Array.from(rows, (row) => row.name),
      parent: Int32Array.from(rows, (row) => row.parent),
      baseSelf: Float64Array.from(rows, (row) => row.base),
      headSelf: Float64Array.from(rows, (row) => row.head),
      ...(sides === 'both' && { noise: Float64Array.from(rows, () => 0.12 * factor) }),
    },
    baseInvocations: 4_999,
    headInvocations: 4_999,
  };
}

/** A tree from parents and self values. */
export function treeOf(rows: { parent: number; base: number; head: number; name?: number }[]): CallTree {
  return {
    sampleType: 'cpu',
    unit: 'nanoseconds',
    names: rows.map((_, index) => `f${index}`),
    files: rows.map(() => ''),
    nodes: {
      name: Int32Array.from(rows, (row, index) => row.name ?? index),
      parent: Int32Array.from(rows, (row) => row.parent),
      baseSelf: Float64Array.from(rows, (row) => row.base),
      headSelf: Float64Array.from(rows, (row) => row.head),
    },
    baseInvocations: 1,
    headInvocations: 1,
  };
}

/** A tree of `size` nodes in which every frame splits its time among a few callees; the same seed gives the same tree. */
export function generatedTree(size: number, seed = 1): CallTree {
  const random = generator(seed);
  const names = Array.from({ length: Math.min(4_000, Math.ceil(size / 4)) }, (_, index) => {
    return `github.com/octo-org/orders/package${index % 16}.(*Type${index % 97}).method${index}`;
  });
  const weights = [1e8];
  const above = [-1];
  const children: number[][] = [[]];
  for (let node = 0; weights.length < size; node++) {
    const count = Math.min(size - weights.length, random() < 0.4 ? 1 : 2 + Math.floor(4 * random()));
    const parts = Array.from({ length: count }, () => (0.05 + random()) ** 3);
    const sum = parts.reduce((total, part) => total + part, random() * 0.05);
    for (const part of parts) {
      children[node]!.push(weights.length);
      above.push(node);
      children.push([]);
      weights.push((weights[node]! * part) / sum);
    }
  }
  const order: number[] = [];
  const stack = [0];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    order.push(node);
    stack.push(...children[node]!);
  }
  const place = new Int32Array(size);
  order.forEach((node, index) => {
    place[node] = index;
  });
  const self = (node: number) => weights[node]! - children[node]!.reduce((sum, child) => sum + weights[child]!, 0);
  const sides = order.map((node) => {
    const value = Math.max(0, self(node));
    const kind = random();
    return { base: kind < 0.02 ? 0 : value, head: kind > 0.98 ? 0 : value * (0.9 + 0.25 * random()) };
  });
  return {
    sampleType: 'cpu',
    unit: 'nanoseconds',
    names,
    files: names.map((_, index) => `package${index % 16}/file${index % 50}.go`),
    nodes: {
      name: Int32Array.from({ length: size }, () => Math.floor(names.length * random() ** 2)),
      parent: Int32Array.from(order, (node) => (above[node]! < 0 ? -1 : place[above[node]!]!)),
      baseSelf: Float64Array.from(sides, ({ base }) => base),
      headSelf: Float64Array.from(sides, ({ head }) => head),
    },
    baseInvocations: 5_000,
    headInvocations: 5_000,
  };
}

/** Numbers in [0, 1) from a seed (a linear congruential generator, modulus 2³²). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
