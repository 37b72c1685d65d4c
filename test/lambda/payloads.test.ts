import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePayloads, payloadAt } from '../../src/lambda/payloads.ts';
import { seededRandom } from '../../src/seeded-random.ts';

const parse = (value: unknown, seed = 's') =>
  parsePayloads([{ name: 'a test', text: JSON.stringify(value) }], seededRandom(seed));
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

describe('parsePayloads()', () => {
  it('sends one event again and again', () => {
    const payloads = parse({ a: 1 });
    expect([0, 1, 999].map((i) => text(payloadAt(payloads, i)))).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
  });

  it('sends a weighted list in proportion, mixed, and in the same order for the same seed', () => {
    const list = [
      { payload: 'often', weight: 3 },
      { payload: 'seldom', weight: 1 },
    ];
    const sent = Array.from({ length: 400 }, (_, i) => text(payloadAt(parse(list), i)));
    expect(sent.filter((body) => body === '"often"')).toHaveLength(300);
    expect(sent).toEqual(Array.from({ length: 400 }, (_, i) => text(payloadAt(parse(list), i))));
  });

  it('reads a file with a byte order mark, as editors on Windows write them', () => {
    const { bodies } = parsePayloads([{ name: 'a.json', text: '\uFEFF{"a":1}' }], Math.random);
    expect(text(bodies[0]!)).toBe('{"a":1}');
  });

  it('takes a list without weights as one event', () => {
    expect(text(payloadAt(parse([1, 2, 3]), 1))).toBe('[1,2,3]');
  });

  it('refuses what is not JSON, weights that are no numbers, weights that are all zero, and events over 6 MB', () => {
    expect(() => parsePayloads([{ name: 'input payload', text: '{' }], Math.random)).toThrow(
      /payload of input payload: it is not JSON \(.*\)\. Give one JSON document/,
    );
    expect(() => parsePayloads([{ name: 'a.json', text: ' ' }], Math.random)).toThrow('(it is empty)');
    expect(() => parse([{ payload: 1, weight: 'x' }])).toThrow(/weight of entry 1 must be a number from 0/);
    expect(() => parse([{ payload: 1, weight: 1e308 }])).toThrow(/it is 1e\+308/);
    expect(() => parse([{ payload: 1, weight: 1 }, { payload: 2 }])).toThrow(
      /entry 2 has no payload and weight, and others have. Give both to every entry/,
    );
    expect(() => parse([{ payload: 1, weight: 0 }])).toThrow(
      /all its weights are 0. Give at least one entry a weight above 0/,
    );
    expect(() => parse('x'.repeat(6 * 1024 * 1024))).toThrow(/Lambda takes at most 6291456. Give a smaller event/);
  });

  it('apportions any weights within one call of their share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (weights) => {
          const { order } = parse(weights.map((weight, payload) => ({ payload, weight })));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (const [i, weight] of weights.entries()) {
            const sent = order.filter((entry) => entry === i).length;
            expect(Math.abs(sent - (weight / total) * order.length)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });
});
