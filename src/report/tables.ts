/** The tables comment and summary share, as Markdown blocks, and their cells. Untrusted text goes through `escape.ts`. */
import type { MetricChange } from '../compare/comparison.ts';
import {
  formatCount,
  formatDelta,
  formatInterval,
  formatPair,
  formatPercent,
  formatShare,
  formatValue,
} from '../compare/format.ts';
import { type BudgetMark, budgetOfFunction, budgetOfMetric, budgetSigns } from './budget.ts';
import { escapeCodeSpan, escapeMarkdown } from './escape.ts';
import { type Block, unbroken } from './markdown.ts';
import { measuredMetrics, metricNames } from './metrics.ts';
import type { Report } from './report.ts';
import { changedRows, type FunctionRow, ownerWords, topRows } from './rows.ts';
import { pageUrl, type Source, sourceOf } from './source.ts';

/** Longest name in the open table: five columns fit the column of a pull request then. The folded table has all of it. */
const openNameLength = 30;

/**
 * The open table: functions first, because they can be changed, then the totals they add up to. `report.top` rows at
 * most: three over their limits, or two that merely changed, then totals over their budget, then whatever has room.
 */
export function whatChangedBlocks(report: Report): Block[] {
  const judged = measuredMetrics(report).map((metric) => ({ metric, mark: budgetOfMetric(report, metric) }));
  const changed = changedRows(report).length;
  const over = judged.filter(({ mark }) => mark.state === 'over' || mark.state === 'warned');
  // Billed time and its cost follow the duration: what they say is said once.
  const rank = ({ metric: { id }, mark }: (typeof over)[number]) =>
    Number(mark.state !== 'over') * 2 + Number(id === 'billed' || id === 'cost');
  const totals = [
    ...over.toSorted((a, b) => rank(a) - rank(b)),
    ...judged.filter((one) => one.metric.id === 'cpu' && !over.includes(one)),
  ];
  const flagged = report.verdict.regressed.length + report.verdict.warned.length;
  const wanted = Math.min(changed, Math.max(Math.min(flagged, 3), 2));
  const room = Math.max(report.top - changed, Math.min(over.length, report.top - wanted));
  const shownTotals = totals.slice(0, Math.max(0, room));
  const rows = topRows(report, report.top - shownTotals.length);
  if (rows.length + shownTotals.length === 0) return [];
  const more = changed - rows.length;
  const legend = [
    'CPU per invocation, own code first',
    rows.some((row) => row.source.touched) ? '✏️ = file changed in this pull request' : '',
    more > 0 ? `${formatCount(more)} more below` : '',
  ].filter((part) => part !== '');
  return [
    {
      kind: 'table',
      intro: rows.length === 0 ? '' : `**What changed** (${legend.join('; ')})`,
      title: '',
      header: [rows.length === 0 ? '' : 'Function', 'Base → head', 'Change', 'Noise (95% CI)', 'Budget'],
      align: 'lrrrl',
      importance: 90,
      rows: [
        ...rows.map((row) => [
          [nameCell(report, row, openNameLength), sourceCell(row.source, openNameLength)]
            .filter((part) => part !== '')
            .join('<br>'),
          unbroken(row.pair),
          changeCell(row),
          unbroken(row.interval),
          budgetCell(budgetOfFunction(report, row)),
        ]),
        ...shownTotals.map(({ metric, mark }) => [
          `**${metricNames[metric.id]}**`,
          unbroken(formatPair(metric.base, metric.head, metric.unit)),
          unbroken(metricChange(metric)),
          unbroken(formatInterval(metric.ratioLow, metric.ratioHigh)),
          budgetCell(mark),
        ]),
      ],
    },
  ];
}

/** All metrics, folded. */
export function metricsBlocks(report: Report): Block[] {
  const metrics = measuredMetrics(report);
  if (metrics.length === 0) return [];
  return [
    {
      kind: 'table',
      intro: '',
      title: metrics.some(({ id }) => id === 'cost') ? 'Metrics and cost' : 'Metrics',
      header: ['', 'Base', 'Head', 'Change', 'Noise (95% CI)', 'Budget'],
      align: 'lrrrrl',
      importance: 25,
      rows: metrics.map((metric) => [
        metricNames[metric.id],
        unbroken(formatValue(metric.base, metric.unit)),
        unbroken(formatValue(metric.head, metric.unit)),
        unbroken(metricChange(metric)),
        unbroken(formatInterval(metric.ratioLow, metric.ratioHigh)),
        budgetCell(budgetOfMetric(report, metric)),
      ]),
    },
  ];
}

/** Hottest functions of the head side. */
export function hottestBlock(report: Report, from: number, to: number, title: string): Block {
  return {
    kind: 'table',
    intro: title === '' ? '**Hottest functions** (CPU per invocation)' : '',
    title,
    header: ['CPU', 'Share', 'Function', 'Source'],
    align: 'rrll',
    importance: title === '' ? 90 : 20,
    rows: report.hottest
      .slice(from, to)
      .map((hot) => [
        unbroken(formatValue(hot.nanosPerInvocation / 1e6, 'ms')),
        formatShare(hot.share),
        [
          escapeCodeSpan(shortName(hot.display, 50), 50),
          ...(ownerWords(hot) === '' ? [] : [escapeMarkdown(ownerWords(hot), 20)]),
        ].join(' · '),
        sourceCell(sourceOf(report, hot)),
      ]),
  };
}

/** `` `name` · renamed from `other` · library ``; names of at most `most` characters. */
export function nameCell(report: Report, row: FunctionRow, most = 120): string {
  const { changed } = row;
  const code = escapeCodeSpan(shortName(changed.display, most), most);
  const url = pageUrl(report, changed.key);
  const name = url === '' ? code : `[${code}](${url})`;
  const words: string[] = [];
  if (row.from !== '') words.push(`${originWords(changed)} ${escapeCodeSpan(shortName(row.from, most), most)}`);
  words.push(ownerWords(changed));
  return [name, ...words.filter((word) => word !== '')].join(' · ');
}

/** A name without its beginning, the package, when it is longer than `most`; what is too long even then is cut elsewhere. */
function shortName(name: string, most: number): string {
  if (name.length <= most) return name;
  const starts = Array.from(name.slice(0, 10_000).matchAll(/[./](?=[^./])/g), ({ index }) => index + 1);
  const start = starts.find((at) => name.length - at < most);
  return start === undefined ? name : `…${name.slice(start)}`;
}

/** What `row.from` is to the function. */
export function originWords({ partOf, renamedFrom }: FunctionRow['changed']): string {
  if (partOf !== undefined) return 'part of';
  return renamedFrom !== undefined ? 'renamed from' : 'moved from';
}

/** The place of a function: linked when it is in the repository, marked when the pull request touches it. */
export function sourceCell(source: Source, most = 60): string {
  if (source.label === '') return '';
  const label = escapeMarkdown(source.label, most);
  const linked = source.url === '' ? label : `[${label}](${source.url})`;
  return source.touched ? `${linked}\u00a0✏️` : linked;
}

/** `▲ **+1.90 ms** slower` */
export function changeCell(row: FunctionRow): string {
  return unbroken(row.word === '' ? `${row.arrow} ${row.delta}` : `${row.arrow} **${row.delta}** ${row.word}`);
}

/** `❌ over +10%`; `—` for what is not judged. */
function budgetCell({ state, text }: BudgetMark): string {
  const { emoji } = budgetSigns[state];
  return text === '' ? '—' : unbroken(emoji === '' ? text : `${emoji} ${text}`);
}

function metricChange(metric: MetricChange): string {
  if (Number.isNaN(metric.head - metric.base)) return '—';
  const delta = formatDelta(metric.base, metric.head, metric.unit);
  const relative =
    metric.unit === 'share' || metric.base === 0 ? '' : ` (${formatPercent(metric.head / metric.base - 1)})`;
  if (metric.change === 'more') return `▲ **${delta}${relative}**`;
  if (metric.change === 'less') return `▼ **${delta}${relative}**`;
  return `${delta}${relative}`;
}
