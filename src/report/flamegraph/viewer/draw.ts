/// <reference lib="dom" />
/** Draws frames on a canvas: only what is wide enough to see, so that the cost follows the screen, not the tree. */
import { type Colour, fitLabel, frameName, framePresence, frameStep } from '../frame.ts';
import type { FlameGraph } from '../layout.ts';
import { fillOf, type Theme } from '../palette.ts';

export const rowHeight = 20;
const smallestWidth = 0.7;
const padding = 4;

/** One flame graph on the canvas: which part of it, where, and how. */
export interface Scene {
  graph: FlameGraph;
  widths: Float64Array;
  offsets: Float64Array;
  /** The frame that fills the width; its callers are drawn above it at full width. */
  top: number;
  /** y of the root's row. */
  rootY: number;
  /** 1: callees below their caller; −1: above it. */
  direction: 1 | -1;
  /** Draws the row of the root. */
  showRoot: boolean;
  colour: Colour;
  baseTotal: number;
  /** By name index; undefined when nothing is searched. */
  matches: boolean[] | undefined;
  /** The frame with the focus ring, −1 for none. */
  focused: number;
}

export interface Look {
  theme: Theme;
  /** Width of the canvas in CSS pixels. */
  width: number;
  height: number;
  background: string;
  ink: string;
}

/** Draws one scene; rows outside the canvas are left out. */
export function drawScene(context: CanvasRenderingContext2D, scene: Scene, look: Look): void {
  const { graph, widths, offsets, top } = scene;
  const scale = widths[top]! > 0 ? look.width / widths[top]! : 0;
  context.font = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
  context.textBaseline = 'middle';
  const measured = { ...look, cellWidth: context.measureText('m').width };
  for (let above = graph.parent[top]!; above >= 0; above = graph.parent[above]!) {
    drawFrame(context, scene, measured, above, 0, look.width, true);
  }
  let sliverEnd = -1;
  let sliverDepth = -1;
  for (let node = top; node < graph.end[top]!; ) {
    const width = widths[node]! * scale;
    const x = (offsets[node]! - offsets[top]!) * scale;
    if (width >= smallestWidth) {
      drawFrame(context, scene, measured, node, x, width, false);
      node++;
      continue;
    }
    // Neighbours too narrow to see become one sliver per pixel: the shape of the graph stays.
    const depth = graph.depth[node]!;
    if (width > 0 && (depth !== sliverDepth || x >= sliverEnd)) {
      context.fillStyle = fillOf(0, look.theme).background;
      context.fillRect(x, rowOf(scene, depth), 1, rowHeight - 1);
      sliverEnd = x + 2;
      sliverDepth = depth;
    }
    node = graph.end[node]!;
  }
  drawFocus(context, scene, look, scale);
}

/** The y of a row. */
export function rowOf(scene: Pick<Scene, 'rootY' | 'direction'>, depth: number): number {
  return scene.rootY + scene.direction * depth * rowHeight;
}

function drawFrame(
  context: CanvasRenderingContext2D,
  scene: Scene,
  look: Look & { cellWidth: number },
  node: number,
  x: number,
  width: number,
  isAncestor: boolean,
): void {
  const { graph } = scene;
  if (node === 0 && !scene.showRoot) return;
  const y = rowOf(scene, graph.depth[node]!);
  if (y < -rowHeight || y > look.height) return;
  const name = graph.name[node]!;
  const isMatch = scene.matches === undefined || (name >= 0 && scene.matches[name] === true);
  const step = isMatch && !isAncestor ? frameStep(graph, node, scene.colour, scene.baseTotal) : 0;
  const fill = fillOf(step, look.theme);
  const boxWidth = Math.max(smallestWidth, width - 1);
  context.fillStyle = fill.background;
  context.fillRect(x, y, boxWidth, rowHeight - 1);

  const presence = framePresence(graph, node);
  const hatched = step !== 0 && presence !== 'both' && scene.baseTotal > 0;
  if (hatched) drawHatch(context, x, y, Math.min(9, boxWidth), fill.ink);
  if (scene.matches !== undefined && isMatch) {
    context.strokeStyle = look.ink;
    context.lineWidth = 1.5;
    context.strokeRect(x + 0.75, y + 0.75, Math.max(0.5, boxWidth - 1.5), rowHeight - 2.5);
  }
  if (width < 30) return;
  const mark = step === 0 ? '' : step > 0 ? '▲ ' : '▼ ';
  const word = hatched ? `${presence} ` : '';
  const start = x + padding + (hatched ? 9 : 0);
  context.fillStyle = fill.ink;
  const cells = Math.floor((x + width - padding - start) / look.cellWidth);
  const label = fitLabel(mark + word, shown(frameName(graph, node)), cells);
  if (label !== '') context.fillText(label, start, y + rowHeight / 2);
}

function drawHatch(context: CanvasRenderingContext2D, x: number, y: number, width: number, ink: string): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, rowHeight - 1);
  context.clip();
  context.strokeStyle = ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let left = x - rowHeight; left < x + width; left += 5) {
    context.moveTo(left, y + rowHeight);
    context.lineTo(left + rowHeight, y);
  }
  context.stroke();
  context.restore();
}

function drawFocus(context: CanvasRenderingContext2D, scene: Scene, look: Look, scale: number): void {
  const { graph, focused, top } = scene;
  if (focused < 0) return;
  const inside = focused >= top && focused < graph.end[top]!;
  const x = inside ? (scene.offsets[focused]! - scene.offsets[top]!) * scale : 0;
  const width = inside ? scene.widths[focused]! * scale : look.width;
  const y = rowOf(scene, graph.depth[focused]!);
  context.strokeStyle = look.background;
  context.lineWidth = 5;
  context.strokeRect(x + 1, y + 1, Math.max(2, width - 3), rowHeight - 3);
  context.strokeStyle = look.ink;
  context.lineWidth = 2.5;
  context.strokeRect(x + 1, y + 1, Math.max(2, width - 3), rowHeight - 3);
}

/** Control and bidirectional characters would reorder the label: none of them is drawn. */
function shown(name: string): string {
  return name.slice(0, 400).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
}
