import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import { settleAll } from '../settle.ts';
import { HOLD_MS } from './instances.ts';
import type { Answer } from './invoke.ts';
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
/** Rounds in which Lambda let no call through. */
const MAX_LOST_ROUNDS = 2;
const PAUSE_MS = 1_000;

/**
 * Asks every instance to publish the window it holds. Nobody can address an instance, so rounds of concurrent calls
 * are sent until the answers account for every invocation, or a round finds nothing left. A flush runs no handler where
 * there is an agent, so what was throttled or lost is asked for again in the next round.
 * @throws MeasurementError when Lambda lets no call through
 */
export async function flushInstances(side: LoadSide, plan: FlushPlan, clock: Clock): Promise<FlushResult> {
  const replies: FlushReply[] = [];
  const maxMemoryMb = new Map<string, number>();
  let lostRounds = 0;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const answers = await settleAll(
      Array.from({ length: plan.instances }, async () => {
        const marks = { op: 'flush' as const, run: side.run, commit: side.commit, holdMs: HOLD_MS };
        const answer = await side.invoke(plan.payload, marks);
        side.record(answer.invocation);
        return answer;
      }),
    );
    const found: FlushReply[] = [];
    for (const { invocation, payload } of answers) {
      const reply = parseFlushReply(payload);
      if (!reply) continue;
      found.push(reply);
      const known = maxMemoryMb.get(reply.instance) ?? 0;
      maxMemoryMb.set(reply.instance, Math.max(known, invocation.report?.maxMemoryUsedMb ?? 0));
    }
    replies.push(...found);
    if (answers.length > 0 && answers.every(isLost)) {
      if (++lostRounds < MAX_LOST_ROUNDS) {
        await clock.sleep(PAUSE_MS);
        continue;
      }
      if (replies.length === 0) throw lostError(side.label, answers);
    }
    const published = found.some(({ invocations }) => invocations > 0);
    const covered = replies.reduce((sum, { invocations }) => sum + invocations, 0);
    if (covered >= plan.invocations || (!published && !answers.some(isLost)) || lostRounds >= MAX_LOST_ROUNDS)
      return { replies, rounds: round, maxMemoryMb };
  }
  return { replies, rounds: MAX_ROUNDS, maxMemoryMb };
}

/** Whether nobody knows what became of a call, or Lambda refused it. */
function isLost({ invocation: { status } }: Answer): boolean {
  return status === 'throttled' || status === 'service-error' || status === 'ambiguous';
}

function lostError(label: string, answers: Answer[]): MeasurementError {
  const types = [...new Set(answers.map(({ invocation }) => invocation.errorType ?? 'no answer'))].slice(0, 3);
  return new MeasurementError(
    `Cannot flush the instances of ${label}: none of ${answers.length} calls got through (${types.join(', ')}).`,
    'What was measured is lost: try again in some minutes.',
    [{ what: `Flush ${label}`, state: 'failed', found: `${answers.length} of ${answers.length} calls failed` }],
  );
}
