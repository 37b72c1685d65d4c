const FAMILIES = ['tools', 'garden', 'kitchen', 'office', 'toys', 'books', 'sports', 'lighting'];

/** A catalog of `size` products, always the same: SKU, family, price in cents, weight in grams, volume in cm³. */
export function catalogOf(size) {
  const products = new Map();
  let state = 20261120;
  const next = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % below;
  };
  for (let i = 0; i < size; i++) {
    const family = FAMILIES[next(FAMILIES.length)];
    const sku = `${family.slice(0, 3).toUpperCase()}-${String(i).padStart(5, '0')}`;
    products.set(sku, {
      sku,
      family,
      title: `${family} article ${i.toString(36)}`,
      cents: 199 + next(24_000),
      grams: 40 + next(9_000),
      cubicCm: 60 + next(22_000),
    });
  }
  return products;
}

/** The SKU at a position of the catalog: lets a caller build orders without knowing the catalog. */
export function skuAt(products, position) {
  const skus = [...products.keys()];
  return skus[position % skus.length];
}
