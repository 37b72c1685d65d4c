import { describe, expect, it } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { classifyFrame } from '../../src/pprof/frames.ts';
import { weighOwners } from '../../src/pprof/weigh.ts';
import { profileOf } from './profiles.ts';

/** Stacks leaf first, `name@file`, with their CPU nanoseconds. */
function weigh(...samples: [cpuNanos: number, stack: string[]][]) {
  const weights = weighOwners(decodeProfile(profileOf(samples)), 'cpu', '', (frame) => classifyFrame(frame, 'node'));
  return Object.fromEntries(
    weights.owners.map(({ key }, i) => [key, weights.counts[0]![i]!]).filter(([, value]) => (value as number) > 0),
  );
}

describe('weighOwners()', () => {
  it('charges library and runtime code to the own function that calls it', () => {
    expect(
      weigh(
        [5, ['parse@node_modules/csv/parse.js', 'readOrder@src/order.mjs', 'handler@index.mjs']],
        [7, ['readOrder@src/order.mjs', 'handler@index.mjs']],
        [11, ['handler@index.mjs', 'runtime@/var/runtime/index.mjs']],
      ),
    ).toEqual({ readOrder: 12, 'handler in index': 11 });
  });

  it('charges an anonymous function to the named function of its file that calls it', () => {
    expect(
      weigh(
        [3, ['(anonymous:L#9:C#4)@src/tax.mjs', 'computeTax@src/tax.mjs', 'handler@index.mjs']],
        [4, ['(anonymous:L#9:C#4)@src/tax.mjs', '(anonymous:L#2:C#1)@src/tax.mjs', 'computeTax@src/tax.mjs']],
      ),
    ).toEqual({ computeTax: 7 });
  });

  it('keeps an anonymous function that only another file calls, under the name of its file', () => {
    expect(weigh([3, ['(anonymous:L#9:C#4)@src/rules.mjs', 'apply@src/engine.mjs']])).toEqual({
      '(anonymous) in rules': 3,
    });
  });
});
