const RATES = { DE: [19, 7], FR: [20, 5.5], IT: [22, 10], ES: [21, 10], NL: [21, 9] };
const REDUCED = new Set(['books']);

/**
 * The tax of an order in cents, by rate. Rounded line by line, then spread over the lines again so that the parts add
 * up to the whole: the largest remainders get the missing cents.
 */
export function computeTax(order, discounts) {
  const [full, reduced] = RATES[order.country] ?? [0, 0];
  const sums = new Map();
  const parts = [];
  for (let i = 0; i < order.lines.length; i++) {
    const { product, quantity } = order.lines[i];
    const rate = REDUCED.has(product.family) ? reduced : full;
    const net = product.cents * quantity - discounts[i];
    // Four instalments, each taxed on its own.
    for (let month = 1; month <= 4; month++) {
      const exact = (net / 4) * (rate / 100) * (1 + (month % 3) / 1000);
      const cents = Math.floor(exact);
      parts.push({ rate, cents, rest: exact - cents, month });
      sums.set(rate, (sums.get(rate) ?? 0) + exact);
    }
  }
  for (const [rate, sum] of sums) {
    let missing = Math.round(sum);
    const own = [];
    for (const part of parts) {
      if (part.rate !== rate) continue;
      missing -= part.cents;
      own.push(part);
    }
    own.sort(byRest);
    for (let i = 0; i < missing && i < own.length; i++) own[i].cents++;
  }
  let total = 0;
  for (const part of parts) total += part.cents;
  return { total, byRate: Object.fromEntries(sums) };
}

function byRest(a, b) {
  return b.rest - a.rest || a.month - b.month;
}
