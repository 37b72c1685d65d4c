/// <reference lib="dom" />
/** What is on the canvas: one flame graph, or a sandwich of callers above and callees below a function. */
import { computeSandwich } from '../callers.ts';
import type { Colour } from '../frame.ts';
import { computeOffsets, type FlameGraph, frameAt, type Width } from '../layout.ts';
import { drawScene, type Look, rowHeight, rowOf, type Scene } from './draw.ts';

/** A frame in one of the scenes. */
export interface Place {
  scene: number;
  node: number;
}

export interface Stage {
  scenes: Scene[];
  /** Height of all rows in CSS pixels. */
  height: number;
}

export interface Choices {
  width: Width;
  colour: Colour;
  matches: boolean[] | undefined;
}

/** The whole graph, `top` as wide as the canvas. */
export function computeFlameStage(graph: FlameGraph, top: number, choices: Choices): Stage {
  const scene = sceneOf(graph, graph, choices, { top, rootY: 0, direction: 1, showRoot: true });
  return { scenes: [scene], height: (graph.maxDepth + 1) * rowHeight };
}

/** Callers of the function `name` upwards, callees downwards, the function between them. */
export function computeSandwichStage(graph: FlameGraph, name: number, choices: Choices): Stage {
  const { callers, callees } = computeSandwich(graph, name);
  const middle = (callers.maxDepth - 1) * rowHeight;
  const below = sceneOf(graph, callees, choices, { top: 0, rootY: middle - rowHeight, direction: 1, showRoot: false });
  const above = sceneOf(graph, callers, choices, { top: 0, rootY: middle + rowHeight, direction: -1, showRoot: false });
  return { scenes: [below, above], height: middle + callees.maxDepth * rowHeight };
}

/** Draws all scenes, `focused` with a ring. */
export function drawStage(
  context: CanvasRenderingContext2D,
  stage: Stage,
  focused: Place | undefined,
  look: Look,
): void {
  context.fillStyle = look.background;
  context.fillRect(0, 0, look.width, look.height);
  stage.scenes.forEach((scene, index) => {
    drawScene(context, { ...scene, focused: focused?.scene === index ? focused.node : -1 }, look);
  });
}

/** The frame under a point of the canvas. */
export function placeAt(stage: Stage, x: number, y: number, canvasWidth: number): Place | undefined {
  for (const [index, scene] of stage.scenes.entries()) {
    const { graph, widths, offsets, top } = scene;
    const depth = scene.direction * Math.floor((y - scene.rootY) / rowHeight);
    if (depth < (scene.showRoot ? 0 : 1)) continue;
    if (depth < graph.depth[top]!) {
      let node = top;
      while (graph.depth[node]! > depth) node = graph.parent[node]!;
      return { scene: index, node };
    }
    const units = (x / canvasWidth) * widths[top]!;
    const node = frameAt(graph, offsets, widths, top, depth - graph.depth[top]!, units);
    if (node >= 0) return { scene: index, node };
  }
  return undefined;
}

/** The y of a frame's row, for scrolling it into view. */
export function yOf(stage: Stage, place: Place): number {
  const scene = stage.scenes[place.scene]!;
  return rowOf(scene, scene.graph.depth[place.node]!);
}

function sceneOf(
  whole: FlameGraph,
  graph: FlameGraph,
  { width, colour, matches }: Choices,
  place: Pick<Scene, 'top' | 'rootY' | 'direction' | 'showRoot'>,
): Scene {
  return {
    graph,
    widths: graph[width],
    offsets: computeOffsets(graph, width),
    colour,
    baseTotal: whole.base[0]!,
    matches,
    focused: -1,
    ...place,
  };
}
