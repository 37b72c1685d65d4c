/// <reference lib="dom" />
/** What the reader does, as the actions it means. */
import { canvas, element, radios, search, tabs } from './elements.ts';

const typingPauseMs = 120;

/** What can be done with the picture. */
export interface Actions {
  /** By the key that does it while the picture has the focus. */
  keys: Record<string, () => void>;
  clickAt(x: number, y: number): void;
  /** Coordinates of the pointer in the picture; undefined when it left. */
  pointAt(point: { x: number; y: number } | undefined): void;
  search(query: string): void;
  nextMatch(): void;
  choose(name: string, value: string): void;
  chooseInstance(list: 'before' | 'after', id: string): void;
  showTab(tab: number): void;
  reset(): void;
  showRise(): void;
  toggleCallers(): void;
  toggleTheme(): void;
  toggleCallTree(): void;
  draw(): void;
  print(printing: boolean): void;
  followAddress(): void;
}

export function listen(actions: Actions): void {
  listenToCanvas(actions);
  listenToSearch(actions);
  for (const radio of radios) radio.addEventListener('change', () => actions.choose(radio.name, radio.value));
  for (const name of ['before', 'after'] as const) {
    const list = element<HTMLSelectElement>(name);
    list.addEventListener('change', () => actions.chooseInstance(name, list.value));
  }
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => actions.showTab(index));
    tab.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      if (step === 0 || next === undefined) return;
      event.preventDefault();
      next.focus();
      next.click();
    });
  }
  element('reset').addEventListener('click', actions.reset);
  element('rise').addEventListener('click', actions.showRise);
  element('callers').addEventListener('click', actions.toggleCallers);
  element('theme').addEventListener('click', actions.toggleTheme);
  element('calls').addEventListener('toggle', actions.toggleCallTree);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', actions.draw);
  new ResizeObserver(actions.draw).observe(canvas.parentElement!);
  window.addEventListener('beforeprint', () => actions.print(true));
  window.addEventListener('afterprint', () => actions.print(false));
  window.addEventListener('hashchange', actions.followAddress);
}

function listenToCanvas(actions: Actions): void {
  const place = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener('keydown', (event) => {
    const action = actions.keys[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  canvas.addEventListener('click', (event) => {
    const { x, y } = place(event);
    actions.clickAt(x, y);
  });
  canvas.addEventListener('mousemove', (event) => actions.pointAt(place(event)));
  canvas.addEventListener('mouseleave', () => actions.pointAt(undefined));
  for (const name of ['focus', 'blur'] as const) canvas.addEventListener(name, actions.draw);
}

function listenToSearch(actions: Actions): void {
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'search';
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
  });
  let typing = 0;
  search.addEventListener('input', () => {
    window.clearTimeout(typing);
    typing = window.setTimeout(() => actions.search(search.value), typingPauseMs);
  });
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      window.clearTimeout(typing);
      actions.search(search.value);
      actions.nextMatch();
    } else if (event.key === 'Escape') {
      window.clearTimeout(typing);
      actions.search('');
      canvas.focus({ preventScroll: true });
    }
  });
}
