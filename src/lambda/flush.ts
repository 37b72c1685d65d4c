import { HOLD_MS } from './instances.ts';
import type { LoadSide } from './load.ts';
import { type FlushReply, parseFlushReply } from './run-protocol.ts';

export interface FlushPlan {
  /** An ordinary event: a function without an agent handles it as one more call. */
  payload: Uint8Array;
  /** Instances believed to be alive. */
  instances: number;
  /** Measured invocations that ran: when the answers account for all of them, nothing is left to flush. Infinity: ask until nobody has anything. */
  invocations: number;
}

export interface FlushResult {
  /** Answers of agents, in order of arrival; several per instance are possible. Empty: no agent answered. */
  replies: FlushReply[];
  rounds: number;
  /** Largest memory of an instance's process in MB, told by the REPORT of its own flush. */
  maxMemoryMb: Map<string, number>;
}

const MAX_ROUNDS = 6;

/**
 * Asks every instance to publish the window it holds. Nobody can address an instance, so rounds of concurrent calls
 * are sent until the answers account for every invocation, or a round finds nothing left.
 */
export async function flushInstances(side: LoadSide, plan: FlushPlan): Promise<FlushResult> {
  const replies: FlushReply[] = [];
  const maxMemoryMb = new Map<string, number>();
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const answers = await Promise.all(
      Array.from({ length: plan.instances }, () =>
        side.invoke(plan.payload, { op: 'flush', run: side.run, commit: side.commit, holdMs: HOLD_MS }),
      ),
    );
    const found: FlushReply[] = [];
    for (const { invocation, payload } of answers) {
      side.record(invocation);
      const reply = parseFlushReply(payload);
      if (!reply) continue;
      found.push(reply);
      const known = maxMemoryMb.get(reply.instance) ?? 0;
      maxMemoryMb.set(reply.instance, Math.max(known, invocation.report?.maxMemoryUsedMb ?? 0));
    }
    replies.push(...found);
    const published = found.some(({ invocations }) => invocations > 0);
    const covered = replies.reduce((sum, { invocations }) => sum + invocations, 0);
    if (found.length === 0 || !published || covered >= plan.invocations) return { replies, rounds: round, maxMemoryMb };
  }
  return { replies, rounds: MAX_ROUNDS, maxMemoryMb };
}
