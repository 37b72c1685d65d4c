import type { LoadProgress } from '../lambda/load.ts';
import { createProgress, type Progress, renderLoad } from '../progress.ts';
import { inert, type Shell } from './shell.ts';

/** What people can follow; a terminal shows no more. */
const DRAW_EVERY_MS = 100;
const WIDTH = 24;
const CLEAR_LINE = '\r\u001b[K';

/** Progress of a command: at a terminal a bar that moves, elsewhere the lines of a log. */
export function createShellProgress(shell: Pick<Shell, 'clock' | 'say' | 'draw' | 'columns'>): Progress {
  const { clock, draw } = shell;
  if (!draw) return createProgress(clock, (line) => shell.say(inert(line)));
  let isDrawn = false;
  let nextMs = 0;
  const log = createProgress(clock, (line) => {
    if (isDrawn) draw(CLEAR_LINE);
    isDrawn = false;
    shell.say(inert(line));
  });
  return {
    ...log,
    load(state) {
      // The last state stays, as a line.
      if (state.done >= state.of) return log.load(state);
      if (clock.monotonicMs() < nextMs) return;
      nextMs = clock.monotonicMs() + DRAW_EVERY_MS;
      isDrawn = true;
      draw(`${CLEAR_LINE}${renderBar(state, shell.columns)}`);
    },
    done() {
      if (isDrawn) draw(CLEAR_LINE);
      isDrawn = false;
      return log.done();
    },
  };
}

/** One line of at most so many columns, e.g. `  ████████░░░░░░░░  measured 180 of 400, 40/s, 5 s left`. */
export function renderBar(state: LoadProgress, columns: number): string {
  const filled = Math.round((WIDTH * state.done) / state.of);
  const bar = Number.isFinite(state.of) ? `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}  ` : '';
  const words = renderLoad(state);
  const line = `  ${bar}${words}`;
  return line.length < columns ? line : `  ${words}`.slice(0, Math.max(0, columns - 1));
}
