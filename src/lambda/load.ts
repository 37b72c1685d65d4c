import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import { seededRandom } from '../seeded-random.ts';
import type { Invocation, Invoke } from './invoke.ts';
import { type Payloads, payloadAt } from './payloads.ts';
import { dueTimes, type Rate, waitUntil } from './schedule.ts';
import { isWarm, ROUND_PER_INSTANCE } from './warmup.ts';

/** One version under load. */
export interface LoadSide {
  /** For messages, e.g. `orders:7`. */
  label: string;
  invoke: Invoke;
  run: string;
  commit: string;
  /** Hears of every attempt before it leaves, and of every call once nothing more will become of it. */
  sent(op: Invocation['op']): void;
  record(invocation: Invocation): void;
}

/** What is sent, to each side alike. */
export interface LoadPlan {
  payloads: Payloads;
  /** Measured invocations of a side. */
  invocations: number;
  /** Ends the measurement earlier, when given. */
  durationMs?: number;
  /** Run before the measurement and left out of every number. Not given: until durations are steady. */
  warmupInvocations?: number;
  /** Calls in flight: on demand, as many instances. */
  concurrency: number;
  /** An open loop. Not given: a closed loop, in which the next call leaves when the last is answered. */
  rate?: Rate;
  /** Decides jitter and which side goes first. */
  seed: string;
  /** No further call is sent after so long, warm-up included. */
  maxDurationMs: number;
}

export interface LoadProgress {
  op: 'warmup' | 'invoke';
  /** Of an automatic warm-up, from 1. */
  round?: number;
  done: number;
  /** Infinity when only the time is limited. */
  of: number;
  failed: number;
  throttled: number;
  /** Answers per second so far, over all sides. */
  perSecond: number;
  /** Estimate of the time left; Infinity before there is one. */
  leftMs: number;
}

/** A cancelled job: first no further call leaves, then those in flight are given up. */
export interface Interruption {
  stop: AbortSignal;
  abandon: AbortSignal;
}

/** Why no more was sent. */
export type LoadEnd = 'complete' | 'wall-cap' | 'interrupted';

/** How far a side may get ahead of the other, in calls of each worker. */
const LEAD_PER_WORKER = 4;
/** Thousands of calls a second need no thousand reports. */
const REPORT_EVERY_MS = 20;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 10_000;
/** So many lost in a row for each call in flight: the network or Lambda is broken, and every further call costs. */
const LOST_PER_WORKER = 2;
const FEWEST_LOST = 10;
/** More refusals than this for each call that ran: the account or the function has no room for the load. */
const THROTTLES_PER_INVOCATION = 5;

/**
 * Warms the instances of every side up, then measures. Two sides get the same payloads in the same order at the same
 * time: time of day, region and dependencies are then equal. In an open loop both calls leave together.
 * Throttled calls did not run and are sent again after a pause; nothing else is ever sent twice.
 * @throws MeasurementError when nothing can be measured: no warm-up call succeeds, or Lambda refuses nearly all
 */
export async function runLoad(
  sides: readonly LoadSide[],
  plan: LoadPlan,
  clock: Clock,
  onProgress: (progress: LoadProgress) => void,
  interruption?: Interruption,
): Promise<LoadEnd> {
  const deadlineMs = clock.monotonicMs() + plan.maxDurationMs;
  const signal = interruption?.stop;
  const random = seededRandom(plan.seed);
  const phase: Phase = { sides, plan, clock, onProgress, deadlineMs, random, signal, abandon: interruption?.abandon };
  if (plan.warmupInvocations === undefined) await warmUp(phase);
  else if (plan.warmupInvocations > 0) await sendAll({ ...phase, op: 'warmup', count: plan.warmupInvocations });
  if (signal?.aborted) return 'interrupted';
  await sendAll({ ...phase, op: 'invoke', count: plan.invocations });
  if (signal?.aborted) return 'interrupted';
  return clock.monotonicMs() >= deadlineMs ? 'wall-cap' : 'complete';
}

interface Phase {
  sides: readonly LoadSide[];
  plan: LoadPlan;
  clock: Clock;
  onProgress: (progress: LoadProgress) => void;
  deadlineMs: number;
  random: () => number;
  signal: AbortSignal | undefined;
  abandon: AbortSignal | undefined;
}

/** Rounds of warm-up calls until every side is steady. A round is a closed loop whatever the measurement is. */
async function warmUp(phase: Phase): Promise<void> {
  const rounds: number[][][] = phase.sides.map(() => []);
  while (!rounds.every(isWarm) && !phase.signal?.aborted && phase.clock.monotonicMs() < phase.deadlineMs) {
    const sides = phase.sides.map((side, i): LoadSide => {
      const durations: number[] = [];
      rounds[i]!.push(durations);
      const record = (invocation: Invocation): void => {
        if (invocation.status === 'succeeded' && invocation.report?.initDurationMs === undefined)
          durations.push(invocation.report?.durationMs ?? invocation.receivedMs - invocation.sentMs);
        side.record(invocation);
      };
      return { ...side, record };
    });
    const count = phase.plan.concurrency * ROUND_PER_INSTANCE;
    const round = rounds[0]!.length;
    const onProgress = (progress: LoadProgress): void => phase.onProgress({ ...progress, round });
    await sendAll({ ...phase, sides, onProgress, op: 'warmup', count });
  }
}

/** What a phase of the load did to one side. */
interface Tally {
  ran: number;
  succeeded: number;
  ambiguous: number;
  throttled: number;
  /** Calls in a row, the last ones, that were not answered, or with an error of Lambda's own. */
  lost: number;
  errorTypes: Set<string>;
}

async function sendAll(phase: Phase & { op: 'warmup' | 'invoke'; count: number }): Promise<void> {
  const { sides, plan, clock, op, count, deadlineMs, random, signal, abandon, onProgress } = phase;
  const tallies = sides.map(
    (): Tally => ({ ran: 0, succeeded: 0, ambiguous: 0, throttled: 0, lost: 0, errorTypes: new Set() }),
  );
  const startedMs = clock.monotonicMs();
  const endMs = Math.min(
    deadlineMs,
    op === 'invoke' && plan.durationMs !== undefined ? startedMs + plan.durationMs : Number.POSITIVE_INFINITY,
  );
  let broken: unknown;
  /** Calls in flight are not waited for when nothing will become of the measurement. */
  const lost = new AbortController();
  const giveUp = abandon ? AbortSignal.any([abandon, lost.signal]) : lost.signal;
  const isOver = (): boolean => broken !== undefined || signal?.aborted === true || clock.monotonicMs() >= endMs;

  let reportedMs = Number.NEGATIVE_INFINITY;
  const report = (): void => {
    const done = Math.min(...tallies.map(({ ran }) => ran));
    if (done < count && clock.monotonicMs() - reportedMs < REPORT_EVERY_MS) return;
    reportedMs = clock.monotonicMs();
    const sum = (pick: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + pick(tally), 0);
    const elapsedMs = clock.monotonicMs() - startedMs;
    const byTime = endMs - clock.monotonicMs();
    const byCount = done > 0 ? (elapsedMs / done) * (count - done) : Number.POSITIVE_INFINITY;
    onProgress({
      op,
      done,
      of: count,
      failed: sum(({ ran, succeeded }) => ran - succeeded),
      throttled: sum(({ throttled }) => throttled),
      perSecond: elapsedMs > 0 ? (sum(({ ran }) => ran) / elapsedMs) * 1000 : 0,
      leftMs: done === 0 && Number.isFinite(count) ? byCount : Math.max(0, Math.min(byCount, byTime)),
    });
  };

  const sendOne = async (side: LoadSide, tally: Tally, index: number, scheduledMs?: number): Promise<void> => {
    const marks = { op, run: side.run, commit: side.commit };
    const startedMs = clock.monotonicMs();
    const due = { scheduledMs: scheduledMs ?? startedMs, lateMs: Math.max(0, startedMs - (scheduledMs ?? startedMs)) };
    for (let attempts = 1, backoffMs = FIRST_BACKOFF_MS; ; attempts++) {
      side.sent(op);
      const { invocation } = await side.invoke(payloadAt(plan.payloads, index), marks, giveUp);
      const record: Invocation = { ...invocation, attempts, ...due };
      if (invocation.status !== 'throttled') {
        side.record(record);
        tally.ran++;
        if (invocation.status === 'succeeded') tally.succeeded++;
        else tally.errorTypes.add(invocation.errorType ?? 'Unknown');
        if (invocation.status === 'ambiguous') tally.ambiguous++;
        const isLost = invocation.status === 'ambiguous' || invocation.status === 'service-error';
        tally.lost = isLost ? tally.lost + 1 : 0;
        report();
        if (tally.lost >= Math.max(FEWEST_LOST, LOST_PER_WORKER * plan.concurrency) && !abandon?.aborted) {
          lost.abort();
          refuseHopeless(tally, side.label);
          throw lostError(side.label, tally);
        }
        return;
      }
      tally.throttled++;
      const hopeless = tally.throttled > THROTTLES_PER_INVOCATION * Math.max(10, Math.min(count, 10 + tally.ran));
      if (hopeless || isOver()) {
        side.record(record);
        if (hopeless || tally.ran === 0) throw throttledError(side.label, tally, invocation.errorType);
        return;
      }
      await clock.sleep(backoffMs * (0.5 + random()));
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
    }
  };

  const forward = [...sides.keys()];
  const backward = [...forward].reverse();
  /** Errors are kept until no call is in flight behind our back. */
  const keep = (error: unknown): void => {
    broken ??= error;
  };
  /** Which side goes first, by the seed. */
  const order = (): readonly number[] => (sides.length > 1 && random() < 0.5 ? backward : forward);
  /** One call to each side. */
  const sendPair = async (index: number, scheduledMs: number): Promise<void> => {
    await Promise.all(order().map((i) => sendOne(sides[i]!, tallies[i]!, index, scheduledMs).catch(keep)));
  };

  if (plan.rate && op === 'invoke') await openLoop(plan.rate, plan.concurrency, count, isOver, sendPair, phase);
  else
    await closedLoops(sides.length, { concurrency: plan.concurrency, count }, isOver, order, (i, index) =>
      sendOne(sides[i]!, tallies[i]!, index).catch(keep),
    );
  if (broken !== undefined) throw broken;
  for (const [i, side] of sides.entries()) refuseHopeless(tallies[i]!, side.label);
}

/**
 * `concurrency` workers for each side, each sending its next call when the last is answered. Workers do not wait for
 * those of the other side: fewer calls would be in flight then, Lambda prefers the instance that was used last, and some
 * instances would hardly get any. But no side gets further ahead than a few calls, so that both meet the same minute.
 * @param firstOf which side starts first
 */
async function closedLoops(
  sides: number,
  { concurrency, count }: { concurrency: number; count: number },
  isOver: () => boolean,
  firstOf: () => readonly number[],
  send: (side: number, index: number) => Promise<void>,
): Promise<void> {
  const next = Array.from({ length: sides }, () => 0);
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const resume of waiting.splice(0)) resume();
  };
  const worker = async (side: number): Promise<void> => {
    while (next[side]! < count && !isOver()) {
      if (next[side]! - Math.min(...next) >= LEAD_PER_WORKER * concurrency) {
        await new Promise<void>((resume) => waiting.push(resume));
        continue;
      }
      const call = send(side, next[side]!++);
      wake();
      await call;
    }
    wake();
  };
  const workers = Array.from({ length: Math.min(concurrency, count) }, firstOf);
  await Promise.all(workers.flatMap((order) => order.map(worker)));
}

/**
 * Calls leave when they are due, at most `concurrency` of them unanswered. When that binds, a call leaves late and its
 * latency still counts from when it was due: a slow function cannot hide its own delay.
 */
async function openLoop(
  rate: Rate,
  concurrency: number,
  count: number,
  isOver: () => boolean,
  send: (index: number, scheduledMs: number) => Promise<void>,
  { clock, random, signal }: Phase,
): Promise<void> {
  const startedMs = clock.monotonicMs();
  const due = dueTimes(rate, random);
  const inFlight = new Set<Promise<void>>();
  for (let index = 0; index < count; index++) {
    const scheduledMs = startedMs + due.next().value;
    await waitUntil(clock, scheduledMs, signal);
    while (inFlight.size >= concurrency) await Promise.race(inFlight);
    if (isOver()) break;
    const call = send(index, scheduledMs).finally(() => inFlight.delete(call));
    inFlight.add(call);
  }
  await Promise.all(inFlight);
}

function throttledError(
  label: string,
  { ran, throttled }: Tally,
  errorType = 'TooManyRequestsException',
): MeasurementError {
  return new MeasurementError(
    `Cannot measure ${label}: Lambda throttled ${throttled} calls (${errorType}).`,
    'Lower `concurrency`, or raise the reserved concurrency of the function or the quota of the account.',
    [{ what: `Invoke ${label}`, state: 'failed', found: `${ran} calls ran, ${throttled} were throttled` }],
  );
}

/** None of so many calls was answered. */
export function unansweredError(label: string, calls: number, errorTypes = 'no answer'): MeasurementError {
  return new MeasurementError(
    `Cannot invoke ${label}: none of ${calls} calls was answered (${errorTypes}).`,
    'Check the region of the function and the network.',
    [{ what: `Invoke ${label}`, state: 'failed', found: `${calls} of ${calls} calls failed: ${errorTypes}` }],
  );
}

function lostError(label: string, { ran, lost, errorTypes }: Tally): MeasurementError {
  const types = [...errorTypes].slice(0, 3).join(', ');
  return new MeasurementError(
    `Cannot measure ${label}: the last ${lost} calls were not answered, or by an error of Lambda (${types}).`,
    'Look at the log of the function and at the network, then try again.',
    [{ what: `Invoke ${label}`, state: 'failed', found: `${ran} calls left, the last ${lost} failed: ${types}` }],
  );
}

/** Nothing but failures: a broken function or network, not a slow one. */
function refuseHopeless({ ran, succeeded, ambiguous, errorTypes }: Tally, label: string): void {
  if (ran === 0 || succeeded > 0) return;
  const types = [...errorTypes].slice(0, 3).join(', ');
  const found = `${ran} of ${ran} calls failed: ${types}`;
  if (ambiguous === ran) throw unansweredError(label, ran, types);
  throw new MeasurementError(
    `Cannot measure ${label}: every one of its ${ran} invocations failed (${types}).`,
    'Look at the log of the function; check that `payload` is an event it understands.',
    [{ what: `Invoke ${label}`, state: 'failed', found }],
  );
}
