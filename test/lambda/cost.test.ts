import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type OfferFile, parseOffers, renderTable } from '../../build/prices.ts';
import { computeCost, PRICES, renderCost } from '../../src/lambda/cost.ts';

const input = { region: 'us-east-1', architecture: 'x86_64', memoryMb: 1024, billedMeanMs: 100, monthlyInvocations: 0 };

describe('computeCost()', () => {
  it('is billed seconds times gigabytes times the price, plus the requests', () => {
    const cost = computeCost(input);
    expect(cost.known && cost.perMillion).toBeCloseTo(1e5 * 0.0000166667 + 0.2, 12);
    const arm = computeCost({ ...input, architecture: 'arm64', memoryMb: 512, monthlyInvocations: 30e6 });
    expect(arm.known && arm.perMillion).toBeCloseTo(1e5 * 0.5 * 0.0000133334 + 0.2, 12);
    expect(arm.known && arm.perMonth).toBeCloseTo(30 * (1e5 * 0.5 * 0.0000133334 + 0.2), 9);
  });

  it('bills the init of a cold start, and keeps it apart: how many there are in production is not known', () => {
    const cost = computeCost({ ...input, initMeanMs: 400 });
    expect(cost.known && cost.perMillion).toBeCloseTo(1e5 * 0.0000166667 + 0.2, 9);
    expect(cost.known && cost.perMillionColdStarts).toBeCloseTo(4e5 * 0.0000166667, 9);
    expect(computeCost(input)).not.toHaveProperty('perMillionColdStarts');
  });

  it('does not guess: a region or an architecture without a price says so', () => {
    expect(computeCost({ ...input, region: 'cn-north-1' })).toEqual({
      known: false,
      reason: `the price table of ${PRICES.asOf} has no prices for cn-north-1`,
    });
    expect(computeCost({ ...input, region: 'il-central-1', architecture: 'arm64' })).toMatchObject({
      known: false,
      reason: expect.stringContaining('no price for arm64 in il-central-1'),
    });
    expect(computeCost({ ...input, region: 'constructor' }).known).toBe(false);
  });
});

describe('renderCost()', () => {
  it('is one line with the date of the prices', () => {
    const text = renderCost(computeCost({ ...input, monthlyInvocations: 100_000_000, initMeanMs: 400 }));
    expect(text).toBe(
      `1.87 USD per million invocations, 187 USD per month at 100,000,000, and 6.67 USD for the inits of a million cold starts (list price of ${PRICES.asOf})`,
    );
    expect(renderCost(computeCost(input))).toBe(`1.87 USD per million invocations (list price of ${PRICES.asOf})`);
  });
});

describe('the price table', () => {
  it('is what its generator writes', () => {
    const text = readFileSync(new URL('../../src/lambda/prices.json', import.meta.url), 'utf8');
    expect(renderTable(PRICES)).toBe(text);
  });

  it('is read from the price list format: first tier, no free tier, short names of regions', () => {
    const product = (sku: string, usagetype: string, regionCode: string) => ({
      sku,
      attributes: { usagetype, regionCode },
    });
    const priced = (USD: string, beginRange = '0') => ({ beginRange, pricePerUnit: { USD } });
    const file: OfferFile = {
      publicationDate: '2026-10-01T00:00:00Z',
      products: {
        A: product('A', 'EUC1-Lambda-GB-Second', 'eu-central-1'),
        B: product('B', 'EUC1-Lambda-GB-Second-ARM', 'eu-central-1'),
        C: product('C', 'EUC1-Request', 'eu-central-1'),
        D: product('D', 'EUC1-Lambda-Provisioned-GB-Second', 'eu-central-1'),
        E: product('E', 'Lambda-GB-Second', 'us-east-1'),
        F: product('F', 'Request', 'us-east-1'),
      },
      terms: {
        OnDemand: {
          A: { T: { priceDimensions: { 2: priced('0.000015', '6000000000'), 1: priced('0.0000166667') } } },
          B: { T: { priceDimensions: { 1: priced('0.0000133334') } } },
          C: { T: { priceDimensions: { 0: priced('0.0000000000'), 1: priced('0.0000002000') } } },
          D: { T: { priceDimensions: { 1: priced('0.0000097222') } } },
          E: { T: { priceDimensions: { 1: priced('0.0000166667') } } },
          F: { T: { priceDimensions: { 1: priced('0.0000002000') } } },
        },
      },
    };
    expect(parseOffers(file)).toEqual({
      'eu-central-1': { x86_64: 0.0000166667, arm64: 0.0000133334, requestsPerMillion: 0.2 },
      'us-east-1': { x86_64: 0.0000166667, requestsPerMillion: 0.2 },
    });
    delete file.products.C;
    expect(() => parseOffers(file)).toThrow('lacks requests of eu-central-1');
  });
});
