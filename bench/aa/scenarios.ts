/** What is run: pull requests that change nothing, and pull requests whose change is known. */
import {
  allocating,
  apply,
  base,
  type Edit,
  type Files,
  move,
  rename,
  repeated,
  slowerDiscounts,
  slowerInit,
  slowerNotes,
  slowerSeal,
  splitParcels,
  splitSeal,
  splitTax,
} from './variants.ts';

/** When the burner spins: never, or while the base, the head or both are measured. */
export type Noise = 'quiet' | 'base' | 'head' | 'both';

export type Kind = 'unchanged' | 'slower' | 'small' | 'moved' | 'moved and slower' | 'uniform' | 'allocation' | 'init';

export interface Scenario {
  /** Unique, and the key under which a finished run is kept. */
  name: string;
  kind: Kind;
  /** The base is a stored recording, or is measured at the same time as the head. */
  baseline: 'stored' | 'interleaved';
  noise: Noise;
  /** Sources of both sides, or the growth of a Go function. */
  code: { base: Files; head: Files } | { goGrowth: number };
  /** For `slower`: 0.5 = +50 %. */
  growth?: number;
  /** The function that must be named, by its display name. */
  culprit?: string;
  concurrency: number;
  invocations: number;
}

const INSTANCES = 8;
/** Half of the default: enough to see +30 % in a function of 20 % of the CPU. Go samples ten times less often. */
const INVOCATIONS = 400;
const INVOCATIONS_IN_GO = 800;
/** The init duration is only judged with 15 cold starts or more. */
const INSTANCES_FOR_INIT = 16;

const nothing: Edit = (files) => files;

/** Half of the unchanged pull requests are compared with a stored baseline; three of four see noise. */
export function unchangedScenarios(count: number, go: boolean): Scenario[] {
  const noises: Noise[] = ['quiet', 'both', 'head', 'base'];
  return Array.from({ length: count }, (_, i): Scenario => {
    const baseline = i % 2 === 0 ? 'stored' : 'interleaved';
    const noise = noises[(i >> 1) % noises.length]!;
    const inGo = go && i % 20 >= 18;
    return {
      name: `unchanged ${i + 1}${inGo ? ' (Go)' : ''}`,
      kind: 'unchanged',
      baseline,
      // Measured at the same time, both see the same noise.
      noise: baseline === 'interleaved' && noise !== 'quiet' ? 'both' : noise,
      code: inGo ? { goGrowth: 0 } : { base, head: base },
      concurrency: INSTANCES,
      invocations: inGo ? INVOCATIONS_IN_GO : INVOCATIONS,
    };
  });
}

/** Every kind of change; noise in every other one. */
export function changedScenarios(go: boolean): Scenario[] {
  const list: Omit<Scenario, 'baseline' | 'noise' | 'concurrency' | 'invocations'>[] = [];
  const add = (name: string, kind: Kind, edit: Edit, more: Partial<Scenario> = {}, from: Edit = nothing): void => {
    const source = apply(base, from);
    list.push({ name, kind, code: { base: source, head: apply(source, edit) }, ...more });
  };
  for (const growth of [0.1, 0.25, 0.5, 1]) {
    const percent = `+${growth * 100}%`;
    add(`sealInvoice ${percent}`, 'slower', slowerSeal(growth), { growth, culprit: 'sealInvoice' });
    add(`bestDiscount ${percent}`, 'slower', slowerDiscounts(growth), { growth, culprit: 'bestDiscount' });
  }
  if (go)
    for (const growth of [0.5, 1])
      list.push({
        name: `BestDiscount +${growth * 100}% (Go)`,
        kind: 'slower',
        growth,
        culprit: 'BestDiscount',
        code: { goGrowth: growth },
      });
  add('tidyNote twice', 'small', slowerNotes, { growth: 1, culprit: 'tidyNote' });

  add('computeTax renamed taxOfOrder', 'moved', rename('computeTax', 'taxOfOrder'));
  add('packParcels renamed fillBoxes', 'moved', rename('packParcels', 'fillBoxes'));
  add('bestDiscount renamed offerFor', 'moved', rename('bestDiscount', 'offerFor'));
  add('sealInvoice renamed stampText', 'moved', rename('sealInvoice', 'stampText'));
  add('sealInvoice moved to seal.mjs', 'moved', move('sealInvoice', 'src/invoice.mjs', 'src/seal.mjs'));
  add('bestDiscount and sealInvoice in other files', 'moved', moveBoth);
  add('sealInvoice split in two', 'moved', splitSeal);
  add('packParcels split in two', 'moved', splitParcels);
  add('computeTax split in two', 'moved', splitTax);
  add('computeTax, packParcels split and renamed', 'moved', (files) =>
    apply(files, splitTax, splitParcels, rename('packParcels', 'fillBoxes')),
  );

  add('sealInvoice renamed and doubled', 'moved and slower', (files) =>
    apply(files, slowerSeal(1), rename('sealInvoice', 'stampText')),
  );
  add('bestDiscount renamed and +50%', 'moved and slower', (files) =>
    apply(files, slowerDiscounts(0.5), rename('bestDiscount', 'bestOffer')),
  );

  add('everything +50%', 'uniform', replaceTimes, {}, repeated(2));
  add('1.6 MB more allocated', 'allocation', allocating(200));
  add('init 400 ms longer', 'init', slowerInit(400), { concurrency: INSTANCES_FOR_INIT });
  return list.map((scenario, i) => ({
    concurrency: INSTANCES,
    invocations: 'goGrowth' in scenario.code ? INVOCATIONS_IN_GO : INVOCATIONS,
    ...scenario,
    baseline: (i >> 1) % 2 === 0 ? 'stored' : 'interleaved',
    noise: i % 2 === 0 ? 'quiet' : 'both',
  }));
}

const moveBoth: Edit = (files) =>
  apply(
    files,
    move('sealInvoice', 'src/invoice.mjs', 'src/seal.mjs'),
    move('bestDiscount', 'src/promotions.mjs', 'src/discounts.mjs'),
    // The campaigns go with the function that reads them.
    (moved) => ({
      ...moved,
      'src/promotions.mjs': '',
      'src/discounts.mjs': `${moved['src/promotions.mjs']!}\n${moved['src/discounts.mjs']!}`,
    }),
  );

const replaceTimes: Edit = (files) => ({
  ...files,
  'index.mjs': files['index.mjs']!.replace('again < 2', 'again < 3'),
});
