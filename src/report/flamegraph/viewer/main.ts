/// <reference lib="dom" />
/** The interactive part of the page. It reads the trees embedded in the page and never asks anything of a server. */
import { formatPercent, formatShare } from '../../../compare/format.ts';
import { formatAmount } from '../amount.ts';
import { decodeTree } from '../encode.ts';
import { frameFacts, frameName, framePresence } from '../frame.ts';
import { computeFlameGraph, type FlameGraph } from '../layout.ts';
import type { Theme } from '../palette.ts';
import type { Look } from './draw.ts';
import { type Arrow, frameBeside } from './keyboard.ts';
import { computeMatcher, findFrame, findLargestRise, findMatches, type Matches } from './search.ts';
import { computeFlameStage, computeSandwichStage, drawStage, type Place, placeAt, type Stage, yOf } from './stage.ts';
import { firstState, formatHash, parseHash, type ViewState } from './state.ts';

/** Browsers refuse canvases higher than this many device pixels. */
const maxCanvasPixels = 16_000;
const typingPauseMs = 120;

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const canvas = element<HTMLCanvasElement>('graph');
const context = canvas.getContext('2d')!;
const search = element<HTMLInputElement>('search');
const tabs = Array.from(document.querySelectorAll<HTMLButtonElement>('[role=tab]'));
const sources = Array.from(document.querySelectorAll<HTMLScriptElement>('script[type="text/plain"]'));
const graphs = new Map<number, Promise<FlameGraph>>();

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

async function loadGraph(tab: number): Promise<FlameGraph> {
  const bytes = Uint8Array.from(atob(sources[tab]!.textContent!.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return computeFlameGraph(decodeTree(await new Response(stream).text()));
}

/** Shows a state from outside: the address, a tab, a row of the table. */
async function show(next: ViewState): Promise<void> {
  const known = graphs.get(next.tab) ?? loadGraph(next.tab);
  graphs.set(next.tab, known);
  graph = await known;
  state = next;
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
  for (const radio of document.querySelectorAll<HTMLInputElement>('#tools input[type=radio]')) {
    radio.checked = radio.value === (radio.name === 'width' ? state.width : state.colour);
  }
  element<HTMLButtonElement>('reset').disabled = top === 0 && state.view === 'flame';
  const callers = element<HTMLButtonElement>('callers');
  callers.disabled = top === 0 && (focused === undefined || focused.node === 0);
  callers.setAttribute('aria-pressed', String(state.view === 'callers'));
  element('note').textContent = noteOf();
  rememberAddress();
  describe();
  draw();
}

function noteOf(): string {
  if (state.view === 'callers')
    return `Callers above, callees below ${visible(frameName(graph, top))}. Enter goes to a function.`;
  if (state.width === 'both') return 'Both: union width, includes removed code.';
  if (state.width === 'base') return 'Before: new code has no width here.';
  const goneNames = new Set<number>();
  let gone = 0;
  for (let node = 1; node < graph.name.length; node++) {
    if (graph.head[node] !== 0 || graph.baseSelf[node] === 0) continue;
    gone += graph.baseSelf[node]!;
    goneNames.add(graph.name[node]!);
  }
  if (gone === 0 || graph.base[0] === 0) return '';
  return `${goneNames.size} functions have stacks that are gone (−${formatAmount(gone, graph.unit)}): they have no width in After.`;
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
  element('found').textContent = matches === undefined ? '' : foundText(matches);
}

function foundText({ nodes, base, head }: Matches): string {
  if (nodes.length === 0) return 'no match';
  const share = graph.head[0]! > 0 ? `, ${formatShare(head / graph.head[0]!)} of all` : '';
  const change = graph.base[0]! > 0 ? `, ${formatPercent((head - base) / graph.base[0]!)} of the base total` : '';
  return `${nodes.length} frame${nodes.length === 1 ? '' : 's'}${share}${change}`;
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
  state = { ...state, query };
  if (search.value !== query) search.value = query;
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

const keys: Record<string, () => void> = {
  ArrowUp: () => moveBy('up'),
  ArrowDown: () => moveBy('down'),
  ArrowLeft: () => moveBy('left'),
  ArrowRight: () => moveBy('right'),
  Home: () => focusOn({ scene: 0, node: state.view === 'callers' ? 1 : 0 }),
  Enter: () => focused && open(focused),
  ' ': () => focused && open(focused),
  Escape: goBack,
  c: toggleCallers,
  r: showRise,
};

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

function pointAt(event: MouseEvent): Place | undefined {
  const box = canvas.getBoundingClientRect();
  return placeAt(stage, event.clientX - box.left, event.clientY - box.top, box.width);
}

/** The name as text: what cannot be seen is left out, as everywhere else. */
function visible(text: string): string {
  return text.slice(0, 1_000).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
}

function listen(): void {
  canvas.addEventListener('keydown', (event) => {
    const action = keys[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'search';
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
  });
  canvas.addEventListener('click', (event) => {
    const place = pointAt(event);
    if (place !== undefined) open(place);
  });
  canvas.addEventListener('mousemove', (event) => {
    hovered = pointAt(event);
    canvas.style.cursor = hovered === undefined ? 'default' : 'pointer';
    describe();
  });
  canvas.addEventListener('mouseleave', () => {
    hovered = undefined;
    describe();
  });
  for (const name of ['focus', 'blur'] as const) canvas.addEventListener(name, draw);

  let typing = 0;
  search.addEventListener('input', () => {
    window.clearTimeout(typing);
    typing = window.setTimeout(() => changeQuery(search.value), typingPauseMs);
  });
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      window.clearTimeout(typing);
      if (state.query !== search.value) changeQuery(search.value);
      nextMatch();
    } else if (event.key === 'Escape') {
      changeQuery('');
      canvas.focus({ preventScroll: true });
    }
  });

  for (const radio of document.querySelectorAll<HTMLInputElement>('#tools input[type=radio]')) {
    radio.addEventListener('change', () => {
      if (radio.name === 'width') state = { ...state, width: radio.value as ViewState['width'] };
      else state = { ...state, colour: radio.value as ViewState['colour'] };
      if (graph[state.width][top] === 0) setTop(0);
      else render();
    });
  }
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => void show({ ...state, tab: index, frame: '', view: 'flame' }));
    tab.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      if (step === 0 || next === undefined) return;
      event.preventDefault();
      next.focus();
      next.click();
    });
  }
  element('reset').addEventListener('click', () => setTop(0));
  element('rise').addEventListener('click', showRise);
  element('callers').addEventListener('click', toggleCallers);
  element('theme').addEventListener('click', () => {
    const { dataset } = document.documentElement;
    dataset.theme = look(0, 0).theme === 'dark' ? 'light' : 'dark';
    draw();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  new ResizeObserver(draw).observe(canvas.parentElement!);
  window.addEventListener('beforeprint', () => {
    printing = true;
    drawNow();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    draw();
  });
  window.addEventListener('hashchange', () => {
    void show(parseHash(location.hash, sources.length)).then(() => {
      if (location.hash === '') return;
      element('flame').scrollIntoView();
      canvas.focus({ preventScroll: true });
    });
  });
}

if (sources.length > 0) {
  const first = parseHash(location.hash, sources.length);
  void show(first).then(() => {
    listen();
    document.documentElement.dataset.ready = '';
    if (first.frame !== '') element('flame').scrollIntoView();
  });
}
