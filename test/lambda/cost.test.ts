import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type OfferFile, parseOffers, renderTable, updateTable } from '../../build/prices.ts';
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

  // Written by hand in the format of https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
  // No file of AWS is at hand where this is tested.
  const offer = (): OfferFile =>
    JSON.parse(readFileSync(new URL('offers/eu-central-1.json', import.meta.url), 'utf8')) as OfferFile;

  it('is read from an offer file: on demand, first tier, no free tier, short names of regions', () => {
    const prices = { x86_64: 0.0000166667, arm64: 0.0000133334, requestsPerMillion: 0.2 };
    expect(parseOffers(offer())).toEqual({ 'eu-central-1': prices });
  });

  it('is read of us-east-1, whose usage types have no short name, and of new regions with two digits', () => {
    for (const [prefix, region] of [
      ['', 'us-east-1'],
      ['APS12-', 'ap-southeast-12'],
    ] as const) {
      const file = offer();
      for (const { attributes } of Object.values(file.products)) {
        attributes.usagetype = attributes.usagetype!.replace('EUC1-', prefix);
        if (attributes.regionCode) attributes.regionCode = region;
      }
      expect(parseOffers(file)).toEqual({ [region]: expect.objectContaining({ requestsPerMillion: 0.2 }) });
    }
  });

  it('names what a region lacks', () => {
    const file = offer();
    delete file.products.AAAAAAAAAAAAAAA3;
    expect(() => parseOffers(file)).toThrow('lacks requests of eu-central-1');
  });

  it('is as old as its oldest row', () => {
    const old = { x86_64: 1, requestsPerMillion: 1 };
    const table = { asOf: '2026-09-19', source: 's', currency: 'USD', regions: { 'eu-central-1': old } };
    expect(updateTable(table, [offer()])).toMatchObject({
      asOf: '2026-10-01',
      regions: { 'eu-central-1': { arm64: 0.0000133334 } },
    });
    const two = { ...table, regions: { ...table.regions, 'xx-other-1': old } };
    expect(updateTable(two, [offer()])).toMatchObject({ asOf: '2026-09-19', regions: { 'xx-other-1': old } });
    expect(renderTable(updateTable(PRICES, [offer()]))).toBe(renderTable(PRICES));
  });
});
