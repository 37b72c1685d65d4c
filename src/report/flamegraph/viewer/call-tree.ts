/// <reference lib="dom" />
/**
 * The flame graph as a tree of text: every frame a row that opens to what it calls. Rows are made when they are opened,
 * so that a tree of any size opens at once. Keys as in https://www.w3.org/WAI/ARIA/apg/patterns/treeview/.
 */
import { formatAmount, formatAmountDelta, formatAmountPair } from '../amount.ts';
import { frameName, framePresence, frameStep, withoutPath } from '../frame.ts';
import type { FlameGraph } from '../layout.ts';
import { visible } from './texts.ts';

/** Callees shown of one frame; the others are counted. */
const maxChildren = 100;

/** Puts the tree into `place`, open down to `node`. `show` is called with the frame that Enter was pressed on. */
export function renderCallTree(
  place: HTMLElement,
  graph: FlameGraph,
  node: number,
  show: (node: number) => void,
): void {
  const tree = document.createElement('ul');
  tree.setAttribute('role', 'tree');
  tree.setAttribute('aria-label', 'Call tree');
  const root = rowOf(graph, 0);
  tree.append(root);
  place.replaceChildren(tree);
  const path: number[] = [];
  for (let at = node; at >= 0; at = graph.parent[at]!) path.unshift(at);
  let row: HTMLElement | null = root;
  for (const at of path) {
    row = at === 0 ? root : tree.querySelector<HTMLElement>(`[data-node="${at}"]`);
    if (row !== null) open(graph, row);
  }
  const first = row ?? root;
  first.tabIndex = 0;
  tree.addEventListener('click', (event) => {
    const clicked = rowAt(event);
    if (clicked === undefined) return;
    if (clicked.getAttribute('aria-expanded') === 'true') close(clicked);
    else open(graph, clicked);
    moveTo(tree, clicked);
  });
  tree.addEventListener('keydown', (event) => {
    const current = rowAt(event);
    if (current === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!press(event.key, graph, tree, current, show)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function press(
  key: string,
  graph: FlameGraph,
  tree: HTMLElement,
  row: HTMLElement,
  show: (node: number) => void,
): boolean {
  const isOpen = row.getAttribute('aria-expanded') === 'true';
  const rows = () => Array.from(tree.querySelectorAll<HTMLElement>('[role=treeitem]'));
  const beside = (step: number) => moveTo(tree, rows()[rows().indexOf(row) + step]);
  switch (key) {
    case 'ArrowDown':
      beside(1);
      return true;
    case 'ArrowUp':
      beside(-1);
      return true;
    case 'ArrowRight':
      if (isOpen) beside(1);
      else open(graph, row);
      return true;
    case 'ArrowLeft':
      if (isOpen) close(row);
      else moveTo(tree, row.parentElement?.closest<HTMLElement>('[role=treeitem]') ?? undefined);
      return true;
    case 'Home':
      moveTo(tree, rows()[0]);
      return true;
    case 'End':
      moveTo(tree, rows().at(-1));
      return true;
    case 'Enter':
      show(Number(row.dataset.node));
      return true;
    default:
      return false;
  }
}

function rowAt(event: Event): HTMLElement | undefined {
  return (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]') ?? undefined;
}

/** Only one row at a time is reached with Tab. */
function moveTo(tree: HTMLElement, row: HTMLElement | undefined): void {
  if (row === undefined) return;
  for (const before of tree.querySelectorAll<HTMLElement>('[tabindex="0"]')) before.tabIndex = -1;
  row.tabIndex = 0;
  row.focus();
}

function open(graph: FlameGraph, row: HTMLElement): void {
  if (row.getAttribute('aria-expanded') !== 'false') return;
  const children = childrenOf(graph, Number(row.dataset.node));
  const list = document.createElement('ul');
  list.setAttribute('role', 'group');
  list.append(...children.slice(0, maxChildren).map((child) => rowOf(graph, child)));
  const rest = children.length - maxChildren;
  if (rest > 0) {
    const more = document.createElement('li');
    more.setAttribute('role', 'none');
    more.textContent = `and ${rest} smaller`;
    list.append(more);
  }
  row.append(list);
  row.setAttribute('aria-expanded', 'true');
}

function close(row: HTMLElement): void {
  row.querySelector('ul')?.remove();
  row.setAttribute('aria-expanded', 'false');
}

/** One frame: its change, both values, its name. */
function rowOf(graph: FlameGraph, node: number): HTMLElement {
  const row = document.createElement('li');
  row.setAttribute('role', 'treeitem');
  row.tabIndex = -1;
  row.dataset.node = String(node);
  if (graph.end[node]! > node + 1) row.setAttribute('aria-expanded', 'false');
  const base = graph.base[node]!;
  const head = graph.head[node]!;
  const hasBase = graph.base[0]! > 0;
  const step = frameStep(graph, node, 'total', graph.base[0]!);
  const presence = framePresence(graph, node);
  const name = visible(frameName(graph, node));
  const mark = step === 0 ? '' : step > 0 ? '▲ ' : '▼ ';
  const cells: [kind: string, text: string][] = [
    [step === 0 ? 'change' : 'change beyond', `${mark}${formatAmountDelta(base, head, graph.unit)}`],
    ['pair', hasBase ? formatAmountPair(base, head, graph.unit) : formatAmount(head, graph.unit)],
    ['name', `${withoutPath(name)}${presence === 'both' || !hasBase ? '' : ` (${presence})`}`],
  ];
  const line = document.createElement('span');
  line.className = 'call';
  for (const [kind, text] of hasBase ? cells : cells.slice(1)) {
    const cell = document.createElement('span');
    cell.className = kind;
    cell.textContent = text;
    if (kind === 'name') {
      // The columns of numbers stay where they are, only names move in with their depth.
      cell.style.marginLeft = `${graph.depth[node]! * 14}px`;
      cell.title = name;
    }
    line.append(cell);
  }
  row.append(line);
  return row;
}

/** What a frame calls, largest on either side first, as the graph has it. */
function childrenOf(graph: FlameGraph, node: number): number[] {
  const children: number[] = [];
  for (let child = node + 1; child < graph.end[node]!; child = graph.end[child]!) children.push(child);
  return children;
}
