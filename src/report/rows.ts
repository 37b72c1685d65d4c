/** Which functions a reader is shown, in which order, and the words for each. */
import type { FunctionChange } from '../compare/comparison.ts';
import { formatDelta, formatInterval, formatPair } from '../compare/format.ts';
import type { Report } from './report.ts';
import { type Source, sourceOf } from './source.ts';

/** Who owns a function, in words; '' for own code, and where the name says it: `(runtime)`, `(garbage collector)`. */
export function ownerWords({ kind, display }: { kind: string; display: string }): string {
  const words = kind === 'gc' ? 'garbage collector' : kind;
  return kind === 'own' || display === `(${words})` ? '' : words;
}

export interface FunctionRow {
  changed: FunctionChange;
  /** `▲`, `▼`, `◆`: the direction, readable without colour. */
  arrow: string;
  /** `slower`, `faster`, `new`, `gone`, `moved`; '' when unchanged. */
  word: string;
  /** CPU added per invocation, with its sign: `+1.90 ms`. */
  delta: string;
  /** `0.53 → 2.43 ms` */
  pair: string;
  /** 95 % confidence interval of the change; `—` for functions that exist on one side only. */
  interval: string;
  /** The name or the file it had before; '' when it kept both. Untrusted text. */
  from: string;
  source: Source;
}

/** Every function that changed, most important first: over the limit, own code, slower, faster, moved; then by size. */
export function changedRows(report: Report): FunctionRow[] {
  const functions = report.comparison?.functions ?? [];
  return sortRows(
    report,
    functions.filter((changed) => changed.change !== 'unchanged'),
  );
}

/** Functions whose change does not rise above its noise, largest movement first. */
export function unchangedRows(report: Report): FunctionRow[] {
  const functions = report.comparison?.functions ?? [];
  return functions
    .filter((changed) => changed.change === 'unchanged')
    .sort((a, b) => Math.abs(addedNanos(b)) - Math.abs(addedNanos(a)) || compareText(a.key, b.key))
    .map((changed) => toRow(report, changed));
}

/**
 * The rows of a table of at most `most`. Functions over the limit come first; two of every five places are kept for
 * functions that got faster, when there are any, because a move of cost shows as one of each.
 */
export function topRows(report: Report, most: number): FunctionRow[] {
  const rows = changedRows(report);
  const faster = rows.filter((row) => row.changed.change === 'faster');
  const others = rows.filter((row) => row.changed.change !== 'faster');
  const kept = Math.min(faster.length, Math.floor((most * 2) / 5));
  const chosen = new Set([...others.slice(0, most - kept), ...faster].slice(0, most));
  return rows.filter((row) => chosen.has(row));
}

/** CPU added per invocation in nanoseconds. */
export function addedNanos(changed: FunctionChange): number {
  return changed.headNanosPerInvocation - changed.baseNanosPerInvocation;
}

function sortRows(report: Report, functions: FunctionChange[]): FunctionRow[] {
  const regressed = new Set(report.verdict.regressed);
  const order = { slower: 0, faster: 1, moved: 2, unchanged: 3 };
  return functions
    .toSorted(
      (a, b) =>
        Number(regressed.has(b.key)) - Number(regressed.has(a.key)) ||
        Number(a.change === 'moved') - Number(b.change === 'moved') ||
        Number(b.kind === 'own') - Number(a.kind === 'own') ||
        order[a.change] - order[b.change] ||
        Math.abs(addedNanos(b)) - Math.abs(addedNanos(a)) ||
        compareText(a.key, b.key),
    )
    .map((changed) => toRow(report, changed));
}

function toRow(report: Report, changed: FunctionChange): FunctionRow {
  const baseMs = changed.baseNanosPerInvocation / 1e6;
  const headMs = changed.headNanosPerInvocation / 1e6;
  return {
    changed,
    arrow: changed.change === 'moved' ? '◆' : addedNanos(changed) < 0 ? '▼' : '▲',
    word: wordOf(changed),
    delta: formatDelta(baseMs, headMs, 'ms'),
    pair: formatPair(baseMs, headMs, 'ms'),
    interval: changed.presence === 'both' ? formatInterval(changed.ratioLow, changed.ratioHigh) : '—',
    from: changed.partOf ?? changed.renamedFrom ?? changed.movedFrom ?? '',
    source: sourceOf(report, changed),
  };
}

function wordOf(changed: FunctionChange): string {
  if (changed.change === 'unchanged') return '';
  if (changed.partOf !== undefined) return 'part';
  return changed.change === 'moved' || changed.presence === 'both' ? changed.change : changed.presence;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
