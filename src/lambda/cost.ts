import prices from './prices.json' with { type: 'json' };

/** List prices of one region: on demand, first tier, before free tier and savings plans. */
export interface RegionPrices {
  /** Per GB-second, by architecture. Absent: not known. */
  x86_64?: number;
  arm64?: number;
  requestsPerMillion: number;
}

export interface PriceTable {
  /** ISO date. */
  asOf: string;
  source: string;
  currency: string;
  regions: Record<string, RegionPrices>;
}

/** The table of this release, made by `build/prices.ts`. No price is fetched while a function is measured. */
export const PRICES: PriceTable = prices;

/** What the invocations of a version cost. Billed time is rounded up for each call, so its mean is what counts. */
export interface CostInput {
  region: string;
  architecture: string;
  memoryMb: number;
  /** Mean of Billed Duration of warm invocations. */
  billedMeanMs: number;
  /** Invocations in a month, for which the cost is stated; 0 = not stated. */
  monthlyInvocations: number;
  /** Mean init, which is billed since August 2025. Not given: not known. */
  initMeanMs?: number;
}

export type Cost =
  | {
      known: true;
      currency: string;
      asOf: string;
      /** A million warm invocations. */
      perMillion: number;
      /** What a million cold starts add. Undefined when no init is known. */
      perMillionColdStarts?: number;
      /** At so many invocations a month. Undefined when no traffic is stated. */
      perMonth?: number;
      monthlyInvocations?: number;
    }
  | { known: false; reason: string };

/** What a million invocations of a version cost: for each billed millisecond, and for the requests. */
export type Price = { known: true; perBilledMs: number; requests: number } | { known: false; reason: string };

/** The price of a memory size. A region or architecture that is not in the table is not guessed. */
export function priceOf(
  { region, architecture, memoryMb }: Pick<CostInput, 'region' | 'architecture' | 'memoryMb'>,
  table: PriceTable = PRICES,
): Price {
  const known = Object.hasOwn(table.regions, region) ? table.regions[region] : undefined;
  if (!known) return { known: false, reason: `the price table of ${table.asOf} has no prices for ${region}` };
  const perGbSecond = architecture === 'arm64' || architecture === 'x86_64' ? known[architecture] : undefined;
  if (perGbSecond === undefined)
    return { known: false, reason: `the price table of ${table.asOf} has no price for ${architecture} in ${region}` };
  return { known: true, perBilledMs: 1e3 * (memoryMb / 1024) * perGbSecond, requests: known.requestsPerMillion };
}

/**
 * Cost per million invocations: billed seconds × GB × price of a GB-second, plus the requests
 * (https://aws.amazon.com/lambda/pricing/). The cold share of a test is not that of production, so the inits that cold
 * starts add are a number of their own.
 */
export function computeCost(input: CostInput, table: PriceTable = PRICES): Cost {
  const { billedMeanMs, monthlyInvocations, initMeanMs } = input;
  const price = priceOf(input, table);
  if (!price.known) return price;
  const perMillion = billedMeanMs * price.perBilledMs + price.requests;
  return {
    known: true,
    currency: table.currency,
    asOf: table.asOf,
    perMillion,
    ...(initMeanMs !== undefined && { perMillionColdStarts: initMeanMs * price.perBilledMs }),
    ...(monthlyInvocations > 0 && { perMonth: (perMillion * monthlyInvocations) / 1e6, monthlyInvocations }),
  };
}

/**
 * One line, e.g. `2.31 USD per million invocations, 231 USD per month at 100,000,000, and 8.33 USD for the inits of a
 * million cold starts (list price of 2026-09-19)`.
 */
export function renderCost(cost: Cost): string {
  if (!cost.known) return `cost is not known: ${cost.reason}`;
  const { perMillion, perMonth, monthlyInvocations = 0, perMillionColdStarts, currency, asOf } = cost;
  const parts = [
    `${renderMoney(perMillion, currency)} per million invocations`,
    ...(perMonth === undefined
      ? []
      : [`${renderMoney(perMonth, currency)} per month at ${monthlyInvocations.toLocaleString('en-US')}`]),
    ...(perMillionColdStarts === undefined
      ? []
      : [`and ${renderMoney(perMillionColdStarts, currency)} for the inits of a million cold starts`]),
  ];
  return `${parts.join(', ')} (list price of ${asOf})`;
}

/** Three digits, or whole units from a hundred on: `2.31 USD`, `1,250 USD`. */
export function renderMoney(amount: number, currency: string): string {
  return `${amount >= 100 ? Math.round(amount).toLocaleString('en-US') : amount.toPrecision(3)} ${currency}`;
}
