import { describe, expect, it } from 'vitest';
import { fillOf, type Step, stepOf } from '../../../src/report/flamegraph/palette.ts';

const steps: Step[] = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
type Rgb = [number, number, number];

const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]: Rgb) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
/** WCAG 2.2 contrast ratio. */
const contrast = (a: string, b: string) => {
  const [light, dark] = [luminance(rgb(a)), luminance(rgb(b))].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
};
/** CIE76 difference of two linear RGB colours (D65). */
const difference = (a: Rgb, b: Rgb) => {
  const lab = (color: Rgb) => {
    const [r, g, blue] = color;
    const f = (t: number) => (t > 216 / 24_389 ? Math.cbrt(t) : ((24_389 / 27) * t + 16) / 116);
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * blue) / 0.9505);
    const y = f(0.2126 * r + 0.7152 * g + 0.0722 * blue);
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * blue) / 1.089);
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)] as Rgb;
  };
  const [p, q] = [lab(a), lab(b)];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
};
/** Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB. */
const deficiencies: Record<string, [Rgb, Rgb, Rgb]> = {
  none: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const seen = (matrix: [Rgb, Rgb, Rgb], hex: string): Rgb => {
  const color = rgb(hex).map(linear) as Rgb;
  return matrix.map((row) =>
    Math.min(1, Math.max(0, row[0] * color[0] + row[1] * color[1] + row[2] * color[2])),
  ) as Rgb;
};

describe('fillOf()', () => {
  for (const theme of ['light', 'dark'] as const) {
    it(`has labels with a contrast of at least 4.5 in the ${theme} theme`, () => {
      for (const step of steps) {
        const { background, ink } = fillOf(step, theme);
        expect(contrast(background, ink), `${theme} ${step}`).toBeGreaterThanOrEqual(4.5);
      }
    });
    it.each(Object.entries(deficiencies))(
      `keeps more and less apart in the ${theme} theme, colour vision: %s`,
      (_, matrix) => {
        for (const step of [2, 3, 4] as const) {
          const up = seen(matrix, fillOf(step, theme).background);
          const down = seen(matrix, fillOf(-step as Step, theme).background);
          expect(difference(up, down), `step ${step}`).toBeGreaterThan(35);
        }
      },
    );
  }
});

describe('stepOf()', () => {
  it('follows fixed shares of the base total, the same for more and less', () => {
    expect([0.9, 1, 2, 5, 10, 90].map((delta) => stepOf(delta, 100, 0))).toEqual([0, 1, 2, 3, 4, 4]);
    expect([-0.9, -1, -2, -5, -10, -90].map((delta) => stepOf(delta, 100, 0))).toEqual([-0, -1, -2, -3, -4, -4]);
  });
  it('is grey within the noise, however large', () => expect(stepOf(50, 100, 50)).toBe(0));
  it('is grey when there is no base side', () => expect(stepOf(50, 0, 0)).toBe(0));
});
