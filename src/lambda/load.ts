import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import type { Answer, Invocation, Invoke } from './invoke.ts';
import { type Payloads, payloadAt } from './payloads.ts';

export interface LoadPlan {
  /** For messages, e.g. `orders:7`. */
  label: string;
  payloads: Payloads;
  /** Measured invocations, over all instances. */
  invocations: number;
  /** Run before the measurement and left out of every number. At least one for each instance. */
  warmupInvocations: number;
  /** Calls in flight: on demand, as many instances. */
  concurrency: number;
  run: string;
  commit: string;
  /** No further call is sent after so long. */
  maxDurationMs: number;
}

export interface LoadProgress {
  op: 'warmup' | 'invoke';
  done: number;
  of: number;
  failed: number;
}

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 10_000;
/** More refusals than this for each call that ran: the account or the function has no room for the load. */
const THROTTLES_PER_INVOCATION = 5;

/**
 * A closed loop: `concurrency` workers, each sending its next event when the last is answered, first to warm the
 * instances up, then to measure. Throttled calls did not run and are sent again after a pause; nothing else is ever
 * sent twice. Every call becomes one record, the throttled ones too.
 * @throws MeasurementError when nothing can be measured: no warm-up call succeeds, or Lambda refuses nearly all
 */
export async function runLoad(
  invoke: Invoke,
  plan: LoadPlan,
  clock: Clock,
  onProgress: (progress: LoadProgress) => void,
): Promise<Invocation[]> {
  const deadlineMs = clock.monotonicMs() + plan.maxDurationMs;
  const warmup = await sendAll(invoke, plan, 'warmup', plan.warmupInvocations, clock, deadlineMs, onProgress);
  refuseHopeless(warmup, plan.label);
  const measured = await sendAll(invoke, plan, 'invoke', plan.invocations, clock, deadlineMs, onProgress);
  refuseHopeless(measured, plan.label);
  return [...warmup, ...measured];
}

async function sendAll(
  invoke: Invoke,
  plan: LoadPlan,
  op: 'warmup' | 'invoke',
  count: number,
  clock: Clock,
  deadlineMs: number,
  onProgress: (progress: LoadProgress) => void,
): Promise<Invocation[]> {
  const invocations: Invocation[] = [];
  let next = 0;
  let done = 0;
  let failed = 0;
  let throttled = 0;
  let broken: unknown;

  const send = async (index: number): Promise<void> => {
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)) {
      const { invocation }: Answer = await invoke(payloadAt(plan.payloads, index), {
        op,
        run: plan.run,
        commit: plan.commit,
      });
      invocations.push(invocation);
      if (invocation.status !== 'throttled') {
        done++;
        if (invocation.status !== 'succeeded') failed++;
        onProgress({ op, done, of: count, failed });
        return;
      }
      if (++throttled > THROTTLES_PER_INVOCATION * count || clock.monotonicMs() >= deadlineMs)
        throw new MeasurementError(
          `Cannot measure ${plan.label}: Lambda throttled ${throttled} calls (${invocation.errorType}).`,
          'Lower `concurrency`, or raise the reserved concurrency of the function or the quota of the account.',
          [{ what: `Invoke ${plan.label}`, state: 'failed', found: `${done} calls ran, ${throttled} were throttled` }],
        );
      await clock.sleep(backoffMs);
    }
  };

  const worker = async (): Promise<void> => {
    while (next < count && broken === undefined && clock.monotonicMs() < deadlineMs) {
      const index = next++;
      try {
        await send(index);
      } catch (error) {
        broken ??= error;
      }
    }
  };

  // All workers end before an error leaves: no call is in flight behind our back.
  await Promise.all(Array.from({ length: Math.min(plan.concurrency, count) }, worker));
  if (broken !== undefined) throw broken;
  return invocations;
}

/** Nothing but failures: a broken function or network, not a slow one. */
function refuseHopeless(invocations: Invocation[], label: string): void {
  const ran = invocations.filter(({ status }) => status !== 'throttled');
  if (ran.length === 0 || ran.some(({ status }) => status === 'succeeded')) return;
  const ambiguous = ran.filter(({ status }) => status === 'ambiguous');
  const types = [...new Set(ran.map(({ errorType }) => errorType ?? 'Unknown'))].slice(0, 3).join(', ');
  const found = `${ran.length} of ${ran.length} calls failed: ${types}`;
  if (ambiguous.length === ran.length)
    throw new MeasurementError(
      `Cannot invoke ${label}: none of ${ran.length} calls was answered (${types}).`,
      'Check the region of the function and the network of the runner.',
      [{ what: `Invoke ${label}`, state: 'failed', found }],
    );
  throw new MeasurementError(
    `Cannot measure ${label}: every one of its ${ran.length} invocations failed (${types}).`,
    'Look at the log of the function; check that `payload` is an event it understands.',
    [{ what: `Invoke ${label}`, state: 'failed', found }],
  );
}

/** How many instances started: each on-demand instance reports its init (or restore) exactly once. */
export function countColdStarts(invocations: Invocation[]): number {
  return invocations.filter(
    ({ report }) => report?.initDurationMs !== undefined || report?.restoreDurationMs !== undefined,
  ).length;
}
