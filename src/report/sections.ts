/** The parts comment and summary share, as Markdown blocks. Every text that is not ours goes through `escape.ts`. */
import { formatCount, formatPair, formatPercent, formatValue, shortCommit } from '../compare/format.ts';
import { budgetOfMetric } from './budget.ts';
import { escapeCodeSpan, escapeMarkdown, escapeProse } from './escape.ts';
import type { Block } from './markdown.ts';
import { measuredMetrics, metricNames } from './metrics.ts';
import type { MeasuredSide, Report } from './report.ts';
import { changedRows } from './rows.ts';
import { commitUrl, pageUrl, runUrl } from './source.ts';
import { foldsReasons, shownWarnings, stateMarks, stateOf } from './state.ts';
import { hottestBlock, whatChangedBlocks } from './tables.ts';

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
  if (state === 'error' && reasons !== '') blocks.push(text(94, `> [!WARNING]\n> ${reasons.replaceAll('\n', '\n> ')}`));
  if (report.verdict.checks.length > 0) blocks.push(checksBlock(report));
  const isQuiet = state === 'pass' && changedRows(report).length === 0;
  blocks.push(...(isQuiet ? [text(80, metricsLine(report))] : whatChangedBlocks(report)));
  if (state !== 'error' && !foldsReasons(state)) blocks.push(text(70, reasons));
  if (state === 'first-run') blocks.push(...firstRunBlocks(report));
  blocks.push(text(65, sentences(shownWarnings(report), '⚠️ ')));
  return blocks.filter((block) => block.kind === 'table' || block.text !== '');
}

/** Sentences of a verdict, a list when there are several. */
export function sentences(all: string[], prefix = ''): string {
  const shown = all.slice(0, maxSentences).map((sentence) => `${prefix}${escapeProse(sentence, 500)}`);
  const missing = all.length - shown.length;
  if (missing > 0) shown.push(`${formatCount(missing)} more in \`report.json\`.`);
  return shown.length === 1 ? shown[0]! : shown.map((sentence) => `- ${sentence}`).join('\n');
}

/** The last lines: where to look, what to do, and who says so. */
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
      countsOf(base, head),
    );
  } else if (head !== undefined) {
    parts.push(
      `Head ${commitLink(report, head.commit)}: ${counted(head.invocations.succeeded, 'invocation')} on ${counted(head.instances.length, 'instance')}.`,
    );
  } else if (report.commit !== undefined) parts.push(`Head ${commitLink(report, report.commit)}.`);
  return parts.join(' ');
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

function firstRunBlocks(report: Report): Block[] {
  const blocks: Block[] = [];
  if (report.head !== undefined && report.head.instances.length > 0) {
    const { cpuMs, durationMs } = meansOf(report.head);
    const { cost } = report.head;
    const parts = [
      cpuMs > 0 ? `**${formatValue(cpuMs, 'ms')} CPU** per invocation` : '',
      durationMs > 0 ? `median duration ${formatValue(durationMs, 'ms')}` : '',
      cost?.known ? `${formatValue(cost.perMillion, 'USD')} per million invocations at list prices` : '',
    ].filter((part) => part !== '');
    if (parts.length > 0) blocks.push(text(80, `Measured: ${parts.join(', ')}.`));
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

/** `4,999 invocations on 8 instances per side.`; both numbers when they differ. */
function countsOf(base: MeasuredSide, head: MeasuredSide): string {
  const both = [base, head].map(({ invocations, instances }) => [invocations.succeeded, instances.length] as const);
  const [[baseCalls, baseInstances], [headCalls, headInstances]] = both as [(typeof both)[0], (typeof both)[0]];
  if (baseCalls === headCalls && baseInstances === headInstances)
    return `${counted(headCalls, 'invocation')} on ${counted(headInstances, 'instance')} per side.`;
  return `${formatCount(baseCalls)} → ${counted(headCalls, 'invocation')} on ${formatCount(baseInstances)} → ${counted(headInstances, 'instance')}.`;
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Metrics a pass is read for, besides the CPU, which its headline has; the others are folded. */
const passMetrics = new Set(['duration', 'allocated', 'memory']);

/** What stayed as it was, in one line. */
function metricsLine(report: Report): string {
  const metrics = measuredMetrics(report);
  const parts = metrics
    .filter(({ id }) => passMetrics.has(id))
    .map(({ id, unit, base, head }) => {
      const relative = base > 0 ? ` (${formatPercent(head / base - 1)})` : '';
      return `${metricNames[id]} ${formatPair(base, head, unit)}${relative}`;
    });
  const within = metrics.every((metric) => ['within', 'none'].includes(budgetOfMetric(report, metric).state));
  return parts.length === 0 ? '' : `${parts.join(' · ')}.${within ? ' All metrics are within their budgets.' : ''}`;
}
