/**
 * The counters of one window: the invocations an instance ran between two snapshots. Only measured invocations count;
 * time between them, and CPU spent there, does not.
 */
export interface Window {
  run: string | null;
  commit: string | null;
  invocations: number;
  errors: number;
  /** 1 when the window holds the first invocation of the instance. */
  cold: number;
  /** Unix time of the first invocation's start and the last one's end; 0 while there is none. */
  startMs: number;
  endMs: number;
  /** Sum of the wall time of the handler, from its call until its promise settled. */
  activeMs: number;
  /** CPU of the whole process during that time: user and system, all threads (getrusage). */
  cpuMicros: number;
  /** Of that, the thread that runs JavaScript; null when not known. */
  threadCpuMicros: number | null;
  /** Bytes allocated on V8's heap during that time. */
  allocatedBytes: number;
  /** Wall time of each invocation; the first MAX_DURATIONS of the window. */
  readonly durationsMs: number[];
  /** Of the same invocations, eight digits of the request id each: who has the platform's reports can tell whose they are. */
  readonly requests: string[];
}

/** What one measured invocation adds to its window. */
export interface InvocationCost {
  /** Eight digits of the request id; empty when it is not known. */
  readonly request: string;
  readonly failed: boolean;
  readonly cold: boolean;
  readonly startMs: number;
  readonly durationMs: number;
  readonly cpuMicros: number;
  readonly threadCpuMicros: number | null;
  readonly allocatedBytes: number;
}

const MAX_DURATIONS = 10_000;
/** Of a flush's answer: 32 KB. */
const MAX_REQUESTS = 4_000;

/** An empty window of a run; null for invocations outside any run. */
export function createWindow(run: string | null, commit: string | null): Window {
  return {
    run,
    commit,
    invocations: 0,
    errors: 0,
    cold: 0,
    startMs: 0,
    endMs: 0,
    activeMs: 0,
    cpuMicros: 0,
    threadCpuMicros: null,
    allocatedBytes: 0,
    durationsMs: [],
    requests: [],
  };
}

/** Adds one finished invocation to a window, in place. */
export function addInvocation(window: Window, cost: InvocationCost): void {
  if (window.invocations === 0) window.startMs = cost.startMs;
  window.invocations++;
  if (cost.failed) window.errors++;
  if (cost.cold) window.cold = 1;
  window.endMs = cost.startMs + cost.durationMs;
  window.activeMs += cost.durationMs;
  window.cpuMicros += cost.cpuMicros;
  if (cost.threadCpuMicros !== null) window.threadCpuMicros = (window.threadCpuMicros ?? 0) + cost.threadCpuMicros;
  window.allocatedBytes += cost.allocatedBytes;
  if (window.durationsMs.length < MAX_DURATIONS) window.durationsMs.push(cost.durationMs);
  if (cost.request !== '' && window.requests.length < MAX_REQUESTS) window.requests.push(cost.request);
}

/** The q-quantile (0..1) of durations by the nearest-rank method; 0 when there is none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

/** CPU of a window in milliseconds, rounded to microseconds. */
export function cpuMs(window: Window): number {
  return round(window.cpuMicros / 1000);
}

/** Milliseconds with three decimals. */
export function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
