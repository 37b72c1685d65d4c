/** The folded parts: all functions, instances, how it was decided, environment. */

import type { Comparison } from '../compare/comparison.ts';
import { formatCount, formatProbability, formatShare, formatThreshold, formatValue } from '../compare/format.ts';
import type { Cost } from '../lambda/cost.ts';
import { escapeCodeSpan, escapeMarkdown, escapeProse } from './escape.ts';
import { type Block, type TableBlock, unbroken } from './markdown.ts';
import { metricNames } from './metrics.ts';
import type { MeasuredSide, Report } from './report.ts';
import { changedRows, type FunctionRow, unchangedRows } from './rows.ts';
import { sentences } from './sections.ts';
import { foldsReasons, stateOf } from './state.ts';
import { changeCell, nameCell, sourceCell } from './tables.ts';

/** Every function whose change rises above its noise; none when there is no such function. */
export function changedFunctionsBlock(report: Report): Block[] {
  const rows = changedRows(report);
  const count = rows.length === 1 ? 'The one function' : `All ${formatCount(rows.length)} functions`;
  return rows.length === 0 ? [] : [functionsBlock(report, rows, `${count} that changed, with the evidence`, 20)];
}

/** The largest movements that are not above their noise. */
export function unchangedFunctionsBlock(report: Report, limit: number): Block[] {
  const rows = unchangedRows(report).slice(0, limit);
  return rows.length === 0
    ? []
    : [functionsBlock(report, rows, 'Largest movements within the noise or below the limits', 10)];
}

/** The decision in plain words, with every number needed to repeat it. */
export function methodBlock(report: Report): Block[] {
  const { comparison } = report;
  if (comparison === undefined) return [];
  const method = methodSentences(report, comparison)
    .map((sentence) => `- ${sentence}`)
    .join('\n');
  const reasons = foldsReasons(stateOf(report)) ? sentences(report.verdict.reasons) : '';
  return [
    {
      kind: 'text',
      title: 'How this was decided',
      importance: 40,
      text: [reasons, method].filter((part) => part !== '').join('\n\n'),
    },
  ];
}

/** What was measured on, and what differs between the sides. */
export function environmentBlock(report: Report): Block[] {
  const { head, base, differences } = report;
  if (head === undefined) return [];
  const fields: [string, (side: MeasuredSide) => string][] = [
    ['Function version', (side) => escapeCodeSpan(side.functionVersion, 60)],
    ['Measured at', (side) => escapeMarkdown(side.measuredAt, 40)],
    ['Memory', (side) => formatValue(side.environment.memoryMb, 'MB')],
    ['Architecture', (side) => escapeMarkdown(side.environment.architecture, 40)],
    ['Runtime', (side) => escapeMarkdown(side.environment.runtime, 40)],
    ['Region', (side) => escapeMarkdown(side.environment.region, 40)],
    ['Language', (side) => escapeMarkdown(side.environment.language, 40)],
    ['Agent', (side) => escapeMarkdown(side.environment.agent, 60)],
    ['Sampling interval', (side) => formatValue(side.environment.intervalUs / 1_000, 'ms')],
    ['Invocations sent', (side) => formatCount(side.invocations.sent)],
    ['Succeeded', (side) => formatCount(side.invocations.succeeded)],
    ['Failed', (side) => formatCount(side.invocations.failed)],
    ['Throttled', (side) => formatCount(side.invocations.throttled)],
    ['Outcome unknown', (side) => formatCount(side.invocations.ambiguous)],
    ['Cold starts', (side) => formatCount(side.invocations.cold)],
  ];
  const sides = base === undefined ? [head] : [base, head];
  const rows = [...fields, ...reportFields(sides)].map(([name, show]) => [name, ...sides.map(show)]);
  for (const difference of differences) {
    rows.push([
      `⚠️ differs: ${escapeMarkdown(difference.field, 60)}`,
      ...(base === undefined ? [] : [escapeMarkdown(difference.base, 120)]),
      escapeMarkdown(difference.head, 120),
    ]);
  }
  const count = differences.length;
  const differing = count === 0 ? '' : `, ${formatCount(count)} difference${count === 1 ? '' : 's'}`;
  const block: TableBlock = {
    kind: 'table',
    intro: '',
    title: `Environment${differing}`,
    header: base === undefined ? ['', 'Head'] : ['', 'Base', 'Head'],
    align: base === undefined ? 'll' : 'lll',
    importance: 30,
    rows,
  };
  return [block];
}

/** What Lambda reported and what that costs, as far as any side has it. */
function reportFields(sides: MeasuredSide[]): [string, (side: MeasuredSide) => string][] {
  const ms = (...values: (number | undefined)[]): string =>
    values.map((value) => formatValue(value ?? Number.NaN, 'ms')).join(' / ');
  const usd = (amount: number): string => formatValue(amount, 'USD');
  const monthly = sides.map(({ cost }) => cost).find((cost) => cost?.known === true && cost.perMonth !== undefined) as
    | Extract<Cost, { known: true }>
    | undefined;
  const fields: [string, (side: MeasuredSide) => string | 0 | undefined][] = [
    [
      'Duration p50 / p90 / p95',
      ({ reports: its }) => its && ms(its.durationP50Ms, its.durationP90Ms, its.durationP95Ms),
    ],
    ['Duration p99', ({ reports }) => reports?.durationP99Ms && ms(reports.durationP99Ms)],
    ['Billed duration, mean', ({ reports }) => reports && ms(reports.billedMeanMs)],
    ['Init p50 / max', ({ reports }) => reports?.initP50Ms && ms(reports.initP50Ms, reports.initMaxMs)],
    ['Share of cold invocations', ({ reports }) => reports && formatShare(reports.coldShare)],
    ['Reports that do not add up', ({ reports }) => reports?.billedBreaches && formatCount(reports.billedBreaches)],
    [
      'Cost of a million invocations',
      ({ cost }) => cost && (cost.known ? usd(cost.perMillion) : `not known: ${escapeProse(cost.reason, 200)}`),
    ],
    [
      `Cost of a month at ${formatCount(monthly?.monthlyInvocations ?? 0)} invocations`,
      ({ cost }) => (cost?.known ? cost.perMonth && usd(cost.perMonth) : undefined),
    ],
    [
      'Cost of the inits of a million cold starts',
      ({ cost }) => (cost?.known ? cost.perMillionColdStarts && usd(cost.perMillionColdStarts) : undefined),
    ],
    ['List prices of', ({ cost }) => (cost?.known ? escapeMarkdown(cost.asOf, 40) : undefined)],
  ];
  return fields
    .filter(([, show]) => sides.some((side) => show(side)))
    .map(([name, show]) => [name, (side) => show(side) || 'n/a']);
}

function functionsBlock(report: Report, rows: FunctionRow[], title: string, importance: number): Block {
  return {
    kind: 'table',
    intro: '',
    title,
    header: ['Change', 'Function', 'Base → head', 'Noise (95% CI)', 'Evidence'],
    align: 'rlrrl',
    importance,
    rows: rows.map((row) => {
      const { changed } = row;
      return [
        changeCell(row),
        [nameCell(report, row), sourceCell(row.source)].filter((part) => part !== '').join(' · '),
        unbroken(row.pair),
        unbroken(row.interval),
        `${formatCount(changed.headInstancesAbove)}/${formatCount(changed.headInstances)} above, p ${formatProbability(row.arrow === '▼' ? changed.pFaster : changed.pSlower)}`,
      ];
    }),
  };
}

/** Limits that the policy sets for a total or a function, in one sentence; none when the general ones hold for all. */
function ownLimits({ budget }: Report, { metrics, functions }: Comparison): string[] {
  const growth = ({ fail, warn }: { fail: number; warn: number }): string =>
    warn < fail ? `${formatThreshold(fail)}, warned of from ${formatThreshold(warn)}` : formatThreshold(fail);
  const totals = metrics.flatMap(({ id, unit }) => {
    const own = budget.metrics?.[id];
    if (own === undefined) return [];
    const most = own.most === undefined ? [] : [`at most ${formatValue(own.most, unit)}`];
    return [`${metricNames[id]} ${[...(id === 'cost' ? [] : [growth(own)]), ...most].join(', ')}`];
  });
  const rules = functions.flatMap(({ key, display }) => {
    const own = Object.hasOwn(budget.functions ?? {}, key) ? budget.functions![key] : undefined;
    return own === undefined
      ? []
      : [`${escapeCodeSpan(display, 80)} ${growth(own)}, from ${formatValue(own.least, 'ms')} on`];
  });
  const all = [...totals, ...rules.slice(0, 10)];
  return all.length === 0 ? [] : [`Limits of their own: ${all.join('; ')}.`];
}

function methodSentences(report: Report, comparison: Comparison): string[] {
  const { method } = comparison;
  const { failThreshold, warnThreshold, minDeltaMs } = report.budget;
  const ways = method.exact
    ? `all ${formatCount(method.relabellings)} ways`
    : `${formatCount(method.relabellings)} random ways (seed ${escapeCodeSpan(method.seed, 60)})`;
  return [
    `Counted: ${formatCount(method.baseInvocations)} base and ${formatCount(method.headInvocations)} head invocations on ${formatCount(method.baseInstances)} and ${formatCount(method.headInstances)} instances, ${formatCount(method.baseSamples)} and ${formatCount(method.headSamples)} CPU samples.`,
    `The instance is the unit of evidence. Of each of ${formatCount(method.functionsTested)} functions the CPU per invocation was compared between instances, corrected for the speed of the machines by the rest of the code, and compared with what ${ways} of swapping base and head instances give (step-down maxT). p is adjusted for all functions tested; “k/n above” counts the head instances above the median base instance.`,
    `A function is a finding only when its adjusted p is at most ${formatProbability(method.alpha)}, it grew by at least ${formatThreshold(warnThreshold)} and by ${formatValue(minDeltaMs, 'ms')} per invocation, and its cost did not merely move. From ${formatThreshold(failThreshold)} on it fails the check.`,
    ...ownLimits(report, comparison),
    method.confirmed
      ? 'What was flagged was measured again on fresh, interleaved instances of both versions; the numbers are those of the second measurement.'
      : 'Nothing was measured a second time: a failure then needs stricter limits.',
  ];
}
