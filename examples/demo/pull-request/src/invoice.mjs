const LINES_PER_PAGE = 40;

/** The invoice as text, its pages, and what is to be paid in cents. */
export function invoiceOf(order, discounts, tax, parcels) {
  const rows = [];
  let net = 0;
  for (let i = 0; i < order.lines.length; i++) {
    const { product, quantity, note } = order.lines[i];
    const amount = product.cents * quantity - discounts[i];
    net += amount;
    rows.push(
      [product.sku, product.title.padEnd(30, '.'), String(quantity).padStart(4), money(amount).padStart(14), note].join(
        ' ',
      ),
    );
  }
  rows.push(
    `${parcels.length} parcels, tax ${money(tax.total)}, total ${money(net + tax.total)} for ${order.customer}`,
  );
  return { text: rows.join('\n'), pages: Math.ceil(rows.length / LINES_PER_PAGE), total: net + tax.total };
}

/** Cents as people write them: 1234567 -> 12,345.67 */
function money(cents) {
  const whole = String(Math.floor(Math.abs(cents) / 100));
  let grouped = '';
  for (let i = 0; i < whole.length; i++) {
    if (i > 0 && (whole.length - i) % 3 === 0) grouped += ',';
    grouped += whole[i];
  }
  return `${cents < 0 ? '-' : ''}${grouped}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
}
