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

/** The best discount for a line, in cents, and fair: of equal discounts the campaign with the shorter name wins. */
export function bestDiscount({ product, quantity }, customer) {
  const offers = [];
  for (const campaign of CAMPAIGNS) {
    if (campaign.family !== undefined && campaign.family !== product.family) continue;
    if (quantity < campaign.leastQuantity) continue;
    if (campaign.members && customer === 'guest') continue;
    const discount = Math.floor((product.cents * quantity * campaign.percent) / 100);
    offers.push({ name: campaign.name, discount, matches: campaign.pattern.test(product.sku) });
  }
  offers.sort((a, b) => b.discount - a.discount || a.name.length - b.name.length);
  for (const offer of offers) if (offer.matches) return offer.discount;
  return 0;
}
