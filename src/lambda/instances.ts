import { settleAll } from '../settle.ts';
import { isCold } from './account.ts';
import type { Answer } from './invoke.ts';
import type { LoadSide } from './load.ts';
import { unansweredError } from './load.ts';
import { parseFlushReply } from './run-protocol.ts';

/** Concurrent calls must not share an instance, so each agent holds its answer so long. */
export const HOLD_MS = 250;
const MAX_ROUNDS = 5;

/** What is known of a version's instances before anything is measured. */
export interface Census {
  /** Told by agents; empty when there is none. */
  ids: Set<string>;
  /** Instances that started for this, by their reported inits. */
  started: number;
  /** Calls that Lambda refused. */
  throttled: number;
}

/**
 * Brings up instances on purpose: bursts of calls that are in flight at the same time, for nobody can ask Lambda for
 * an instance. The calls are flushes of a run that has no window yet, so an agent answers with its name and publishes
 * nothing; a function without an agent handles one more event, and its inits are counted.
 * @throws MeasurementError when no call is answered at all
 * @param wanted instances to have besides those in `exclude`; these may be alive, and then take part in every burst
 */
export async function bringUpInstances(
  side: LoadSide,
  wanted: number,
  payload: Uint8Array,
  exclude: ReadonlySet<string> = new Set(),
  signal?: AbortSignal,
): Promise<Census> {
  const census: Census = { ids: new Set(), started: 0, throttled: 0 };
  let throttledRounds = 0;
  const known = (): number => [...census.ids].filter((id) => exclude.has(id)).length;
  // The first burst tells how many of the excluded are alive; from the third on, some calls shared an instance.
  for (let round = 0, missing = wanted; round < MAX_ROUNDS && missing > 0 && !signal?.aborted; round++) {
    const answers = await burst(side, wanted + known() + (round > 1 ? missing : 0), payload);
    const started = answers.filter(({ invocation: { report } }) => report && isCold(report)).length;
    if (answers.every(({ invocation: { status } }) => status === 'ambiguous'))
      throw unansweredError(side.label, answers.length, answers[0]!.invocation.errorType);
    const throttled = answers.filter(({ invocation }) => invocation.status === 'throttled').length;
    for (const { payload: answer } of answers) {
      const reply = parseFlushReply(answer);
      if (reply) census.ids.add(reply.instance);
    }
    census.started += started;
    census.throttled += throttled;
    missing = wanted - (census.ids.size - known());
    // What is refused twice is more than is allowed at once. Without an agent nobody knows who answered.
    if (
      (throttled > 0 && ++throttledRounds > 1) ||
      (census.ids.size === 0 && (started === 0 || census.started >= wanted))
    )
      break;
  }
  return census;
}

async function burst(side: LoadSide, calls: number, payload: Uint8Array): Promise<Answer[]> {
  const marks = { op: 'flush' as const, run: side.run, commit: side.commit, holdMs: HOLD_MS };
  return settleAll(
    Array.from({ length: calls }, async () => {
      const answer = await side.invoke(payload, marks);
      side.record(answer.invocation);
      return answer;
    }),
  );
}
