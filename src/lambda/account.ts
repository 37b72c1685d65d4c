import { billedAsDocumented, type InvocationReport } from './invocation-report.ts';
import type { Invocation } from './invoke.ts';
import { addValue, createSketch, mergeSketches, type QuantileSketch } from './quantile-sketch.ts';

/**
 * What became of every call of one measured version, in bounded memory whatever their number.
 * `sent` is counted when a call leaves, the rest when it is answered: `sent = succeeded + failed + throttled +
 * ambiguous` is a check, not a definition.
 */
export interface Account {
  /** Calls that brought instances up, warmed them, flushed them or kept them busy: in no other number. */
  warmup: number;
  flush: number;
  /** Measured calls, every attempt. */
  sent: number;
  succeeded: number;
  /** The handler failed, or Lambda answered 5xx. */
  failed: number;
  /** Refused attempts: nothing ran. */
  throttled: number;
  /** No answer: nobody knows whether it ran. */
  ambiguous: number;
  /** Measured calls that left more than 10 ms after their time. */
  late: number;
  /** Instances that started, in calls of any kind: each reports its init once. */
  coldStarts: number;
  /** Measured calls that started one. */
  coldInvocations: number;
  /** Client latency of measured calls that were answered, from their scheduled time, in ms. */
  latencyMs: QuantileSketch;
  /** REPORT Duration and Billed Duration of warm measured calls, in ms. */
  durationMs: QuantileSketch;
  billedMs: QuantileSketch;
  /** Of any call: init, or restore from a SnapStart snapshot. */
  initMs: number[];
  maxMemoryMb: number;
  /** Measured calls that ran, but whose log tail held no report. */
  unreported: number;
  /** Error type -> measured calls. At most {@link MOST_ERROR_TYPES}. */
  errorTypes: Map<string, number>;
  /** Reports whose Billed Duration is not what AWS documents; the first one, as seen. */
  billedBreaches: number;
  firstBreach: string;
}

export const LATE_MS = 10;
const MOST_ERROR_TYPES = 50;
const MOST_INITS = 10_000;

export function createAccount(): Account {
  return {
    warmup: 0,
    flush: 0,
    sent: 0,
    succeeded: 0,
    failed: 0,
    throttled: 0,
    ambiguous: 0,
    late: 0,
    coldStarts: 0,
    coldInvocations: 0,
    latencyMs: createSketch(),
    durationMs: createSketch(),
    billedMs: createSketch(),
    initMs: [],
    maxMemoryMb: 0,
    unreported: 0,
    errorTypes: new Map(),
    billedBreaches: 0,
    firstBreach: '',
  };
}

/** Counts one attempt that is about to leave, in place. */
export function countSent(account: Account, op: Invocation['op']): void {
  if (op === 'invoke') account.sent++;
}

/** Counts one record, in place. */
export function addInvocation(account: Account, invocation: Invocation): void {
  const { op, status, report } = invocation;
  if (report) countReport(account, report);
  if (op === 'warmup') account.warmup++;
  if (op === 'flush') account.flush++;
  if (op !== 'invoke') return;
  account.throttled += invocation.attempts - 1;
  if (status === 'succeeded') account.succeeded++;
  else if (status === 'throttled') account.throttled++;
  else if (status === 'ambiguous') account.ambiguous++;
  else account.failed++;
  if (status !== 'succeeded') countError(account, invocation.errorType ?? 'Unknown');
  if (invocation.lateMs > LATE_MS) account.late++;
  if (status !== 'ambiguous' && status !== 'throttled') addValue(account.latencyMs, latencyMs(invocation));
  if (ran(invocation) && !report) account.unreported++;
  // A cold invocation is another population: its duration is left out, its init has a place of its own.
  if (report && isCold(report)) account.coldInvocations++;
  else if (report) {
    addValue(account.durationMs, report.durationMs);
    addValue(account.billedMs, report.billedDurationMs);
  }
}

/** From when a call was due until its answer: what it waited, throttling included, and what Lambda took. */
export function latencyMs({ attempts, scheduledMs, lateMs, sentMs, receivedMs }: Invocation): number {
  return attempts > 1 ? receivedMs - scheduledMs : lateMs + receivedMs - sentMs;
}

function ran({ status }: Invocation): boolean {
  return status === 'succeeded' || status === 'function-error';
}

/** The first invocation of an instance, by its own account. */
export function isCold(report: InvocationReport): boolean {
  return report.initDurationMs !== undefined || report.restoreDurationMs !== undefined;
}

function countReport(account: Account, report: InvocationReport): void {
  account.maxMemoryMb = Math.max(account.maxMemoryMb, report.maxMemoryUsedMb);
  if (isCold(report)) {
    account.coldStarts++;
    if (account.initMs.length < MOST_INITS) account.initMs.push(report.initDurationMs ?? report.restoreDurationMs ?? 0);
  }
  if (billedAsDocumented(report)) return;
  account.billedBreaches++;
  const { durationMs, initDurationMs, billedRestoreDurationMs, billedDurationMs } = report;
  account.firstBreach ||= `billed ${billedDurationMs} ms for ${[durationMs, initDurationMs, billedRestoreDurationMs].filter((part) => part !== undefined).join(' + ')} ms`;
}

function countError(account: Account, type: string): void {
  const known = account.errorTypes.get(type);
  if (known === undefined && account.errorTypes.size >= MOST_ERROR_TYPES) return;
  account.errorTypes.set(type, (known ?? 0) + 1);
}

/** Both accounts as one: associative, and the order of the parts does not show. */
export function mergeAccounts(a: Account, b: Account): Account {
  const errorTypes = new Map(a.errorTypes);
  for (const [type, count] of b.errorTypes) errorTypes.set(type, (errorTypes.get(type) ?? 0) + count);
  return {
    warmup: a.warmup + b.warmup,
    flush: a.flush + b.flush,
    sent: a.sent + b.sent,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    throttled: a.throttled + b.throttled,
    ambiguous: a.ambiguous + b.ambiguous,
    late: a.late + b.late,
    coldStarts: a.coldStarts + b.coldStarts,
    coldInvocations: a.coldInvocations + b.coldInvocations,
    latencyMs: mergeSketches(a.latencyMs, b.latencyMs),
    durationMs: mergeSketches(a.durationMs, b.durationMs),
    billedMs: mergeSketches(a.billedMs, b.billedMs),
    initMs: [...a.initMs, ...b.initMs].sort((x, y) => x - y).slice(0, MOST_INITS),
    maxMemoryMb: Math.max(a.maxMemoryMb, b.maxMemoryMb),
    unreported: a.unreported + b.unreported,
    errorTypes: new Map([...errorTypes].sort(([x], [y]) => (x < y ? -1 : 1)).slice(0, MOST_ERROR_TYPES)),
    billedBreaches: a.billedBreaches + b.billedBreaches,
    firstBreach: [a.firstBreach, b.firstBreach].filter(Boolean).sort()[0] ?? '',
  };
}

/** Invocations that ran, whatever came of them. */
export function countRan(account: Account): number {
  return account.sent - account.throttled;
}

/**
 * Every call is accounted for: what left came back as one of four.
 * @throws Error when not, which is a mistake of ours
 */
export function assertBalanced({ sent, succeeded, failed, throttled, ambiguous }: Account): void {
  if (sent === succeeded + failed + throttled + ambiguous) return;
  throw new Error(
    `The account of invocations does not balance: ${sent} sent, ${succeeded} succeeded, ${failed} failed, ${throttled} throttled, ${ambiguous} ambiguous.`,
  );
}

/** What a reader of the numbers must know, as sentences. @param label the version, e.g. `orders:7` */
export function accountWarnings(account: Account, label: string): string[] {
  const warnings: string[] = [];
  const { sent, throttled, ambiguous, late, unreported, billedBreaches, durationMs } = account;
  if (throttled > 0.01 * sent)
    warnings.push(
      `Lambda throttled ${throttled} of ${sent} calls to ${label}; they were sent again. Lower concurrency, or raise the quota.`,
    );
  if (ambiguous > 0)
    warnings.push(
      `${ambiguous} of ${sent} calls to ${label} were not answered; whether they ran is not known, and none was sent again.`,
    );
  if (late > 0)
    warnings.push(
      `${late} of ${sent} calls to ${label} left more than ${LATE_MS} ms late, because ${label} did not keep up with the rate or this machine was busy. Their latency counts from the scheduled time.`,
    );
  if (unreported > 0.05 * (account.succeeded + account.failed) && durationMs.count > 0)
    warnings.push(`${unreported} of ${sent} answers of ${label} came without a REPORT line: durations lack them.`);
  if (durationMs.count === 0 && account.succeeded > 0)
    warnings.push(
      `No answer of ${label} came with a REPORT line, so durations and cost are not known. Set SystemLogLevel of the function's LoggingConfig to INFO.`,
    );
  if (billedBreaches > 0)
    warnings.push(
      `${billedBreaches} reports of ${label} do not add up (${account.firstBreach}; AWS documents duration + init + billed restore, rounded up): do not rely on its billed time and cost.`,
    );
  return warnings;
}
