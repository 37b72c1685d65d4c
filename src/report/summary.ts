/** The job summary: what the comment says first, then everything. */

import { formatElapsed } from '../compare/format.ts';
import { changedFunctionsBlock, environmentBlock, methodBlock, unchangedFunctionsBlock } from './details.ts';
import { escapeCodeSpan, escapeMarkdown } from './escape.ts';
import { instancesBlock } from './instances.ts';
import { type Block, renderBlocks } from './markdown.ts';
import type { Report } from './report.ts';
import { closingBlocks, firstBlocks, text } from './sections.ts';
import { hottestBlock, metricsBlocks } from './tables.ts';

/** One earlier recording of the base branch. */
export interface TrendPoint {
  commit: string;
  cpuMsPerInvocation: number;
}

/** GitHub refuses step summaries over 1 MiB as a whole. */
const budgetBytes = 1_000_000;

/** The summary as GitHub Markdown; `trend` is oldest first, its last 20 points are drawn. */
export function renderSummary(report: Report, trend: TrendPoint[] = []): string {
  const blocks: Block[] = [
    ...firstBlocks(report),
    ...trendBlock(trend),
    ...metricsBlocks(report),
    ...changedFunctionsBlock(report),
    ...unchangedFunctionsBlock(report, 200),
    ...(report.hottest.length > 0 ? [hottestBlock(report, 0, report.hottest.length, 'Hottest functions')] : []),
    ...instancesBlock(report),
    ...methodBlock(report),
    ...environmentBlock(report),
    ...timingsBlock(report),
    ...filesBlock(report),
    ...closingBlocks(report),
  ];
  return renderBlocks(blocks, budgetBytes);
}

/** Commits are cut to hexadecimal digits, so that no label can end the chart or start a directive. */
function trendBlock(trend: TrendPoint[]): Block[] {
  const points = trend
    .filter((point) => Number.isFinite(point.cpuMsPerInvocation) && point.cpuMsPerInvocation >= 0)
    .slice(-20);
  if (points.length < 2) return [];
  const labels = points.map((point) => `"${point.commit.replace(/[^0-9a-f]/g, '').slice(0, 7)}"`);
  const values = points.map((point) => point.cpuMsPerInvocation.toFixed(3));
  const chart = [
    '```mermaid',
    'xychart-beta',
    '  title "CPU per invocation of the last recordings"',
    `  x-axis [${labels.join(', ')}]`,
    '  y-axis "ms"',
    `  line [${values.join(', ')}]`,
    '```',
  ];
  return [text(15, chart.join('\n'))];
}

function timingsBlock(report: Report): Block[] {
  if (report.timings.length === 0) return [];
  return [
    {
      kind: 'table',
      intro: '',
      title: 'Time spent',
      header: ['Step', 'Time'],
      align: 'lr',
      importance: 8,
      rows: report.timings.map(({ step, ms }) => [escapeMarkdown(step, 100), formatElapsed(ms)]),
    },
  ];
}

function filesBlock(report: Report): Block[] {
  const names = {
    reportHtml: 'Page with the differential flame graph',
    reportJson: 'This report as JSON',
    headProfile: 'Merged profile of the head side (pprof)',
    baseProfile: 'Merged profile of the base side (pprof)',
  };
  const rows = (Object.keys(names) as (keyof typeof names)[]).flatMap((kind) => {
    const path = report.files[kind];
    return path === undefined ? [] : [[names[kind], escapeCodeSpan(path, 200)]];
  });
  if (rows.length === 0) return [];
  return [{ kind: 'table', intro: '', title: 'Files', header: ['What', 'Path'], align: 'll', importance: 9, rows }];
}
