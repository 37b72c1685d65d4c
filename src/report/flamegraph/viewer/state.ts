/** What the reader has chosen, and how the address after `#` keeps it. */
import type { Colour } from '../frame.ts';
import type { Width } from '../layout.ts';

export interface ViewState {
  /** Index of the profile type. */
  tab: number;
  width: Width;
  colour: Colour;
  /** Function to show; '' for none. */
  frame: string;
  /** `callers`: the sandwich of `frame`. */
  view: 'flame' | 'callers';
  query: string;
  /** Instances in place of the whole sides; '' for all. */
  before: string;
  after: string;
}

export const firstState: ViewState = {
  tab: 0,
  width: 'head',
  colour: 'total',
  frame: '',
  view: 'flame',
  query: '',
  before: '',
  after: '',
};

/** The state in an address such as `#f=pricing.sortRules&w=both`; what is missing or unknown keeps its first value. */
export function parseHash(hash: string, tabs: number): ViewState {
  const values = new URLSearchParams(hash.replace(/^#/, ''));
  const tab = Number(values.get('t') ?? 0);
  const width = values.get('w');
  return {
    tab: Number.isInteger(tab) && tab >= 0 && tab < tabs ? tab : 0,
    width: width === 'base' || width === 'both' ? width : 'head',
    colour: values.get('c') === 'self' ? 'self' : 'total',
    frame: values.get('f') ?? '',
    view: values.get('v') === 'callers' ? 'callers' : 'flame',
    query: values.get('q') ?? '',
    before: values.get('b') ?? '',
    after: values.get('a') ?? '',
  };
}

/** The shortest address that `parseHash()` reads back; '' for the first state. */
export function formatHash(state: ViewState): string {
  const values = new URLSearchParams();
  if (state.tab !== 0) values.set('t', String(state.tab));
  if (state.width !== 'head') values.set('w', state.width);
  if (state.colour !== 'total') values.set('c', state.colour);
  if (state.frame !== '') values.set('f', state.frame);
  if (state.view !== 'flame') values.set('v', state.view);
  if (state.query !== '') values.set('q', state.query);
  if (state.before !== '') values.set('b', state.before);
  if (state.after !== '') values.set('a', state.after);
  const text = values.toString();
  return text === '' ? '' : `#${text}`;
}
