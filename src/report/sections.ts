/** The parts comment and summary share, as Markdown blocks. Every text that is not ours goes through `escape.ts`. */
import type { MetricChange } from '../compare/comparison.ts';
import {
  formatCount,
  formatDelta,
  formatInterval,
  formatPair,
  formatPercent,
  formatShare,
  formatThreshold,
  formatValue,
  shortCommit,
} from '../compare/format.ts';
import { escapeCodeSpan, escapeMarkdown, escapeProse } from './escape.ts';
import { type Block, unbroken } from './markdown.ts';
import { measuredMetrics, metricNames } from './metrics.ts';
import type { MeasuredSide, Report } from './report.ts';
import { changedRows, type FunctionRow, kindName, topRows } from './rows.ts';
import { commitUrl, pageUrl, runUrl, type Source, sourceOf } from './source.ts';
import { stateMarks, stateOf } from './state.ts';

/** Sentences of a verdict that are shown before the reader is sent to the report. */
const maxSentences = 20;

/** What the reader sees without unfolding anything. */
export function firstBlocks(report: Report): Block[] {
  const state = stateOf(report);
  const { emoji } = stateMarks[state];
  const blocks: Block[] = [
    text(Infinity, `### ${emoji} ${escapeMarkdown(report.verdict.headline, 300)}`),
    text(96, contextLine(report)),
  ];
  const reasons = sentences(report.verdict.reasons);
  // Findings are in the tables, so there the sentences that explain them come after.
  const tablesFirst = state === 'regression' || state === 'warning' || state === 'accepted' || state === 'improvement';
  if (state === 'error' && reasons !== '') blocks.push(text(94, `> [!WARNING]\n> ${reasons.replaceAll('\n', '\n> ')}`));
  else if (!tablesFirst) blocks.push(text(70, reasons));
  if (report.verdict.checks.length > 0) blocks.push(checksBlock(report));

  const metrics = measuredMetrics(report);
  if (state === 'pass' || state === 'inconclusive') {
    if (metrics.length > 0) blocks.push(text(80, metricsLine(report, metrics)));
  } else if (metrics.length > 0) {
    blocks.push(metricsBlock(report, metrics, ''));
  }

  const rows = topRows(report);
  if (rows.length > 0) blocks.push(topBlock(report, rows));
  if (state === 'first-run') blocks.push(...firstRunBlocks(report));
  if (tablesFirst) blocks.push(text(70, reasons));
  blocks.push(text(60, sentences(report.warnings, '⚠️ ')));
  return blocks.filter((block) => block.kind === 'table' || block.text !== '');
}

/** Metrics as a table, folded under `title` when there is one. */
export function metricsBlock(report: Report, metrics: MetricChange[], title: string): Block {
  return {
    kind: 'table',
    intro: '',
    title,
    header: ['', 'Base', 'Head', 'Change', 'Noise (95% CI)', 'Budget'],
    align: 'lrrrrl',
    importance: title === '' ? 80 : 25,
    rows: metrics.map((metric) => [
      metric.id === 'cpu' ? `**${metricNames[metric.id]}**` : metricNames[metric.id],
      formatValue(metric.base, metric.unit),
      formatValue(metric.head, metric.unit),
      unbroken(metricChange(metric)),
      unbroken(formatInterval(metric.ratioLow, metric.ratioHigh)),
      unbroken(budgetCell(report, metric)),
    ]),
  };
}

/** `` `name` · renamed from `other` · library `` */
export function nameCell(report: Report, row: FunctionRow): string {
  const { changed } = row;
  const code = escapeCodeSpan(changed.display);
  const url = pageUrl(report, changed.key);
  const name = url === '' ? code : `[${code}](${url})`;
  const words: string[] = [];
  if (row.from !== '') {
    words.push(`${originWords(changed)} ${escapeCodeSpan(row.from, 80)}`);
  }
  if (changed.kind !== 'own') words.push(kindName(changed.kind));
  return [name, ...words].join(' · ');
}

/** What `row.from` is to the function. */
export function originWords({ partOf, renamedFrom }: FunctionRow['changed']): string {
  if (partOf !== undefined) return 'part of';
  return renamedFrom !== undefined ? 'renamed from' : 'moved from';
}

/** The place of a function: linked when it is in the repository, marked when the pull request touches it. */
export function sourceCell(source: Source): string {
  if (source.label === '') return '';
  const label = escapeMarkdown(source.label, 60);
  const linked = source.url === '' ? label : `[${label}](${source.url})`;
  return source.touched ? `${linked}\u00a0✏️` : linked;
}

/** `▲ **+1.90 ms** slower` */
export function changeCell(row: FunctionRow): string {
  return unbroken(row.word === '' ? `${row.arrow} ${row.delta}` : `${row.arrow} **${row.delta}** ${row.word}`);
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
        formatValue(hot.nanosPerInvocation / 1e6, 'ms'),
        formatShare(hot.share),
        `${escapeCodeSpan(hot.display)}${hot.kind === 'own' ? '' : ` · ${escapeMarkdown(kindName(hot.kind), 20)}`}`,
        sourceCell(sourceOf(report, hot)),
      ]),
  };
}

/** The last two lines: what to do, and who says so. */
export function closingBlocks(report: Report): Block[] {
  const { next } = report.verdict;
  const url = runUrl(report);
  const { reportHtml } = report.files;
  const commit = report.head?.commit ?? report.commit;
  const address = pageUrl(report);
  const file = escapeCodeSpan(reportHtml?.split('/').at(-1) ?? '');
  const files = url === '' ? 'files of this run' : `[files of this run](${url})`;
  const page =
    address !== ''
      ? `[Differential flame graph](${address}).`
      : reportHtml === undefined
        ? ''
        : `Differential flame graph: ${file} among the ${files}.`;
  const footer = [
    escapeMarkdown(report.tool, 80),
    commit === undefined ? '' : `commit ${commitLink(report, commit)}`,
    url === '' ? '' : `[run ${report.run?.id}, attempt ${report.run?.attempt}](${url})`,
  ];
  return [
    text(50, page),
    text(95, next === '' ? '' : `**Next:** ${escapeProse(next)}`),
    text(97, `<sub>${footer.filter((part) => part !== '').join(' · ')}</sub>`),
  ].filter((block) => block.kind === 'table' || block.text !== '');
}

/** A commit as a link, or as a code span without a repository. */
export function commitLink(report: Report, commit: string): string {
  const url = commitUrl(report.repository, commit);
  const name = escapeCodeSpan(shortCommit(commit));
  return url === '' ? name : `[${name}](${url})`;
}

/** An open piece of text. */
export function text(importance: number, content: string): Block {
  return { kind: 'text', title: '', text: content, importance };
}

function contextLine(report: Report): string {
  const { head, base } = report;
  const state = stateMarks[stateOf(report)].word;
  const parts = [`**${state}.**`];
  if (head !== undefined && base !== undefined) {
    const behind =
      base.distance === 0 ? '' : `, ${formatCount(base.distance)} commit${base.distance === 1 ? '' : 's'} behind`;
    parts.push(
      `Base ${commitLink(report, base.commit)} (${escapeMarkdown(base.relation, 100)}${behind}) → head ${commitLink(report, head.commit)}.`,
      `${formatCount(succeeded(base))} and ${formatCount(succeeded(head))} invocations on ${formatCount(base.instances.length)} and ${formatCount(head.instances.length)} instances.`,
    );
  } else if (head !== undefined) {
    parts.push(
      `Head ${commitLink(report, head.commit)}: ${formatCount(succeeded(head))} invocations on ${formatCount(head.instances.length)} instances.`,
    );
  } else if (report.commit !== undefined) parts.push(`Head ${commitLink(report, report.commit)}.`);
  return parts.join(' ');
}

function sentences(all: string[], prefix = ''): string {
  const shown = all.slice(0, maxSentences).map((sentence) => `${prefix}${escapeProse(sentence, 500)}`);
  const missing = all.length - shown.length;
  if (missing > 0) shown.push(`${formatCount(missing)} more in \`report.json\`.`);
  return shown.length === 1 ? shown[0]! : shown.map((sentence) => `- ${sentence}`).join('\n');
}

function checksBlock(report: Report): Block {
  const marks = { ok: '✅ ok', failed: '❌ failed', unknown: '❓ unknown' };
  return {
    kind: 'table',
    intro: '',
    title: '',
    header: ['Checked', 'Result', 'Found'],
    align: 'lll',
    importance: 90,
    rows: report.verdict.checks.map((check) => [
      escapeProse(check.what, 200),
      marks[check.state],
      escapeProse(check.found, 300),
    ]),
  };
}

function metricsLine(report: Report, metrics: MetricChange[]): string {
  const parts = metrics.map((metric) => {
    const noise = formatInterval(metric.ratioLow, metric.ratioHigh);
    const relative = metric.unit === 'share' ? '' : ` (${formatPercent(metric.head / metric.base - 1)}`;
    const closing = relative === '' ? '' : noise === '—' ? ')' : `, noise ${noise})`;
    return `${metricNames[metric.id]} ${formatPair(metric.base, metric.head, metric.unit)}${relative}${closing}`;
  });
  return `${parts.join(' · ')}. Budget ${formatThreshold(report.budget.failThreshold)}.`;
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

/** The value against the limits, as facts: which of them gates is the verdict's business. */
function budgetCell(report: Report, metric: MetricChange): string {
  const { minDeltaMs, metrics = {} } = report.budget;
  const own = metrics[metric.id];
  const { fail: failThreshold, warn: warnThreshold } = own ?? {
    fail: report.budget.failThreshold,
    warn: report.budget.warnThreshold,
  };
  if (own?.most !== undefined && metric.head > own.most) return `⚠️ over ${formatValue(own.most, metric.unit)}`;
  const limit = formatThreshold(failThreshold);
  const relative = metric.head / metric.base - 1;
  if (metric.unit === 'share' || Number.isNaN(relative)) return '—';
  if (relative < warnThreshold || metric.change === 'less') return `✅ within ${limit}`;
  if (metric.change !== 'more') return '✅ within noise';
  if (metric.id === 'cpu' && metric.head - metric.base < minDeltaMs) {
    return `✅ under ${formatValue(minDeltaMs, 'ms')}`;
  }
  if (relative < failThreshold) return `⚠️ over ${formatThreshold(warnThreshold)}`;
  // Against a stored baseline the totals only warn: machines differ from day to day.
  const gated = metric.id === 'allocated' || metric.id === 'memory' || report.comparison?.method.confirmed === true;
  const isFatal = report.verdict.kind === 'fail' || report.verdict.kind === 'accepted';
  return gated && isFatal ? `❌ over ${limit}` : `⚠️ over ${limit}${gated ? '' : ', not gated'}`;
}

function topBlock(report: Report, rows: FunctionRow[]): Block {
  const all = changedRows(report).length;
  const touched = rows.some((row) => row.source.touched) ? '✏️ = file changed in this pull request' : '';
  const more = all > rows.length ? `${formatCount(all - rows.length)} more below` : '';
  const legend = ['CPU per invocation, own code first', touched, more].filter((part) => part !== '').join('; ');
  return {
    kind: 'table',
    intro: `**What changed** (${legend})`,
    title: '',
    header: ['Change', 'Function', 'Base → head', 'Noise (95% CI)', 'Source'],
    align: 'rlrrl',
    importance: 90,
    rows: rows.map((row) => [
      changeCell(row),
      nameCell(report, row),
      unbroken(row.pair),
      unbroken(row.interval),
      sourceCell(row.source),
    ]),
  };
}

function firstRunBlocks(report: Report): Block[] {
  const blocks: Block[] = [];
  if (report.head !== undefined && report.head.instances.length > 0) {
    const { cpuMs, durationMs } = meansOf(report.head);
    if (cpuMs > 0)
      blocks.push(
        text(
          80,
          `Measured **${formatValue(cpuMs, 'ms')} CPU** per invocation${durationMs > 0 ? `; median duration ${formatValue(durationMs, 'ms')}` : ''}.`,
        ),
      );
  }
  if (report.hottest.length > 0) blocks.push(hottestBlock(report, 0, report.top, ''));
  return blocks;
}

/** CPU per invocation over all invocations, and the median instance's median duration. */
function meansOf(side: MeasuredSide): { cpuMs: number; durationMs: number } {
  let invocations = 0;
  let cpuMs = 0;
  for (const instance of side.instances.filter((one) => !Number.isNaN(one.cpuMsPerInvocation))) {
    invocations += instance.invocations;
    cpuMs += instance.cpuMsPerInvocation * instance.invocations;
  }
  const durations = side.instances
    .map((instance) => instance.durationP50Ms)
    .filter((durationMs) => !Number.isNaN(durationMs))
    .sort((a, b) => a - b);
  return { cpuMs: cpuMs / invocations, durationMs: durations[Math.floor((durations.length - 1) / 2)] ?? Number.NaN };
}

function succeeded(side: MeasuredSide): number {
  return side.invocations.succeeded;
}
