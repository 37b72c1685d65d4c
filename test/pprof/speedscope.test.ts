import { describe, expect, test } from 'vitest';
import { renderSpeedscope } from '../../src/pprof/speedscope.ts';
import { profileOf } from './fixtures.ts';

describe('renderSpeedscope()', () => {
  test('lists every sample type, outermost frame first, inlined frames by themselves', () => {
    const profile = profileOf({
      samples: [
        { stack: [['hash@lib.go', 'lookup@main.go'], 'main@main.go'], values: [2, 20] },
        { stack: ['main@main.go'], values: [0, 5] },
      ],
    });
    const { profiles, shared, name, exporter } = JSON.parse(
      renderSpeedscope('orders', [{ name: 'head', profile }], 'test'),
    );
    expect({ name, exporter }).toEqual({ name: 'orders', exporter: 'test' });
    const names = profiles[1].samples.map((stack: number[]) => stack.map((frame) => shared.frames[frame].name));
    expect(names).toEqual([['main', 'lookup', 'hash'], ['main']]);
    expect(profiles).toMatchObject([
      { name: 'head samples', unit: 'none', weights: [2], endValue: 2 },
      { name: 'head cpu', unit: 'nanoseconds', weights: [20, 5], endValue: 25 },
    ]);
  });

  test('shares frames between profiles', () => {
    const profile = profileOf({ samples: [{ stack: ['f', 'g'], values: [1, 1] }] });
    const named = ['base', 'head'].map((name) => ({ name, profile }));
    const { profiles, shared } = JSON.parse(renderSpeedscope('', named, ''));
    expect(shared.frames).toHaveLength(2);
    expect(profiles).toHaveLength(4);
  });
});
