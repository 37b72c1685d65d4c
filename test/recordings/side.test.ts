import { expect, it } from 'vitest';
import { sideOf } from '../../src/recordings/side.ts';
import { instance, sampleRecording } from './sample.ts';

const stack = ['parse@lib/parser.mjs', 'work@src/a.mjs'];

it("sideOf() charges what the policy does not call the team's own to the function of theirs that calls it", () => {
  const owners = (ownCode?: { prefixes: string[] }) => {
    const { weights } = sideOf(sampleRecording('a'.repeat(40), {}, stack), ownCode).side;
    return weights!.owners.filter((_, i) => weights!.counts[0]![i]! > 0).map(({ key, kind }) => `${kind} ${key}`);
  };
  expect(owners()).toEqual(['own parse']);
  expect(owners({ prefixes: ['src/'] })).toEqual(['own work']);
  expect(owners({ prefixes: ['services'] })).toEqual([expect.stringContaining('library')]);
});

it('sideOf() leaves out instances that started during the measurement, unless too few would be left', () => {
  const instances = (warm: number, cold: number) =>
    Array.from({ length: warm + cold }, (_, i) => ({ ...instance, id: `i-${i}`, cold: i < warm ? 0 : 1 }));
  const of = (warm: number, cold: number) =>
    sideOf(sampleRecording('a'.repeat(40), { instances: instances(warm, cold) }));
  expect(of(5, 2).side.instances).toHaveLength(5);
  expect(of(5, 2).warnings[0]).toContain(
    '2 of 7 instances of aaaaaaa started during the measurement and were left out',
  );
  expect(of(4, 2).side.instances).toHaveLength(6);
  expect(of(5, 0).warnings).toEqual([]);
});
