/// <reference lib="dom" />
/** The interactive part of the page. It reads the trees embedded in the page and never asks anything of a server. */
import { frameFacts, frameName, framePresence } from '../frame.ts';
import type { FlameGraph } from '../layout.ts';
import type { Theme } from '../palette.ts';
import { renderCallTree } from './call-tree.ts';
import type { Look } from './draw.ts';
import { canvas, element, packedTrees, radios, search, tabs } from './elements.ts';
import { showInstances } from './instances.ts';
import { type Arrow, frameBeside } from './keyboard.ts';
import { listen } from './listen.ts';
import { loadGraph, loadTree } from './load.ts';
import { computeMatcher, findFrame, findLargestRise, findMatches, type Matches } from './search.ts';
import { computeFlameStage, computeSandwichStage, drawStage, type Place, placeAt, type Stage, yOf } from './stage.ts';
import { firstState, formatHash, parseHash, type ViewState } from './state.ts';
import { describeMatches, describeView, visible } from './texts.ts';

/** Browsers refuse canvases higher than this many device pixels. */
const maxCanvasPixels = 16_000;

const context = canvas.getContext('2d')!;

let state: ViewState = firstState;
let graph: FlameGraph;
let stage: Stage;
let top = 0;
let focused: Place | undefined;
let hovered: Place | undefined;
let matches: Matches | undefined;
let match = -1;
let printing = false;
let drawing = 0;

/** Shows a state from outside: the address, a tab, a row of a table, an instance. */
async function show(next: ViewState): Promise<void> {
  const tree = await loadTree(next.tab);
  graph = await loadGraph(next);
  state = next;
  showInstances(tree, state);
  const found = state.frame === '' ? 0 : findFrame(graph, state.frame);
  const node = Math.max(0, found);
  if (graph.head[0] === 0) state = { ...state, width: 'base' };
  if (node > 0 && graph[state.width][node] === 0) state = { ...state, width: 'both' };
  search.value = state.query;
  runSearch();
  for (const [index, tab] of tabs.entries()) {
    tab.setAttribute('aria-selected', String(index === state.tab));
    tab.tabIndex = index === state.tab ? 0 : -1;
  }
  setTop(node);
  showCallTree();
  if (found < 0) element('note').textContent = `${visible(next.frame)} is not in this profile.`;
}

/** Makes a frame as wide as the canvas, or the middle of the sandwich. */
function setTop(node: number): void {
  const name = graph.name[node]!;
  top = node;
  if (name < 0) state = { ...state, frame: '', view: 'flame' };
  else state = { ...state, frame: graph.names[name]! };
  focused = state.view === 'callers' ? { scene: 0, node: 1 } : { scene: 0, node };
  hovered = undefined;
  render();
}

/** Everything that follows from the state. */
function render(): void {
  const choices = { width: state.width, colour: state.colour, matches: matches?.names };
  stage =
    state.view === 'callers'
      ? computeSandwichStage(graph, graph.name[top]!, choices)
      : computeFlameStage(graph, top, choices);
  const hasBase = graph.base[0]! > 0;
  const hasHead = graph.head[0]! > 0;
  element('sides').hidden = !(hasBase && hasHead);
  element('colours').hidden = !hasBase;
  element('legend').hidden = !hasBase;
  element('rise').hidden = !hasBase;
  for (const radio of radios) radio.checked = radio.value === (radio.name === 'width' ? state.width : state.colour);
  element<HTMLButtonElement>('reset').disabled = top === 0 && state.view === 'flame';
  const callers = element<HTMLButtonElement>('callers');
  callers.disabled = top === 0 && (focused === undefined || focused.node === 0);
  callers.setAttribute('aria-pressed', String(state.view === 'callers'));
  element('note').textContent = describeView(graph, state, top);
  rememberAddress();
  describe();
  draw();
}

function rememberAddress(): void {
  try {
    history.replaceState(null, '', formatHash(state) || location.pathname + location.search);
  } catch {
    // Some viewers of local files keep the address for themselves.
  }
}

/** What is written about the frame the reader points at. */
function describe(): void {
  const place = hovered ?? focused;
  const scene = place === undefined ? undefined : stage.scenes[place.scene];
  if (place === undefined || scene === undefined) return;
  const name = frameName(scene.graph, place.node);
  const presence = framePresence(scene.graph, place.node);
  const file = scene.graph.name[place.node]! < 0 ? '' : (scene.graph.files[scene.graph.name[place.node]!] ?? '');
  const word = presence === 'both' || graph.base[0] === 0 ? '' : ` (${presence})`;
  element('frame').textContent = `${visible(name)}${word}`;
  element('file').textContent = visible(file);
  const facts = frameFacts(scene.graph, place.node, graph.base[0]!, graph.head[0]!);
  element('facts').textContent = facts.join(' · ');
  if (hovered === undefined) element('live').textContent = `${visible(name)}${word}: ${facts.join('; ')}`;
}

function draw(): void {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(drawNow);
}

function drawNow(): void {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.parentElement!.clientWidth;
  const height = Math.min(stage.height + 2, Math.floor(maxCanvasPixels / ratio));
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawStage(context, stage, document.activeElement === canvas && !printing ? focused : undefined, look(width, height));
}

function look(width: number, height: number): Look {
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  const theme: Theme = isDark && !printing ? 'dark' : 'light';
  return {
    theme,
    width,
    height,
    background: theme === 'dark' ? '#0d1117' : '#ffffff',
    ink: theme === 'dark' ? '#ffffff' : '#1b1f24',
  };
}

function runSearch(): void {
  const { query } = state;
  matches = query === '' ? undefined : findMatches(graph, computeMatcher(query), state.width);
  match = -1;
  element('found').textContent = matches === undefined ? '' : describeMatches(graph, matches);
}

/** Moves the focus ring, scrolls to it when it is out of sight. */
function focusOn(place: Place): void {
  focused = place;
  hovered = undefined;
  element<HTMLButtonElement>('callers').disabled = top === 0 && place.node === 0;
  const y = canvas.getBoundingClientRect().top + yOf(stage, place);
  const covered = element('bar').getBoundingClientRect().bottom;
  if (y < covered || y > window.innerHeight - 40) window.scrollBy(0, y - (covered + window.innerHeight) / 2);
  describe();
  draw();
}

/** Opens a frame: zooms to it, or puts it into the middle of the sandwich. */
function open(place: Place): void {
  const scene = stage.scenes[place.scene]!;
  const node = state.view === 'flame' ? place.node : findFrame(graph, frameName(scene.graph, place.node));
  if (node >= 0) setTop(node);
}

function toggleCallers(): void {
  if (state.view === 'callers') state = { ...state, view: 'flame' };
  else if (focused !== undefined && graph.name[focused.node]! >= 0) {
    top = focused.node;
    state = { ...state, view: 'callers' };
  }
  setTop(top);
}

function goBack(): void {
  if (state.view === 'callers') toggleCallers();
  else if (state.query !== '' && top === 0) changeQuery('');
  else setTop(0);
}

function changeQuery(query: string): void {
  if (search.value !== query) search.value = query;
  if (query === state.query) return;
  state = { ...state, query };
  runSearch();
  render();
}

function moveBy(arrow: 'up' | 'down' | 'left' | 'right'): void {
  const from = focused ?? { scene: 0, node: top };
  const scene = stage.scenes[from.scene]!;
  if (arrow === 'left' || arrow === 'right') {
    const node = frameBeside(scene.graph, scene.widths, from.node, arrow === 'left' ? 'previous' : 'next');
    focusOn({ scene: from.scene, node });
    return;
  }
  const isAway = (arrow === 'down') === (scene.direction === 1);
  if (state.view === 'callers' && from.node === 1 && !isAway) {
    // From the middle of the sandwich into its other half.
    const other = 1 - from.scene;
    const { graph: half, widths } = stage.scenes[other]!;
    focusOn({ scene: other, node: frameBeside(half, widths, 1, 'child') });
    return;
  }
  const towards: Arrow = isAway ? 'child' : 'parent';
  focusOn({ scene: from.scene, node: frameBeside(scene.graph, scene.widths, from.node, towards) });
}

function showRise(): void {
  state = { ...state, view: 'flame', width: state.width === 'base' ? 'head' : state.width };
  const node = findLargestRise(graph);
  setTop(0);
  focusOn({ scene: 0, node });
}

function nextMatch(): void {
  if (matches === undefined || matches.nodes.length === 0) return;
  match = (match + 1) % matches.nodes.length;
  state = { ...state, view: 'flame' };
  setTop(matches.nodes[match]!);
}

/** The tree is as large as it is open, so it is made when somebody opens it, and again when the graph is another. */
function showCallTree(): void {
  const place = element('calltree');
  if (!element<HTMLDetailsElement>('calls').open) {
    place.replaceChildren();
    return;
  }
  renderCallTree(place, graph, top === 0 && graph.base[0]! > 0 ? findLargestRise(graph) : top, (node) => {
    if (graph[state.width][node] === 0) state = { ...state, width: 'both' };
    state = { ...state, view: 'flame' };
    setTop(node);
    element('flame').scrollIntoView();
    canvas.focus({ preventScroll: true });
  });
}

/** The address was changed by a link in the page or by the reader. */
async function followAddress(): Promise<void> {
  await show(parseHash(location.hash, packedTrees.length));
  if (location.hash === '') return;
  element('flame').scrollIntoView();
  canvas.focus({ preventScroll: true });
}

async function start(): Promise<void> {
  const first = parseHash(location.hash, packedTrees.length);
  await show(first);
  const openFocused = () => focused && open(focused);
  listen({
    keys: {
      ArrowUp: () => moveBy('up'),
      ArrowDown: () => moveBy('down'),
      ArrowLeft: () => moveBy('left'),
      ArrowRight: () => moveBy('right'),
      Home: () => focusOn({ scene: 0, node: state.view === 'callers' ? 1 : 0 }),
      Enter: openFocused,
      ' ': openFocused,
      Escape: goBack,
      c: toggleCallers,
      r: showRise,
    },
    clickAt(x, y) {
      const place = placeAt(stage, x, y, canvas.clientWidth);
      if (place !== undefined) open(place);
    },
    pointAt(point) {
      hovered = point && placeAt(stage, point.x, point.y, canvas.clientWidth);
      canvas.style.cursor = hovered === undefined ? 'default' : 'pointer';
      describe();
    },
    search: changeQuery,
    nextMatch,
    choose(name, value) {
      if (name === 'width') state = { ...state, width: value as ViewState['width'] };
      else state = { ...state, colour: value as ViewState['colour'] };
      if (graph[state.width][top] === 0) setTop(0);
      else render();
    },
    chooseInstance: (list, id) => void show({ ...state, [list]: id }),
    showTab: (tab) => void show({ ...state, tab, frame: '', view: 'flame' }),
    reset: () => setTop(0),
    showRise,
    toggleCallers,
    toggleTheme() {
      document.documentElement.dataset.theme = look(0, 0).theme === 'dark' ? 'light' : 'dark';
      draw();
    },
    toggleCallTree: showCallTree,
    draw,
    print(isPrinting) {
      printing = isPrinting;
      if (isPrinting) drawNow();
      else draw();
    },
    followAddress: () => void followAddress(),
  });
  document.documentElement.dataset.ready = '';
  if (first.frame !== '' || first.after !== '' || first.before !== '') element('flame').scrollIntoView();
}

if (packedTrees.length > 0) void start();
