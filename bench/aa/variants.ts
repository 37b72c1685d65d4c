/**
 * Variants of the sample functions whose difference is known, because it was written into their source. The base does
 * more rounds of its sealing and has more campaigns than the sample, so that a number changes a function by so much.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFiles } from '../../test/cloud/deploy.ts';
import { GO_FUNCTIONS } from '../../test/go/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files of a function, path -> text. */
export type Files = Readonly<Record<string, string>>;

/** An edit of a function's source. */
export type Edit = (files: Files) => Files;

const SEAL_ROUNDS = 24;
const CAMPAIGNS = 960;
const GO_CAMPAIGNS = 1920;

/** The base of all variants for Node.js. */
export const base: Files = apply(
  { ...readFiles(join(root, 'examples/functions/node')) },
  replace('src/invoice.mjs', 'round < 8', `round < ${SEAL_ROUNDS}`),
  replace('src/promotions.mjs', 'i < 240', `i < ${CAMPAIGNS}`),
);

export function apply(files: Files, ...edits: Edit[]): Files {
  return edits.reduce((edited, edit) => edit(edited), files);
}

/**
 * Replaces all occurrences of a text.
 * @throws Error when there is none: the sample has changed, and the bench would measure nothing
 */
export function replace(path: string, from: string, to: string): Edit {
  return (files) => {
    const text = files[path];
    if (!text?.includes(from)) throw new Error(`Cannot make a variant: '${from}' is not in ${path}.`);
    return { ...files, [path]: text.replaceAll(from, to) };
  };
}

function replaceEverywhere(from: string, to: string): Edit {
  return (files) =>
    Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, path.endsWith('.mjs') ? text.replaceAll(from, to) : text]),
    );
}

/** `sealInvoice` does (1 + growth) times the work. */
export function slowerSeal(growth: number): Edit {
  return replace('src/invoice.mjs', `round < ${SEAL_ROUNDS}`, `round < ${Math.round(SEAL_ROUNDS * (1 + growth))}`);
}

/** `bestDiscount` looks through (1 + growth) times as many campaigns. */
export function slowerDiscounts(growth: number): Edit {
  return replace('src/promotions.mjs', `i < ${CAMPAIGNS}`, `i < ${CAMPAIGNS * (1 + growth)}`);
}

/** `tidyNote`, a small function, tidies every note again and again. */
export const slowerNotes: Edit = edits(
  replace('src/order.mjs', 'note: tidyNote(note)', 'note: tidyNote(tidyNote(note))'),
);

/** A function gets another name, wherever it is used. */
export function rename(from: string, to: string): Edit {
  return replaceEverywhere(from, to);
}

/** A function is moved, as it is, to a file of its own. */
export function move(name: string, from: string, to: string): Edit {
  return (files) => {
    const source = files[from]!;
    const start = source.lastIndexOf('/**', source.indexOf(`export function ${name}(`));
    const end = source.indexOf('\n}\n', start) + 3;
    if (start < 0 || end < 3) throw new Error(`Cannot make a variant: ${name} is not in ${from}.`);
    const index = files['index.mjs']!;
    const kept = new RegExp(`import \\{([^}]*)\\b${name}\\b,? ?([^}]*)\\} from './${from}';`);
    const imports = (_: string, before: string, after: string): string => {
      const others = `${before}${after}`.replace(/[\s,]+$/, '').trim();
      return `${others === '' ? '' : `import { ${others} } from './${from}';\n`}import { ${name} } from './${to}';`;
    };
    if (!kept.test(index)) throw new Error(`Cannot make a variant: ${name} is not imported by index.mjs.`);
    return {
      ...files,
      [from]: source.slice(0, start) + source.slice(end),
      [to]: source.slice(start, end),
      'index.mjs': index.replace(kept, imports),
    };
  };
}

/** Half of the rounds of `sealInvoice` are done by a new function. */
export const splitSeal: Edit = edits(
  replace('src/invoice.mjs', `round < ${SEAL_ROUNDS}`, `round < ${SEAL_ROUNDS / 2}`),
  replace('src/invoice.mjs', '  return (seal >>> 0)', '  seal = stampAgain(text, seal);\n  return (seal >>> 0)'),
  append(
    'src/invoice.mjs',
    `
function stampAgain(text, first) {
  let seal = first;
  for (let round = ${SEAL_ROUNDS / 2}; round < ${SEAL_ROUNDS}; round++)
    for (let i = 0; i < text.length; i++) seal = Math.imul(seal ^ (text.charCodeAt(i) + round), 0x01000193);
  return seal;
}
`,
  ),
);

/** The search of a parcel with room becomes a function of its own. */
export const splitParcels: Edit = edits(
  replace(
    'src/shipping.mjs',
    `    let parcel;
    for (const candidate of parcels)
      if (candidate.grams + piece.grams <= MAX_GRAMS && candidate.cubicCm + piece.cubicCm <= MAX_CUBIC_CM) {
        parcel = candidate;
        break;
      }
`,
    '    let parcel = firstWithRoom(parcels, piece);\n',
  ),
  append(
    'src/shipping.mjs',
    `
function firstWithRoom(parcels, piece) {
  for (const candidate of parcels)
    if (candidate.grams + piece.grams <= MAX_GRAMS && candidate.cubicCm + piece.cubicCm <= MAX_CUBIC_CM)
      return candidate;
  return undefined;
}
`,
  ),
);

/** The last step of the tax becomes a function of its own. */
export const splitTax: Edit = edits(
  replace(
    'src/tax.mjs',
    `    own.sort(byRest);
    for (let i = 0; i < missing && i < own.length; i++) own[i].cents++;
`,
    '    spreadCents(own, missing);\n',
  ),
  append(
    'src/tax.mjs',
    `
function spreadCents(own, missing) {
  own.sort(byRest);
  for (let i = 0; i < missing && i < own.length; i++) own[i].cents++;
}
`,
  ),
);

/** The handler does all of its work `times` times: everything is slower by the same factor. */
export function repeated(times: number): Edit {
  return replace(
    'index.mjs',
    'export const handler = async (event) => {\n',
    `export const handler = async (event) => {
  for (let again = 1; again < ${times}; again++) priceOrder(event);
  return priceOrder(event);
};

const priceOrder = (event) => {
`,
  );
}

/** `count` objects that nobody keeps, which cost next to no CPU but their collection. */
export function allocating(count: number): Edit {
  return edits(
    replace(
      'index.mjs',
      '  const discounts = [];\n',
      `  for (let i = 0; i < ${count}; i++) lastDraft = new Array(1000);\n  const discounts = [];\n`,
    ),
    append('index.mjs', '\nlet lastDraft;\nexport const draft = () => lastDraft;\n'),
  );
}

/** Start-up takes `milliseconds` more, in a busy loop before the handler is there. */
export function slowerInit(milliseconds: number): Edit {
  return append('index.mjs', `\nfor (const end = performance.now() + ${milliseconds}; performance.now() < end; );\n`);
}

/** Nothing that runs: without it two versions would be the same archive. */
export function stamped(text: string): Edit {
  return (files) => ({ ...files, 'build.txt': `${text}\n` });
}

/** The sample for Go with so many campaigns, in `directory`, ready to be built. */
export function goSource(directory: string, growth: number, stamp: string): string {
  cpSync(GO_FUNCTIONS.orders, directory, { recursive: true });
  edit(join(directory, 'go.mod'), '../../../agents/go', join(root, 'agents/go'));
  edit(join(directory, 'pricing.go'), 'range 240', `range ${Math.round(GO_CAMPAIGNS * (1 + growth))}`);
  writeFileSync(
    join(directory, 'build.go'),
    `package main\n\nvar build = ${JSON.stringify(stamp)}\n\nfunc init() { _ = build }\n`,
  );
  return directory;
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`Cannot make a variant: '${from}' is not in ${path}.`);
  writeFileSync(path, text.replaceAll(from, to));
}

function append(path: string, text: string): Edit {
  return (files) => ({ ...files, [path]: `${files[path]!}${text}` });
}

/** Several edits as one. */
function edits(...all: Edit[]): Edit {
  return (files) => apply(files, ...all);
}
