import type { Interruption } from './lambda/load.ts';

/** After the first signal, calls in flight have so long: a cancelled job is killed 10 s after it was asked to end. */
const PATIENCE_MS = 3_000;

/**
 * Ctrl-C and a cancelled job (GitHub sends SIGINT, 7.5 s later SIGTERM, then kills). The first signal ends the load,
 * and what was measured is still published; calls that are not answered soon, or a second signal, are given up.
 */
export function listenForInterruption(
  process: Pick<NodeJS.Process, 'on'>,
  onInterrupted: (signal: string) => void,
): Interruption {
  const stop = new AbortController();
  const abandon = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      if (stop.signal.aborted) return abandon.abort();
      onInterrupted(signal);
      stop.abort();
      setTimeout(() => abandon.abort(), PATIENCE_MS).unref();
    });
  return { stop: stop.signal, abandon: abandon.signal };
}
