import v8 from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { loadAddon } from './addon.ts';

/**
 * What the process is doing when a sample is taken. Only `invocation` is the function's own work; `runtime` is the
 * runtime client between invocations, `ignored` is the agent itself and calls the window does not measure.
 */
export type Phase = 'init' | 'invocation' | 'runtime' | 'ignored';

/** One node of the call tree as the native profiler returns it; lines and columns count from 1, 0 = unknown. */
export interface TimeNode {
  readonly name: string;
  readonly scriptName: string;
  readonly scriptId: number;
  readonly lineNumber: number;
  readonly columnNumber: number;
  readonly hitCount: number;
  readonly children: readonly TimeNode[];
  /** One entry per sample; cpuTime is the CPU of this thread since the sample before it, in nanoseconds. */
  readonly contexts?: readonly { readonly context?: unknown; readonly cpuTime?: number }[];
}

/** CPU samples since the last rotation. */
export interface TimeProfile {
  readonly topDownRoot: TimeNode;
  /** CPU of all threads that do not run JavaScript: garbage collector, compilers, libuv, the sampler. Nanoseconds. */
  readonly nonJSThreadsCpuTime?: number;
}

/** A running sampler. It is never stopped while the function lives, only rotated. */
export interface CpuSampler {
  /** V8 flags this sampler needed to attribute samples correctly. */
  readonly flags: readonly string[];
  /** Says what the following samples belong to; costs less than a microsecond. */
  setPhase(phase: Phase): void;
  /** True when the sample buffer is so full that the window has to end. */
  isNearlyFull(): boolean;
  /** Ends the current profile and begins the next; 2 to 4 ms at 1 kHz. */
  rotate(): TimeProfile;
  /** Ends sampling for good. */
  stop(): void;
}

/** The sample buffer holds one longest possible invocation (15 minutes) on top of a window that is nearly full. */
const LONGEST_INVOCATION_MS = 900_000;
const NEARLY_FULL_MS = 180_000;
/** Of v8ProfilerStuckEventLoopDetected(): a profile without a single hit. */
const CERTAINLY_STUCK = 2;
/** Signals after which a profile without hits cannot be chance. */
const ENOUGH_SAMPLES = 50;

/**
 * Starts the sampler: @datadog/pprof's TimeProfiler with the thread's CPU clock. Call it before any user code loads;
 * starting later costs more (V8 logs all code that exists) and attributes inlined code to its caller.
 */
export function startCpuSampler(intervalUs: number): CpuSampler {
  const addon = loadAddon();
  const flags = attributionFlags();
  for (const flag of flags) v8.setFlagsFromString(flag);
  const profiler = new addon.TimeProfiler({
    intervalMicros: intervalUs,
    // Reserved, not touched: 48 bytes of address space for each half interval.
    durationMillis: LONGEST_INVOCATION_MS,
    lineNumbers: false,
    withContexts: true,
    workaroundV8Bug: true,
    collectCpuTime: true,
    collectAsyncId: false,
    useCPED: false,
    CPEDKey: undefined,
    isMainThread,
  });
  profiler.start();
  profiler.context = 'init';
  let running = true;
  const stop = (): void => {
    if (!running) return;
    running = false;
    profiler.stop(false);
    profiler.dispose();
  };
  // A profiling signal that arrives while the process tears down can crash it.
  process.once('exit', stop);

  const sampleCount = (): number => profiler.state[addon.constants.kSampleCount] ?? 0;
  const nearlyFull = (NEARLY_FULL_MS * 1000) / intervalUs;
  return {
    flags,
    setPhase(phase) {
      if (running) profiler.context = phase;
    },
    isNearlyFull: () => running && sampleCount() > nearlyFull,
    rotate() {
      if (!running) throw new Error('The CPU sampler has been stopped.');
      const samples = sampleCount();
      const profile = profiler.stop(true);
      // V8's event processor can get stuck and then returns empty profiles; only a restart frees it. A restart logs all
      // code anew and attributes inlined code wrongly, so not for a profile that is empty because it was short.
      if (profiler.v8ProfilerStuckEventLoopDetected() === CERTAINLY_STUCK && samples >= ENOUGH_SAMPLES) {
        profiler.stop(false);
        profiler.start();
      }
      return profile;
    },
    stop,
  };
}

/**
 * V8 charges loops of an inlined function to the function it was inlined into: half of a handler's CPU can end up in the
 * handler itself. So functions of more than 100 bytes of bytecode (V8's own bound is 460) stay functions, while getters,
 * vector and hash helpers are inlined as ever; on V8 13.6 (Node.js 24) Maglev must not inline at all. Both sides of a
 * comparison run with the same flags; they are part of the fingerprint.
 */
function attributionFlags(): string[] {
  const smallOnly = '--max-inlined-bytecode-size=100';
  return process.versions.v8.startsWith('13.6.') ? [smallOnly, '--no-maglev-inlining'] : [smallOnly];
}
