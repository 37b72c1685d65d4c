/** The tables of the page: the same rows and numbers as the comment, as HTML. */

import {
  formatCount,
  formatDelta,
  formatInterval,
  formatPercent,
  formatProbability,
  formatShare,
  formatThreshold,
  formatValue,
} from '../../compare/format.ts';
import { type BudgetMark, budgetOfFunction, budgetOfMetric, budgetSigns } from '../budget.ts';
import { escapeHtml, visibleText } from '../escape.ts';
import { measuredMetrics, metricNames } from '../metrics.ts';
import type { MeasuredSide, Report } from '../report.ts';
import { addedNanos, changedRows, type FunctionRow, ownerWords, unchangedRows } from '../rows.ts';
import { type Source, sourceOf } from '../source.ts';
import { foldsReasons, stateOf } from '../state.ts';
import { originWords } from '../tables.ts';

const maxRows = 200;
const barWidth = 90;

export function metricsSection(report: Report): string {
  const metrics = measuredMetrics(report);
  if (metrics.length === 0) return '';
  const rows = metrics.map((metric) => {
    const isShare = metric.unit === 'share' || metric.base === 0;
    const relative =
      isShare || Number.isNaN(metric.head / metric.base) ? '' : formatPercent(metric.head / metric.base - 1);
    const arrow = metric.change === 'more' ? '▲ ' : metric.change === 'less' ? '▼ ' : '';
    return row([
      `<th scope="row">${metricNames[metric.id]}</th>`,
      number(formatValue(metric.base, metric.unit), 'wide'),
      number(formatValue(metric.head, metric.unit), 'wide'),
      number(`${arrow}${formatDelta(metric.base, metric.head, metric.unit)}`, metric.change),
      number(relative, 'wide'),
      number(formatInterval(metric.ratioLow, metric.ratioHigh), 'wide'),
      budgetCell(budgetOfMetric(report, metric)),
    ]);
  });
  const { failThreshold, warnThreshold } = report.budget;
  const caption = `In all; unless a metric has its own, a warning from ${formatThreshold(warnThreshold)}, a failure from ${formatThreshold(failThreshold)}`;
  const header = ['Metric', '#Base|wide', '#Head|wide', '#Change', '#%|wide', '#Noise (95% CI)|wide', 'Budget'];
  return section('Metrics', table(caption, header, rows));
}

/** Every function that changed; names lead to their frame. */
export function changesSection(report: Report, hasGraph: boolean): string {
  if (report.comparison === undefined) return '';
  const changed = changedRows(report);
  const still = unchangedRows(report).slice(0, 20);
  const largest = Math.max(1, ...changed.map((entry) => Math.abs(addedNanos(entry.changed))));
  const header = [
    'Function',
    '#Base → head|wide',
    '|wide',
    '#Change',
    '#Noise (95% CI)|wide',
    'Budget|wide',
    'Evidence|wide',
    'Source|wide',
  ];
  const render = (entry: FunctionRow) => changeRow(report, entry, largest, hasGraph);
  const shown = changed.slice(0, maxRows).map(render);
  const more = changed.length - shown.length;
  const parts = [
    changed.length === 0
      ? '<p>No function changed beyond its noise and the limits.</p>'
      : table('CPU per invocation, own code first; ✏️ marks files the pull request changes', header, shown),
    more > 0 ? `<p class="quiet">${formatCount(more)} more are in report.json.</p>` : '',
    still.length === 0
      ? ''
      : `<details><summary>Largest movements within the noise or below the limits</summary>${table('CPU per invocation', header, still.map(render))}</details>`,
  ];
  return section('What changed', parts.join('\n'));
}

/** Hottest functions of the head side, when nothing was compared. */
export function hottestSection(report: Report, hasGraph: boolean): string {
  if (report.comparison !== undefined || report.hottest.length === 0) return '';
  const rows = report.hottest
    .slice(0, maxRows)
    .map((hot) =>
      row([
        `<th scope="row">${nameLink(hot.display, hot.display, hasGraph)}${ownerWords(hot) === '' ? '' : ` <small>${text(ownerWords(hot), 30)}</small>`}</th>`,
        number(formatValue(hot.nanosPerInvocation / 1e6, 'ms')),
        number(formatShare(hot.share)),
        `<td class="wide">${sourceLink(sourceOf(report, hot))}</td>`,
      ]),
    );
  return section('Hottest functions', table('CPU per invocation', ['Function', '#CPU', '#Share', 'Source|wide'], rows));
}

/** Instances, method and environment. `alone`: side and id of the instances that the flame graph can show. */
export function closingSections(report: Report, alone: ReadonlySet<string> = new Set()): string {
  return [instancesSection(report, alone), methodSection(report), environmentSection(report)].join('\n');
}

function changeRow(report: Report, entry: FunctionRow, largest: number, hasGraph: boolean): string {
  const { changed } = entry;
  const tags = [
    changed.presence === 'both' ? '' : changed.presence,
    changed.change === 'moved' && entry.from === '' ? 'moved' : '',
    entry.from === '' ? '' : `${originWords(changed)} ${entry.from}`,
    ownerWords(changed),
    entry.source.touched ? '✏️' : '',
  ].filter((tag) => tag !== '');
  const p = entry.arrow === '▼' ? changed.pFaster : changed.pSlower;
  return row([
    `<th scope="row">${nameLink(changed.key, changed.display, hasGraph)}${tags.map((tag) => ` <small>${text(tag, 100)}</small>`).join('')}</th>`,
    number(entry.pair, 'wide'),
    `<td class="wide">${bar(entry, largest)}</td>`,
    number(`${entry.arrow} ${entry.delta}`, entry.arrow === '▲' ? 'more' : entry.arrow === '▼' ? 'less' : ''),
    number(entry.interval, 'wide'),
    budgetCell(budgetOfFunction(report, entry), 'wide'),
    `<td class="wide evidence">${changed.headInstancesAbove}/${changed.headInstances} above, p ${formatProbability(p)}</td>`,
    `<td class="wide">${sourceLink(entry.source)}</td>`,
  ]);
}

/** Length is the size of the change; stripes say new or gone, so that colour is not needed. */
function bar(entry: FunctionRow, largest: number): string {
  const length = Math.max(1, (Math.abs(addedNanos(entry.changed)) / largest) * barWidth);
  const kind = entry.arrow === '▲' ? 'up' : entry.arrow === '▼' ? 'down' : 'still';
  const width = length.toFixed(1);
  const stripes: string[] = [];
  if (entry.changed.presence !== 'both') {
    for (let x = 3; x + 6 < length; x += 7) stripes.push(`M${x} 10l6 -10`);
  }
  return `<svg class="bar ${kind}" width="${barWidth}" height="10" aria-hidden="true"><rect width="${width}" height="10"/>${stripes.length === 0 ? '' : `<path d="${stripes.join('')}"/>`}</svg>`;
}

function instancesSection(report: Report, alone: ReadonlySet<string>): string {
  const sides: [string, MeasuredSide][] = [];
  if (report.base !== undefined) sides.push(['base', report.base]);
  if (report.head !== undefined) sides.push(['head', report.head]);
  const instances = sides.flatMap(([name, side]) =>
    side.instances.slice(0, 500).map((instance) => ({ name, instance })),
  );
  if (instances.length === 0) return '';
  const rows = instances.map(({ name, instance }) =>
    row([
      `<td>${name}</td>`,
      `<th scope="row">${alone.has(`${name} ${instance.id}`) ? instanceLink(name, instance.id) : `<code>${text(instance.id, 40)}</code>`}</th>`,
      number(formatCount(instance.invocations)),
      number(formatCount(instance.errors), 'wide'),
      number(formatValue(instance.cpuMsPerInvocation, 'ms')),
      number(formatValue(instance.durationP50Ms, 'ms'), 'wide'),
      number(formatCount(instance.windows), 'wide'),
    ]),
  );
  const header = ['Side', 'Instance', '#Invocations', '#Errors|wide', '#CPU', '#Median duration|wide', '#Windows|wide'];
  return section(
    'Instances',
    `<p>CPU per invocation of each instance: one mark each. An instance is the unit of evidence; “k/n above” counts the head instances above the median base instance.</p>${strip(sides)}
<details><summary>All ${formatCount(instances.length)} instances</summary>${table('Per invocation', header, rows)}</details>`,
  );
}

/** One row of marks per side on a common axis. */
function strip(sides: [string, MeasuredSide][]): string {
  const values = sides.flatMap(([, side]) => side.instances.map((instance) => instance.cpuMsPerInvocation));
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return '';
  const low = known.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = known.reduce((most, value) => Math.max(most, value), 0);
  const place = (value: number) => (60 + ((value - low) / (high - low || 1)) * 345).toFixed(1);
  const rows = sides.map(([name, side], index) => {
    const y = 18 + index * 26;
    const marks = side.instances
      .filter((instance) => Number.isFinite(instance.cpuMsPerInvocation))
      .slice(0, 500)
      .map((instance) =>
        name === 'base'
          ? `<circle cx="${place(instance.cpuMsPerInvocation)}" cy="${y}" r="5"/>`
          : `<path d="M${place(instance.cpuMsPerInvocation)} ${y - 6}l6 11h-12z"/>`,
      );
    return `<g class="${name}"><text x="0" y="${y + 4}">${name}</text>${marks.join('')}</g>`;
  });
  const bottom = 18 + sides.length * 26;
  const label = `CPU per invocation by instance, from ${formatValue(low, 'ms')} to ${formatValue(high, 'ms')}`;
  return `<svg class="strip" viewBox="0 0 420 ${bottom + 8}" role="img" aria-label="${escapeHtml(label)}">${rows.join('')}<text x="60" y="${bottom + 4}">${formatValue(low, 'ms')}</text><text x="410" y="${bottom + 4}" class="end">${formatValue(high, 'ms')}</text></svg>`;
}

function methodSection(report: Report): string {
  const { comparison, budget } = report;
  if (comparison === undefined) return '';
  const { method } = comparison;
  const ways = method.exact
    ? `all ${formatCount(method.relabellings)} ways`
    : `${formatCount(method.relabellings)} random ways (seed ${visibleText(method.seed, 60)})`;
  const sentences = [
    `${formatCount(method.baseInvocations)} base and ${formatCount(method.headInvocations)} head invocations on ${formatCount(method.baseInstances)} and ${formatCount(method.headInstances)} instances, ${formatCount(method.baseSamples)} and ${formatCount(method.headSamples)} CPU samples.`,
    `${formatCount(method.functionsTested)} functions were tested against ${ways} of swapping base and head instances (step-down maxT); p is adjusted for all of them.`,
    `A function is a finding only when p is at most ${formatProbability(method.alpha)}, it grew by at least ${formatThreshold(budget.warnThreshold)} and ${formatValue(budget.minDeltaMs, 'ms')} per invocation, and its cost did not merely move. From ${formatThreshold(budget.failThreshold)} on it fails the check.`,
    method.confirmed
      ? 'What was flagged was measured again on fresh instances.'
      : 'Nothing was measured a second time: a failure then needs stricter limits.',
  ];
  const reasons = foldsReasons(stateOf(report)) ? reasonItems(report) : [];
  return section(
    'How this was decided',
    `<ul>${[...reasons, ...sentences.map((sentence) => `<li>${text(sentence)}</li>`)].join('')}</ul>`,
  );
}

/** The sentences of the verdict as items of a list. */
export function reasonItems({ verdict }: Report): string[] {
  return verdict.reasons.slice(0, 20).map((reason) => `<li>${prose(reason, 500)}</li>`);
}

/** A sentence of ours: names between backticks become code. */
export function prose(sentence: string, maxLength = 1_000): string {
  const parts = visibleText(sentence, maxLength).split('`');
  if (parts.length % 2 === 0) return text(sentence, maxLength);
  return parts.map((part, index) => (index % 2 === 1 ? `<code>${escapeHtml(part)}</code>` : escapeHtml(part))).join('');
}

function environmentSection(report: Report): string {
  const { base, head, differences } = report;
  if (head === undefined) return '';
  const fields: [string, (side: MeasuredSide) => string][] = [
    ['Commit', (side) => side.commit],
    ['Function version', (side) => side.functionVersion],
    ['Measured at', (side) => side.measuredAt],
    ['Memory', (side) => formatValue(side.environment.memoryMb, 'MB')],
    ['Architecture', (side) => side.environment.architecture],
    ['Runtime', (side) => side.environment.runtime],
    ['Region', (side) => side.environment.region],
    ['Language', (side) => side.environment.language],
    ['Agent', (side) => side.environment.agent],
    ['Sampling interval', (side) => formatValue(side.environment.intervalUs / 1_000, 'ms')],
    ['Invocations', (side) => invocationsOf(side)],
  ];
  const sides = base === undefined ? [head] : [base, head];
  const rows = fields.map(([name, show]) =>
    row([`<th scope="row">${name}</th>`, ...sides.map((side) => `<td>${text(show(side), 120)}</td>`)]),
  );
  for (const { field, base: was, head: is } of differences) {
    const cells = base === undefined ? [is] : [was, is];
    rows.push(
      row([
        `<th scope="row">! differs: ${text(field, 60)}</th>`,
        ...cells.map((cell) => `<td>${text(cell, 120)}</td>`),
      ]),
    );
  }
  const header = base === undefined ? ['', 'Head'] : ['', 'Base', 'Head'];
  return section(
    'Environment',
    `<details><summary>What was measured on</summary>${table('Both sides', header, rows)}</details>`,
  );
}

function invocationsOf({ invocations }: MeasuredSide): string {
  const { sent, succeeded, failed, throttled, cold } = invocations;
  return `${formatCount(succeeded)} of ${formatCount(sent)} succeeded, ${formatCount(failed)} failed, ${formatCount(throttled)} throttled, ${formatCount(cold)} cold starts`;
}

function budgetCell({ state, text: words }: BudgetMark, kind = ''): string {
  const { sign } = budgetSigns[state];
  return `<td class="${kind === '' ? '' : `${kind} `}evidence">${escapeHtml(`${sign} ${words}`.trim())}</td>`;
}

function nameLink(frame: string, display: string, hasGraph: boolean): string {
  const name = `<code>${text(display, 120)}</code>`;
  if (!hasGraph) return name;
  return `<a href="#${escapeHtml(new URLSearchParams({ f: frame.toWellFormed() }).toString())}" title="Show in the flame graph">${name}</a>`;
}

function instanceLink(side: string, id: string): string {
  const address = new URLSearchParams({ [side === 'base' ? 'b' : 'a']: id.toWellFormed() }).toString();
  return `<a href="#${escapeHtml(address)}" title="Show in the flame graph"><code>${text(id, 40)}</code></a>`;
}

function sourceLink(source: Source): string {
  if (source.label === '') return '';
  const label = text(source.label, 60);
  return source.url === '' ? label : `<a href="${escapeHtml(source.url)}" rel="noopener noreferrer">${label}</a>`;
}

function section(title: string, content: string): string {
  return `<section><h2>${title}</h2>\n${content}\n</section>`;
}

/** `#` before a title: a column of numbers; `|wide` after it: hidden on narrow screens. */
function table(caption: string, columns: string[], rows: string[]): string {
  const header = columns.map((column) => {
    const [title = '', width = ''] = column.split('|');
    const classes = [title.startsWith('#') ? 'number' : '', width].filter((name) => name !== '').join(' ');
    const cell = title.replace('#', '');
    const attributes = classes === '' ? '' : ` class="${classes}"`;
    return cell === '' ? `<td${attributes}></td>` : `<th scope="col"${attributes}>${escapeHtml(cell)}</th>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(caption)}"><table><caption>${escapeHtml(caption)}</caption><thead><tr>${header.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function row(cells: string[]): string {
  return `<tr>${cells.join('')}</tr>`;
}

function number(content: string, kind = ''): string {
  return `<td class="number${kind === '' ? '' : ` ${kind}`}">${escapeHtml(content)}</td>`;
}

function text(value: string, maxLength = 1_000): string {
  return escapeHtml(visibleText(value, maxLength));
}
