/** The flame graph as one picture without a script: for mails, wikis and READMEs. */

import { formatThreshold } from '../../compare/format.ts';
import { escapeHtml, visibleText } from '../escape.ts';
import type { Report } from '../report.ts';
import { formatAmount, formatAmountDelta, formatAmountPair } from './amount.ts';
import type { CallTree } from './calltree.ts';
import { fitLabel, frameFacts, frameName, framePresence, frameStep, perWhat } from './frame.ts';
import { computeFlameGraph, computeOffsets, type FlameGraph } from './layout.ts';
import { withSamplingNoise } from './noise.ts';
import { fillOf, type Step, stepShares } from './palette.ts';

const width = 1200;
const margin = 12;
const rowHeight = 18;
const headerHeight = 64;
const legendHeight = 40;
/** Cells of the 11 px monospaced face are 6.6 px wide. */
const cellWidth = 6.7;
const maxFrames = 1_500;
const maxRows = 120;

/** A static differential flame graph, width = head side (base side when the head is empty); light and dark. */
export function renderSvg(report: Pick<Report, 'functionName' | 'head'>, tree: CallTree): string {
  const graph = computeFlameGraph(withSamplingNoise(tree, report.head?.environment.intervalUs ?? 0));
  const side = graph.head[0]! > 0 ? 'head' : 'base';
  const widths = graph[side];
  const offsets = computeOffsets(graph, side);
  const scale = widths[0]! > 0 ? (width - 2 * margin) / widths[0]! : 0;
  const frames = visibleFrames(graph, widths, scale);
  const rows = 1 + frames.reduce((most, node) => Math.max(most, graph.depth[node]!), 0);
  const height = headerHeight + rows * rowHeight + legendHeight;

  const parts = frames.map((node) =>
    frame(graph, node, {
      x: margin + offsets[node]! * scale,
      y: headerHeight + graph.depth[node]! * rowHeight,
      width: widths[node]! * scale,
    }),
  );
  const title = `${visibleText(report.functionName, 80)}: ${visibleText(tree.sampleType, 40)} ${perWhat(tree)}`;
  const summary =
    graph.base[0]! > 0
      ? `${formatAmountPair(graph.base[0]!, graph.head[0]!, graph.unit)} (${formatAmountDelta(graph.base[0]!, graph.head[0]!, graph.unit)})`
      : formatAmount(graph.head[0]!, graph.unit);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escapeHtml(`${title}, ${summary}`)}</title>
<style>${style()}</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="heading" x="${margin}" y="26">${escapeHtml(title)}</text>
<text class="note" x="${margin}" y="48">${escapeHtml(`${summary} · width: ${side === 'head' ? 'after' : 'before'} · colour: change of the total`)}</text>
${parts.join('\n')}
${legend(headerHeight + rows * rowHeight + 12, graph.base[0]! > 0, perWhat(tree))}
</svg>
`;
}

/** The widest frames, at least one pixel wide, parents before children. */
function visibleFrames(graph: FlameGraph, widths: Float64Array, scale: number): number[] {
  const wide: number[] = [];
  for (let node = 0; node < widths.length; ) {
    if (widths[node]! * scale >= 1 && graph.depth[node]! < maxRows) wide.push(node++);
    else node = graph.end[node]!;
  }
  if (wide.length <= maxFrames) return wide;
  const smallest = wide.map((node) => widths[node]!).sort((a, b) => b - a)[maxFrames - 1]!;
  return wide.filter((node) => widths[node]! >= smallest).slice(0, maxFrames);
}

function frame(graph: FlameGraph, node: number, box: { x: number; y: number; width: number }): string {
  const step = frameStep(graph, node, 'total', graph.base[0]!);
  const presence = framePresence(graph, node);
  const name = visibleText(frameName(graph, node), 120);
  const facts = frameFacts(graph, node, graph.base[0]!, graph.head[0]!);
  const tooltip = `<title>${escapeHtml(`${name}${presence === 'both' || graph.base[0] === 0 ? '' : ` (${presence})`}\n${facts.join('\n')}`)}</title>`;
  const rect = `<rect class="${className(step)}" x="${pixels(box.x)}" y="${box.y}" width="${pixels(Math.max(0.6, box.width - 1))}" height="${rowHeight - 1}"/>`;
  const cells = Math.floor((box.width - 7) / cellWidth);
  const mark = step === 0 ? '' : step > 0 ? '▲ ' : '▼ ';
  const label = fitLabel(`${mark}${presence === 'new' && graph.base[0]! > 0 ? 'new ' : ''}`, name, cells);
  const text =
    label === ''
      ? ''
      : `<text class="${className(step)}" x="${pixels(box.x + 3)}" y="${box.y + 13}">${escapeHtml(label)}</text>`;
  return `<g>${tooltip}${rect}${text}</g>`;
}

function legend(y: number, hasBase: boolean, per: string): string {
  if (!hasBase) return '';
  const steps: Step[] = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
  const boxes = steps.map((step, index) => {
    const share = stepShares[Math.abs(step) - 1];
    const label = share === undefined ? 'noise' : `${step < 0 ? '▼ −' : '▲ +'}${formatThreshold(share).slice(1)}`;
    const x = margin + index * 64;
    return `<rect class="${className(step)}" x="${x}" y="${y}" width="63" height="17"/><text class="${className(step)}" x="${x + 4}" y="${y + 13}">${label}</text>`;
  });
  return `${boxes.join('\n')}\n<text class="note" x="${margin + 590}" y="${y + 13}">of the base total, ${per}</text>`;
}

function className(step: Step): string {
  return step === 0 ? 'z' : step > 0 ? `u${step}` : `d${-step}`;
}

function style(): string {
  const steps: Step[] = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
  const rules = (theme: 'light' | 'dark') =>
    steps
      .map((step) => {
        const fill = fillOf(step, theme);
        return `rect.${className(step)}{fill:${fill.background}}text.${className(step)}{fill:${fill.ink}}`;
      })
      .join('');
  return `text{font:11px ui-monospace,"DejaVu Sans Mono",monospace}.heading{font:600 18px system-ui,sans-serif;fill:#1b1f24}.note{font:13px system-ui,sans-serif;fill:#57606a}.page{fill:#fff}${rules('light')}@media(prefers-color-scheme:dark){.page{fill:#0d1117}.heading{fill:#e6edf3}.note{fill:#9198a1}${rules('dark')}}`;
}

function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}
