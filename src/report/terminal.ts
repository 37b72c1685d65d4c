/** The report for a terminal: the verdict first, right without colour, within the columns there are. */
import { createColors } from 'picocolors';
import {
  formatCount,
  formatInterval,
  formatPair,
  formatPercent,
  formatShare,
  formatValue,
  shortCommit,
} from '../compare/format.ts';
import { type BudgetMark, budgetOfFunction, budgetOfMetric, budgetSigns } from './budget.ts';
import { escapeTerminal, middleEllipsis } from './escape.ts';
import { measuredMetrics, metricNames } from './metrics.ts';
import type { Report } from './report.ts';
import { addedNanos, changedRows, type FunctionRow, topRows } from './rows.ts';
import { foldsReasons, type State, stateMarks, stateOf } from './state.ts';

export interface TerminalOptions {
  /** Width in cells, at least 60; 80 when not a terminal. */
  columns: number;
  color: boolean;
}

type Colors = ReturnType<typeof createColors>;

const barCells = 10;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The report as text for people, with a line feed at its end. */
export function renderTerminal(report: Report, { columns, color }: TerminalOptions): string {
  const colors = createColors(color);
  const width = Math.max(60, columns);
  const reasons = report.verdict.reasons.slice(0, 10).flatMap((reason) => wrap(escapeTerminal(reason), width, '  '));
  // Where tables tell what happened, the sentences are the evidence, and come after them.
  const isExplained = foldsReasons(stateOf(report));
  const sections = [
    headlineLines(report, colors, width),
    ...(isExplained ? [] : [reasons]),
    checkLines(report, width),
    functionLines(report, colors, width),
    metricLines(report, colors, width),
    hottestLines(report, width),
    ...(isExplained ? [reasons] : []),
    report.warnings.slice(0, 10).flatMap((warning) => wrap(`! ${escapeTerminal(warning)}`, width, '  ')),
    report.verdict.next === '' ? [] : wrap(`Next: ${escapeTerminal(report.verdict.next)}`, width, '  '),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headlineLines(report: Report, colors: Colors, width: number): string[] {
  const state = stateOf(report);
  const { sign, word } = stateMarks[state];
  const [first = '', ...rest] = wrap(escapeTerminal(report.verdict.headline, 300), width - 2, '');
  const paint = paintOf(state, colors);
  const lines = [first, ...rest].map((line, index) => colors.bold(paint(`${index === 0 ? sign : ' '} ${line}`)));
  const { base, head } = report;
  const commits =
    base !== undefined && head !== undefined
      ? `base ${shortCommit(base.commit)} → head ${shortCommit(head.commit)}`
      : head !== undefined
        ? `head ${shortCommit(head.commit)}`
        : '';
  const counts = [base, head].flatMap((side) => (side === undefined ? [] : [formatCount(side.invocations.succeeded)]));
  const calls = counts[0] === counts[1] ? `${counts[0]} invocations per side` : `${counts.join(' → ')} invocations`;
  const context = [word, commits, counts.length === 0 ? '' : calls];
  lines.push(...wrap(context.filter((part) => part !== '').join(' · '), width, '  ').map((line) => colors.dim(line)));
  return lines;
}

function paintOf(state: State, colors: Colors): (text: string) => string {
  switch (state) {
    case 'regression':
    case 'error':
      return colors.red;
    case 'warning':
    case 'accepted':
    case 'inconclusive':
      return colors.yellow;
    case 'pass':
    case 'improvement':
      return colors.green;
    default:
      return colors.cyan;
  }
}

function checkLines(report: Report, width: number): string[] {
  const marks = { ok: '✓', failed: '✗', unknown: '?' };
  return report.verdict.checks
    .slice(0, 20)
    .flatMap((check) =>
      wrap(
        `${marks[check.state]} ${escapeTerminal(check.what, 200)}: ${escapeTerminal(check.found, 300)}`,
        width,
        '  ',
      ),
    );
}

function metricLines(report: Report, colors: Colors, width: number): string[] {
  const metrics = measuredMetrics(report);
  if (metrics.length === 0) return [];
  const cells = metrics.map((metric) => [
    metricNames[metric.id],
    formatPair(metric.base, metric.head, metric.unit),
    metric.unit === 'share' ? '' : formatPercent(metric.head / metric.base - 1),
    formatInterval(metric.ratioLow, metric.ratioHigh),
    budgetCell(budgetOfMetric(report, metric)),
  ]);
  const header = ['', 'base → head', 'change', 'noise (95% CI)', 'budget'];
  const lines = alignColumns([header, ...cells], 'lrrrl', '  ');
  return lines.map((line, index) => {
    const metric = metrics[index - 1];
    const text = cut(`  ${line}`, width);
    if (metric === undefined) return colors.dim(text);
    return metric.change === 'more' ? colors.yellow(text) : metric.change === 'less' ? colors.green(text) : text;
  });
}

/** `✗ +10%`: the limit, and whether it holds. */
function budgetCell({ state, text }: BudgetMark): string {
  const limit = text.replace(/^(?:over|within|under) /, '').replace(', not gated', '');
  return `${budgetSigns[state].sign} ${limit}`.trim();
}

function functionLines(report: Report, colors: Colors, width: number): string[] {
  const rows = topRows(report, report.top);
  if (rows.length === 0) return [];
  const largest = Math.max(...rows.map((row) => Math.abs(addedNanos(row.changed))));
  const numbers = alignColumns([['change', 'base → head'], ...rows.map((row) => [row.delta, row.pair])], 'rr');
  const marks = rows.map((row) => budgetOfFunction(report, row).state);
  const lines = [colors.dim(cut(`    ${numbers[0]}   ${' '.repeat(barCells)} function`, width))];
  rows.forEach((row, index) => {
    const bar = barOf(Math.abs(addedNanos(row.changed)) / largest);
    const mark = marks[index] === 'over' || marks[index] === 'warned' ? budgetSigns[marks[index]].sign : ' ';
    const start = `${mark} ${row.arrow} ${numbers[index + 1]}   `;
    const room = width - displayWidth(start) - barCells - 1;
    const paint = row.arrow === '▲' ? colors.red : row.arrow === '▼' ? colors.green : colors.dim;
    lines.push(`${start}${paint(bar)} ${nameOf(row, room)}`);
  });
  const more = changedRows(report).length - rows.length;
  const legend = [
    marks.includes('over') ? `${budgetSigns.over.sign} over its budget` : '',
    marks.includes('warned') ? `${budgetSigns.warned.sign} warning` : '',
    rows.some((row) => row.source.touched) ? '✎ file changed here' : '',
    more > 0 ? `${formatCount(more)} more in report.json` : '',
  ].filter((part) => part !== '');
  if (legend.length > 0) lines.push('', colors.dim(cut(`  ${legend.join('   ')}`, width)));
  return lines;
}

/** The name with what must be said about it; the name gives way when there is not enough room. */
function nameOf(row: FunctionRow, room: number): string {
  const word = row.word === 'slower' || row.word === 'faster' ? '' : ` (${row.word})`;
  const touched = row.source.touched ? ' ✎' : '';
  const name = escapeTerminal(row.changed.display, 200);
  return `${cut(name, Math.max(8, room - displayWidth(word + touched)))}${word}${touched}`;
}

function hottestLines(report: Report, width: number): string[] {
  if (report.comparison !== undefined || report.hottest.length === 0) return [];
  const shown = report.hottest.slice(0, Math.max(1, report.top));
  const cells = shown.map((hot) => [formatValue(hot.nanosPerInvocation / 1e6, 'ms'), formatShare(hot.share)]);
  const numbers = alignColumns([['CPU', 'share'], ...cells], 'rr');
  return [
    cut(`  ${numbers[0]}   function`, width),
    ...shown.map((hot, index) => cut(`  ${numbers[index + 1]}   ${escapeTerminal(hot.display, 200)}`, width)),
  ];
}

/** A bar of `barCells` cells in eighths of a cell; anything that changed is at least one eighth. */
function barOf(fraction: number): string {
  const parts = Math.max(1, Math.round((Number.isFinite(fraction) ? fraction : 0) * barCells * 8));
  const bar = '█'.repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? '');
  return bar.padEnd(barCells);
}

/** Cells padded to columns: `align` has one letter, l or r, per column. */
function alignColumns(rows: string[][], align: string, gap = '   '): string[] {
  const widths = Array.from(align, (_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat(widths[column]! - displayWidth(cell));
        return align[column] === 'r' ? padding + cell : cell + padding;
      })
      .join(gap)
      .trimEnd(),
  );
}

/** Lines of at most `width` cells, broken at spaces; words that are wider lose their middle. */
function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const part = cut(word, width - indent.length);
    const joined = line === indent ? line + part : `${line} ${part}`;
    if (displayWidth(joined) > width && line !== indent) {
      lines.push(line);
      line = indent + part;
    } else line = joined;
  }
  return [...lines, line];
}

function cut(text: string, width: number): string {
  let points = width;
  let result = middleEllipsis(text, points);
  while (displayWidth(result) > width && points > 1) {
    points -= Math.max(1, Math.floor((displayWidth(result) - width) / 2));
    result = middleEllipsis(text, points);
  }
  return result;
}

/** Cells a terminal uses: East Asian wide characters and emoji take two, combining marks none (UAX #11). */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    const wide =
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}
