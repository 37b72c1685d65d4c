import type { Interruption } from './lambda/load.ts';

/** After the first signal, calls in flight have so long: a cancelled job is killed 10 s after it was asked to end. */
const PATIENCE_MS = 3_000;
/** Then everything else has until here: what waits for a server that does not answer would be killed without a word. */
const LAST_MS = 8_500;

/**
 * Ctrl-C and a cancelled job (GitHub sends SIGINT, 7.5 s later SIGTERM, then kills). The first signal ends the load,
 * and what was measured is still published; calls that are not answered soon, or a second signal, are given up.
 * @param onGivenUp the process should end now, whatever it does
 */
export function listenForInterruption(
  process: Pick<NodeJS.Process, 'on'>,
  onInterrupted: (signal: string) => void,
  onGivenUp: () => void = () => {},
): Interruption {
  const stop = new AbortController();
  const abandon = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      if (stop.signal.aborted) return abandon.abort();
      onInterrupted(signal);
      stop.abort();
      setTimeout(() => abandon.abort(), PATIENCE_MS).unref();
      setTimeout(onGivenUp, LAST_MS).unref();
    });
  return { stop: stop.signal, abandon: abandon.signal };
}
