/// <reference lib="dom" />
/** The two lists from which a reader chooses one instance in place of a side. */
import { formatAmount } from '../amount.ts';
import type { CallTree, InstanceValues } from '../calltree.ts';
import { element } from './elements.ts';
import type { ViewState } from './state.ts';
import { visible } from './texts.ts';

/** Fills the lists with the instances of a tree, and shows what is chosen; hidden when there is nothing to choose. */
export function showInstances(tree: CallTree, { before, after }: Pick<ViewState, 'before' | 'after'>): void {
  const all = tree.instances ?? [];
  element('instances').hidden = all.length === 0;
  for (const [id, side, chosen] of [
    ['after', 'head', after],
    ['before', 'base', before],
  ] as const) {
    const own = all.filter((one) => one.side === side);
    const list = element<HTMLSelectElement>(id);
    list.replaceChildren(new Option(`all ${own.length}`, ''), ...own.map((one) => optionOf(one, tree.unit)));
    list.value = own.some((one) => one.id === chosen) ? chosen : '';
    list.parentElement!.hidden = own.length === 0;
  }
}

function optionOf({ id, self }: InstanceValues, unit: string): HTMLOptionElement {
  const name = visible(id);
  const short = name.length <= 20 ? name : `${name.slice(0, 10)}…${name.slice(-6)}`;
  const total = self.reduce((sum, value) => sum + value, 0);
  return new Option(`${short} (${formatAmount(total, unit)})`, id);
}
