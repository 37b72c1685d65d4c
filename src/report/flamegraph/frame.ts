/** What can be said about one frame, in the words the picture, its tooltips and the live region share. */
import { formatPercent, formatShare } from '../../compare/format.ts';
import { formatAmount, formatAmountDelta, formatAmountPair } from './amount.ts';
import type { FlameGraph } from './layout.ts';
import { type Step, stepOf } from './palette.ts';

/** What the colour of a frame means: the change of its total, or of its own lines only. */
export type Colour = 'total' | 'self';

/** `new` and `gone` mean: no samples on the other side, and more on this side than chance explains. */
export type Presence = 'both' | 'new' | 'gone';

/** The name of a frame; the root of several trees is `all`. */
export function frameName(graph: FlameGraph, node: number): string {
  const name = graph.name[node]!;
  return name < 0 ? 'all' : (graph.names[name] ?? '');
}

export function frameStep(graph: FlameGraph, node: number, colour: Colour, baseTotal: number): Step {
  const delta =
    colour === 'total' ? graph.head[node]! - graph.base[node]! : graph.headSelf[node]! - graph.baseSelf[node]!;
  return stepOf(delta, baseTotal, graph.noise?.[node] ?? 0);
}

export function framePresence(graph: FlameGraph, node: number): Presence {
  const noise = graph.noise?.[node] ?? 0;
  if (graph.base[node] === 0 && graph.head[node]! > noise) return 'new';
  return graph.head[node] === 0 && graph.base[node]! > noise ? 'gone' : 'both';
}

/** What values are divided by: a profile of which nobody knows the invocations has them in all. */
export function perWhat({ headInvocations, per }: { headInvocations: number; per?: 'instance' | undefined }): string {
  if (per !== undefined) return `per ${per}`;
  return headInvocations > 1 ? 'per invocation' : 'in all';
}

/** Whole sentences about a frame: net, share, gross rises and falls, self, noise. */
export function frameFacts(graph: FlameGraph, node: number, baseTotal: number, headTotal: number): string[] {
  const { unit } = graph;
  const per = perWhat(graph);
  const base = graph.base[node]!;
  const head = graph.head[node]!;
  const hasBase = baseTotal > 0;
  const facts: string[] = [];
  if (!hasBase) facts.push(`${formatAmount(head, unit)} ${per}, ${formatShare(head / headTotal)} of all`);
  else {
    const relative = base > 0 && head > 0 ? ` (${formatPercent(head / base - 1)})` : '';
    facts.push(
      `${formatAmountPair(base, head, unit)} ${per}: ${formatAmountDelta(base, head, unit)}${relative}`,
      `${formatPercent((head - base) / baseTotal)} of the base total`,
    );
    const risen = graph.risen[node]!;
    const fallen = graph.fallen[node]!;
    if (risen > 0 && fallen > 0) {
      facts.push(`gross ▲ ${formatAmount(risen, unit)}, ▼ ${formatAmount(fallen, unit)}`);
    }
    const noise = graph.noise?.[node];
    if (noise !== undefined && noise > 0) {
      const within = Math.abs(head - base) <= noise ? 'within' : 'above';
      facts.push(`${within} its noise of ±${formatAmount(noise, unit)}`);
    }
  }
  facts.push(
    `self ${hasBase ? formatAmountPair(graph.baseSelf[node]!, graph.headSelf[node]!, unit) : formatAmount(graph.headSelf[node]!, unit)}`,
  );
  return facts;
}

/** A name without the path of its package; paths behind the name stay. */
export function withoutPath(name: string): string {
  return name.replace(/^[^\s(]*\//, '');
}

/** As much of a label as `cells` characters hold: first the path of the package goes, then the end of the name. */
export function fitLabel(mark: string, name: string, cells: number): string {
  if (mark.length + name.length <= cells) return mark + name;
  if (cells < 3) return '';
  const text = mark + withoutPath(name);
  return text.length <= cells ? text : `${text.slice(0, cells - 1).toWellFormed()}…`;
}
