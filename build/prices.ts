/**
 * Makes `src/lambda/prices.json` from AWS's public price list, one regional offer file after the other, as paths or
 * URLs: `node build/prices.ts https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AWSLambda/current/eu-west-1/index.json …`
 * The files need no credentials; `…/current/region_index.json` lists them. Regions that are not given keep their row.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PriceTable, RegionPrices } from '../src/lambda/cost.ts';

/** What is read of an offer file: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html */
export interface OfferFile {
  publicationDate: string;
  products: Record<string, { sku: string; attributes: Record<string, string> }>;
  terms: {
    OnDemand: Record<
      string,
      Record<string, { priceDimensions: Record<string, { beginRange?: string; pricePerUnit: Record<string, string> }> }>
    >;
  };
}

/**
 * Usage types carry a region's short name, but for us-east-1: `EUC1-Lambda-GB-Second-ARM`, `Request`. The free tier is
 * of no region (`Global-Request`), and requests cost the same on both architectures (`Request-ARM`).
 */
const USAGE = /^(?:[A-Z]{2,4}\d{0,2}-)?(Lambda-GB-Second|Lambda-GB-Second-ARM|Request)$/;

/**
 * The prices of the regions of an offer file: the first tier of each, in USD.
 * @throws Error when a region has requests or durations only
 */
export function parseOffers(file: OfferFile): Record<string, RegionPrices> {
  const found = new Map<string, Map<string, number>>();
  for (const { sku, attributes } of Object.values(file.products)) {
    const usage = USAGE.exec(attributes.usagetype ?? '')?.[1];
    const region = attributes.regionCode;
    const price = usage === undefined ? undefined : firstTier(file, sku);
    if (!usage || !region || attributes.location === 'Any' || price === undefined) continue;
    found.set(region, (found.get(region) ?? new Map()).set(usage, price));
  }
  return Object.fromEntries(
    [...found].map(([region, of]) => {
      const [x86, arm, request] = ['Lambda-GB-Second', 'Lambda-GB-Second-ARM', 'Request'].map((usage) => of.get(usage));
      if (request === undefined || (x86 === undefined && arm === undefined))
        throw new Error(`The offer file lacks ${request === undefined ? 'requests' : 'durations'} of ${region}.`);
      const perMillion = Math.round(request * 1e12) / 1e6;
      return [
        region,
        {
          ...(x86 !== undefined && { x86_64: x86 }),
          ...(arm !== undefined && { arm64: arm }),
          requestsPerMillion: perMillion,
        },
      ];
    }),
  );
}

/** The price from 0 on; free-tier entries cost nothing and are passed over. */
function firstTier({ terms }: OfferFile, sku: string): number | undefined {
  const dimensions = Object.values(terms.OnDemand[sku] ?? {}).flatMap((term) => Object.values(term.priceDimensions));
  const prices = dimensions
    .filter(({ beginRange, pricePerUnit }) => Number(beginRange ?? 0) === 0 && Number(pricePerUnit.USD) > 0)
    .map(({ pricePerUnit }) => Number(pricePerUnit.USD));
  return prices[0];
}

/**
 * The table with the prices of offer files in place of its own. It is as old as its oldest row: with regions that no
 * file tells of, no newer than it was.
 */
export function updateTable(table: PriceTable, files: OfferFile[]): PriceTable {
  const regions: PriceTable['regions'] = Object.assign({}, ...files.map(parseOffers));
  const isWhole = Object.keys(table.regions).every((region) => Object.hasOwn(regions, region));
  const dates = files.map(({ publicationDate }) => publicationDate.slice(0, 10));
  const asOf = [...dates, ...(isWhole ? [] : [table.asOf])].sort()[0] ?? table.asOf;
  return { ...table, asOf, regions: { ...table.regions, ...regions } };
}

/** The table as text, one region a line, numbers never in exponents. */
export function renderTable(table: PriceTable): string {
  const number = (value: number): string => (value < 0.001 ? value.toFixed(10).replace(/0+$/, '') : String(value));
  const rows = Object.entries(table.regions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([region, prices]) => {
      const fields = Object.entries(prices).map(([name, value]) => `"${name}": ${number(value as number)}`);
      return `    "${region}": { ${fields.join(', ')} }`;
    });
  const { asOf, source, currency } = table;
  return `{\n  "asOf": "${asOf}",\n  "source": ${JSON.stringify(source)},\n  "currency": "${currency}",\n  "regions": {\n${rows.join(',\n')}\n  }\n}\n`;
}

async function read(place: string): Promise<OfferFile> {
  if (!place.startsWith('https://')) return JSON.parse(readFileSync(place, 'utf8')) as OfferFile;
  const answer = await fetch(place);
  if (!answer.ok) throw new Error(`Cannot read ${place}: HTTP ${answer.status}.`);
  return (await answer.json()) as OfferFile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = fileURLToPath(new URL('../src/lambda/prices.json', import.meta.url));
  const table = JSON.parse(readFileSync(path, 'utf8')) as PriceTable;
  const files = await Promise.all(process.argv.slice(2).map(read));
  const updated = updateTable(table, files);
  writeFileSync(path, renderTable(updated));
  console.log(`${Object.keys(updated.regions).length} regions in src/lambda/prices.json, as of ${updated.asOf}`);
}
