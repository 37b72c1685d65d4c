/** A call tree as text for the page, and back. Integers of one ten-millionth of the total compress best. */
import type { CallTree } from './calltree.ts';

interface EncodedTree {
  sampleType: string;
  unit: string;
  names: string[];
  files: string[];
  /** Value of one. */
  quantum: number;
  /** Preorder: name, depth, and the self values of base and head of each node; noise when it is known. */
  name: number[];
  depth: number[];
  base: number[];
  head: number[];
  noise: number[] | null;
  baseInvocations: number;
  headInvocations: number;
  per: 'instance' | null;
  intervalUs: number | null;
  /** Nodes as distances from the one before; values in `instanceQuanta` quanta. */
  instances: { side: 'base' | 'head'; id: string; invocations: number; nodes: number[]; self: number[] }[] | null;
}

/** One instance has few samples: its values need fewer digits. */
const instanceQuanta = 100;

/** The tree as JSON text. */
export function encodeTree(tree: CallTree): string {
  const { nodes } = tree;
  const total = Math.max(sum(nodes.baseSelf), sum(nodes.headSelf));
  const quantum = total > 0 ? total / 1e7 : 1;
  const depths = new Int32Array(nodes.name.length);
  for (let node = 0; node < depths.length; node++) {
    const parent = nodes.parent[node]!;
    depths[node] = parent < 0 ? 0 : depths[parent]! + 1;
  }
  const quanta = (values: Float64Array) => Array.from(values, (value) => Math.round(value / quantum));
  const encoded: EncodedTree = {
    sampleType: tree.sampleType,
    unit: tree.unit,
    names: tree.names,
    files: tree.files,
    quantum,
    name: Array.from(nodes.name),
    depth: Array.from(depths),
    base: quanta(nodes.baseSelf),
    head: quanta(nodes.headSelf),
    noise: nodes.noise === undefined ? null : quanta(nodes.noise),
    baseInvocations: tree.baseInvocations,
    headInvocations: tree.headInvocations,
    per: tree.per ?? null,
    intervalUs: tree.intervalUs ?? null,
    instances:
      tree.instances?.map(({ nodes: places, self, ...one }) => ({
        ...one,
        nodes: Array.from(places, (node, i) => node - (i === 0 ? 0 : places[i - 1]!)),
        self: Array.from(self, (value) => Math.round(value / quantum / instanceQuanta)),
      })) ?? null,
  };
  return JSON.stringify(encoded);
}

/** The tree in a text written by `encodeTree()`. */
export function decodeTree(text: string): CallTree {
  const encoded = JSON.parse(text) as EncodedTree;
  const size = encoded.name.length;
  const parent = new Int32Array(size);
  const path: number[] = [];
  for (let node = 0; node < size; node++) {
    const depth = encoded.depth[node]!;
    parent[node] = depth === 0 ? -1 : path[depth - 1]!;
    path[depth] = node;
  }
  const values = (quanta: number[]) => Float64Array.from(quanta, (value) => value * encoded.quantum);
  return {
    sampleType: encoded.sampleType,
    unit: encoded.unit,
    names: encoded.names,
    files: encoded.files,
    nodes: {
      name: Int32Array.from(encoded.name),
      parent,
      baseSelf: values(encoded.base),
      headSelf: values(encoded.head),
      ...(encoded.noise !== null && { noise: values(encoded.noise) }),
    },
    baseInvocations: encoded.baseInvocations,
    headInvocations: encoded.headInvocations,
    ...(encoded.per !== null && { per: encoded.per }),
    ...(encoded.intervalUs !== null && { intervalUs: encoded.intervalUs }),
    ...(encoded.instances !== null && {
      instances: encoded.instances.map(({ nodes, self, ...one }) => {
        let node = 0;
        return {
          ...one,
          nodes: Int32Array.from(nodes, (step) => (node += step)),
          self: Float64Array.from(self, (value) => value * encoded.quantum * instanceQuanta),
        };
      }),
    }),
  };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
