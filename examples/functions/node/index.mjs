import { catalogOf } from './src/catalog.mjs';
import { invoiceOf, sealInvoice } from './src/invoice.mjs';
import { parseOrder } from './src/order.mjs';
import { bestDiscount } from './src/promotions.mjs';
import { packParcels } from './src/shipping.mjs';
import { computeTax } from './src/tax.mjs';

const catalog = catalogOf(4000);

/**
 * Prices an order: `{ customer, country, lines: [{ sku, quantity, note? }] }`.
 * Answers with the invoice and its seal.
 */
export const handler = async (event) => {
  const order = parseOrder(event, catalog);
  const discounts = [];
  for (const line of order.lines) discounts.push(bestDiscount(line, order.customer));
  const tax = computeTax(order, discounts);
  const parcels = packParcels(order.lines);
  const invoice = invoiceOf(order, discounts, tax, parcels);
  return { total: invoice.total, parcels: parcels.length, seal: sealInvoice(invoice.text), pages: invoice.pages };
};
