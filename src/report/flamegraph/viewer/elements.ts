/// <reference lib="dom" />
/** The parts of the page the viewer works with. */

/** An element the page always has. */
export function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

export const canvas: HTMLCanvasElement = element('graph');
export const search: HTMLInputElement = element('search');
export const tabs: HTMLButtonElement[] = Array.from(document.querySelectorAll<HTMLButtonElement>('[role=tab]'));
/** The trees, one for each tab, packed. */
export const packedTrees: HTMLScriptElement[] = Array.from(
  document.querySelectorAll<HTMLScriptElement>('script[type="text/plain"]'),
);
export const radios: HTMLInputElement[] = Array.from(
  document.querySelectorAll<HTMLInputElement>('#tools input[type=radio]'),
);
