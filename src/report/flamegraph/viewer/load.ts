/// <reference lib="dom" />
/** From the text in the page to the graph that is shown. */
import { type CallTree, selectInstances } from '../calltree.ts';
import { decodeTree } from '../encode.ts';
import { computeFlameGraph, type FlameGraph } from '../layout.ts';
import { withSamplingNoise } from '../noise.ts';
import { packedTrees } from './elements.ts';
import type { ViewState } from './state.ts';

type Choice = Pick<ViewState, 'tab' | 'before' | 'after'>;

const trees = new Map<number, Promise<CallTree>>();
let latest: { of: string; graph: FlameGraph } | undefined;

/** The tree of a tab; unpacked once. */
export function loadTree(tab: number): Promise<CallTree> {
  const tree = trees.get(tab) ?? unpack(packedTrees[tab]!.textContent!);
  trees.set(tab, tree);
  return tree;
}

/** The graph of a tab, of whole sides or of single instances. */
export async function loadGraph({ tab, before, after }: Choice): Promise<FlameGraph> {
  const of = JSON.stringify([tab, before, after]);
  if (latest?.of === of) return latest.graph;
  const tree = selectInstances(await loadTree(tab), { base: before, head: after });
  const graph = computeFlameGraph(withSamplingNoise(tree));
  latest = { of, graph };
  return graph;
}

async function unpack(text: string): Promise<CallTree> {
  const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return decodeTree(await new Response(stream).text());
}
