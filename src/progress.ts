import type { Clock } from './clock.ts';
import type { LoadProgress } from './lambda/load.ts';

/** Names each step as it begins, and says how long it took when the next one does. */
export interface Progress {
  step(name: string): void;
  load(progress: LoadProgress): void;
  note(message: string): void;
  /** Ends the last step. */
  done(): { step: string; ms: number }[];
}

const LOAD_EVERY_MS = 5_000;

/** The load in words: counts, rate, errors, time left. */
export function renderLoad({ op, round, done, of, failed, throttled, perSecond, leftMs }: LoadProgress): string {
  return [
    `${op === 'warmup' ? `warm-up${round === undefined ? '' : `, round ${round}:`}` : 'measured'} ${done}${Number.isFinite(of) ? ` of ${of}` : ''}`,
    `${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(throttled > 0 ? [`${throttled} throttled`] : []),
    ...(done < of && Number.isFinite(leftMs) && leftMs >= 1000 ? [`${Math.round(leftMs / 1000)} s left`] : []),
  ].join(', ');
}

/** Progress as lines of a log: one for each step, and one for the load every five seconds; never a spinner. */
export function createProgress(clock: Clock, write: (line: string) => void): Progress {
  const timings: { step: string; ms: number }[] = [];
  let current: { step: string; sinceMs: number } | undefined;
  let nextLoadMs = 0;
  const end = (): void => {
    if (current) timings.push({ step: current.step, ms: Math.round(clock.monotonicMs() - current.sinceMs) });
    current = undefined;
  };
  return {
    step(name) {
      end();
      current = { step: name, sinceMs: clock.monotonicMs() };
      nextLoadMs = 0;
      write(`${name} …`);
    },
    load(state) {
      if (state.done < state.of && clock.monotonicMs() < nextLoadMs) return;
      nextLoadMs = clock.monotonicMs() + LOAD_EVERY_MS;
      write(`  ${renderLoad(state)}`);
    },
    note: (message) => write(`  ${message}`),
    done() {
      end();
      return timings;
    },
  };
}
