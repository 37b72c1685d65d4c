import { isCold } from './account.ts';
import type { Answer } from './invoke.ts';
import { type FlushReply, parseFlushReply, REQUEST_DIGITS } from './run-protocol.ts';

/** What the platform reported of one instance. */
export interface InstanceReports {
  /** Mean Billed Duration of its warm measured invocations; null when none of them is known. */
  billedMeanMs: number | null;
  /** Its init, or its restore from a SnapStart snapshot; null when it started before anybody watched. */
  initMs: number | null;
}

/**
 * Reports on their way to their instances. No answer of Lambda says which instance gave it, so the reports wait until
 * an agent tells, in its answer to a flush, which requests it ran.
 */
export interface PendingReports {
  /** Beginning of a request id, as a number -> Billed Duration of a warm call in ms, or the negative init of a cold one. */
  waiting: Map<number, number>;
  instances: Map<string, { billedMs: number; invocations: number; initMs: number | null }>;
}

/** Agents tell of 4,000 invocations a window: more are not waited for. */
const MOST_WAITING = 200_000;

export function createPendingReports(): PendingReports {
  return { waiting: new Map(), instances: new Map() };
}

/** Takes the report of an answer, and gives those that an agent claims to it; in place. */
export function noteAnswer(pending: PendingReports, { invocation, payload }: Answer): void {
  const { op, report } = invocation;
  const initMs = report && isCold(report) ? (report.initDurationMs ?? report.restoreDurationMs ?? 0) : null;
  if (op === 'flush') {
    const reply = parseFlushReply(payload);
    if (reply) claim(pending, reply, initMs);
  } else if (report && pending.waiting.size < MOST_WAITING) {
    // A number, for a piece of the log would keep all of it alive.
    const request = Number.parseInt(report.requestId.slice(0, REQUEST_DIGITS), 16);
    if (initMs !== null) pending.waiting.set(request, -initMs);
    else if (op === 'invoke') pending.waiting.set(request, report.billedDurationMs);
  }
}

function claim({ waiting, instances }: PendingReports, reply: FlushReply, initMs: number | null): void {
  const known = instances.get(reply.instance) ?? { billedMs: 0, invocations: 0, initMs: null };
  known.initMs ??= initMs;
  for (let i = 0; i < reply.requests.length; i += REQUEST_DIGITS) {
    const request = Number.parseInt(reply.requests.slice(i, i + REQUEST_DIGITS), 16);
    const value = waiting.get(request);
    if (value === undefined) continue;
    waiting.delete(request);
    if (value < 0) known.initMs ??= -value;
    else {
      known.billedMs += value;
      known.invocations++;
    }
  }
  instances.set(reply.instance, known);
}

/** What is known of each instance so far, by its name. */
export function reportsByInstance({ instances }: PendingReports): Map<string, InstanceReports> {
  return new Map(
    [...instances].map(([id, { billedMs, invocations, initMs }]) => [
      id,
      { billedMeanMs: invocations > 0 ? billedMs / invocations : null, initMs },
    ]),
  );
}
