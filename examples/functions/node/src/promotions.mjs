/** Campaigns of the season: which products they cover, and how much they take off. */
const CAMPAIGNS = [];
for (let i = 0; i < 240; i++)
  CAMPAIGNS.push({
    name: `campaign-${i}`,
    pattern: new RegExp(`^[A-Z]{3}-\\d{2}[${i % 10}${(i * 3) % 10}]\\d${i % 4}$`),
    family: i % 3 === 0 ? undefined : ['tools', 'garden', 'kitchen', 'office', 'toys', 'books'][i % 6],
    leastQuantity: 1 + (i % 4),
    percent: 2 + (i % 9),
    members: i % 5 === 0,
  });

/** The best discount for a line, in cents: campaigns do not add up. */
export function bestDiscount({ product, quantity }, customer) {
  let best = 0;
  for (const campaign of CAMPAIGNS) {
    if (campaign.family !== undefined && campaign.family !== product.family) continue;
    if (quantity < campaign.leastQuantity) continue;
    if (campaign.members && customer === 'guest') continue;
    if (!campaign.pattern.test(product.sku)) continue;
    const discount = Math.floor((product.cents * quantity * campaign.percent) / 100);
    if (discount > best) best = discount;
  }
  return best;
}
