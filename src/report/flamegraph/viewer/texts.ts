/** Sentences under and beside the picture. */
import { formatPercent, formatShare } from '../../../compare/format.ts';
import { formatAmount } from '../amount.ts';
import { frameName } from '../frame.ts';
import type { FlameGraph } from '../layout.ts';
import type { Matches } from './search.ts';
import type { ViewState } from './state.ts';

/** The name as text: what cannot be seen is left out, as everywhere else. */
export function visible(text: string): string {
  return text.slice(0, 1_000).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
}

/** What the reader must know about what is drawn; '' when there is nothing. */
export function describeView(graph: FlameGraph, state: ViewState, top: number): string {
  if (state.view === 'callers')
    return `Callers above, callees below ${visible(frameName(graph, top))}. Enter goes to a function.`;
  if (state.width === 'both') return 'Both: union width, includes removed code.';
  if (state.width === 'base') return 'Before: new code has no width here.';
  const goneNames = new Set<number>();
  let gone = 0;
  for (let node = 1; node < graph.name.length; node++) {
    if (graph.head[node] !== 0 || graph.baseSelf[node] === 0) continue;
    gone += graph.baseSelf[node]!;
    goneNames.add(graph.name[node]!);
  }
  if (gone === 0 || graph.base[0] === 0) return '';
  const subject = goneNames.size === 1 ? 'One function has stacks' : `${goneNames.size} functions have stacks`;
  return `${subject} that are gone (−${formatAmount(gone, graph.unit)}): they have no width in After.`;
}

/** `12 frames, 25% of all, +3.1% of the base total`. */
export function describeMatches(graph: FlameGraph, { nodes, base, head }: Matches): string {
  if (nodes.length === 0) return 'no match';
  const share = graph.head[0]! > 0 ? `, ${formatShare(head / graph.head[0]!)} of all` : '';
  const change = graph.base[0]! > 0 ? `, ${formatPercent((head - base) / graph.base[0]!)} of the base total` : '';
  return `${nodes.length} frame${nodes.length === 1 ? '' : 's'}${share}${change}`;
}
