/**
 * Colours of a differential flame graph: orange for more, blue for less, grey for no more than chance explains.
 * Four fixed steps a side, of the absolute change as a share of the base side's total, so that two reports can be
 * compared and noise never fills the scale. Orange and blue stay apart in every common colour vision deficiency, and
 * every label has a contrast of at least 4.5 to its frame.
 */

/** −4 … 4: how far less or more; 0 is noise. */
export type Step = -4 | -3 | -2 | -1 | 0 | 1 | 2 | 3 | 4;
export type Theme = 'light' | 'dark';

/** The smallest share of the base total that reaches each step. */
export const stepShares = [0.01, 0.02, 0.05, 0.1] as const;

export interface Fill {
  background: string;
  ink: string;
}

interface Palette {
  zero: Fill;
  up: readonly [Fill, Fill, Fill, Fill];
  down: readonly [Fill, Fill, Fill, Fill];
}

const dark = '#1b1f24';
const white = '#ffffff';

const palettes: Record<Theme, Palette> = {
  light: {
    zero: { background: '#e4e4e4', ink: dark },
    up: [
      { background: '#fde0c5', ink: dark },
      { background: '#fbb582', ink: dark },
      { background: '#ee8443', ink: dark },
      { background: '#c2500f', ink: white },
    ],
    down: [
      { background: '#c6def5', ink: dark },
      { background: '#9ecae9', ink: dark },
      { background: '#5aa2d6', ink: dark },
      { background: '#1f6fb2', ink: white },
    ],
  },
  dark: {
    zero: { background: '#2f3742', ink: white },
    up: [
      { background: '#4d2f1a', ink: white },
      { background: '#7a4116', ink: white },
      { background: '#b05510', ink: white },
      { background: '#ff9a4d', ink: dark },
    ],
    down: [
      { background: '#18324c', ink: white },
      { background: '#1d4a75', ink: white },
      { background: '#2468a6', ink: white },
      { background: '#74b9f5', ink: dark },
    ],
  },
};

/** The step of a change of `delta` when the base side's total is `total` and chance explains `noise`. */
export function stepOf(delta: number, total: number, noise: number): Step {
  const size = Math.abs(delta);
  if (!(total > 0) || size <= noise) return 0;
  const reached = stepShares.filter((share) => size >= share * total).length;
  return (delta < 0 ? -reached : reached) as Step;
}

/** Background and ink of a step. */
export function fillOf(step: Step, theme: Theme): Fill {
  const palette = palettes[theme];
  if (step === 0) return palette.zero;
  return step > 0 ? palette.up[(step - 1) as 0 | 1 | 2 | 3] : palette.down[(-step - 1) as 0 | 1 | 2 | 3];
}
