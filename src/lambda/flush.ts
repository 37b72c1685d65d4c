import type { Invoke } from './invoke.ts';
import { type FlushReply, parseFlushReply } from './run-protocol.ts';

export interface FlushPlan {
  /** An ordinary event: a function without an agent handles it as one more call. */
  payload: Uint8Array;
  run: string;
  commit: string;
  /** Instances believed to be alive. */
  instances: number;
  /** Measured invocations that ran: when the answers account for all of them, nothing is left to flush. */
  invocations: number;
}

export interface FlushResult {
  /** Answers of agents, in order of arrival; several per instance are possible. Empty: no agent answered. */
  replies: FlushReply[];
  rounds: number;
  /** Flush calls that were sent: they run the function when there is no agent, so they are accounted for. */
  calls: number;
}

/** Concurrent calls of one round must not share an instance, so each instance holds its answer so long. */
const HOLD_MS = 250;
const MAX_ROUNDS = 6;

/**
 * Asks every instance to publish the window it holds. Nobody can address an instance, so rounds of concurrent calls
 * are sent until the answers account for every invocation, or a round finds nothing left.
 */
export async function flushInstances(invoke: Invoke, plan: FlushPlan): Promise<FlushResult> {
  const replies: FlushReply[] = [];
  let calls = 0;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const answers = await Promise.all(
      Array.from({ length: plan.instances }, () =>
        invoke(plan.payload, { op: 'flush', run: plan.run, commit: plan.commit, holdMs: HOLD_MS }),
      ),
    );
    calls += answers.length;
    const found = answers.flatMap(({ payload }) => parseFlushReply(payload) ?? []);
    replies.push(...found);
    const published = found.some(({ invocations }) => invocations > 0);
    const covered = replies.reduce((sum, { invocations }) => sum + invocations, 0);
    if (found.length === 0 || !published || covered >= plan.invocations) return { replies, rounds: round, calls };
  }
  return { replies, rounds: MAX_ROUNDS, calls };
}
