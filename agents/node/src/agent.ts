import type { AllocationMeter } from './allocation-meter.ts';
import type { CpuSampler, TimeProfile } from './cpu-sampler.ts';
import type { AllocationNode, HeapSampler } from './heap-sampler.ts';
import type { Failure, FlushReply, Mark, Published } from './protocol.ts';
import type { Publish, PublishResult, RawProfile } from './publish.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Settings } from './settings.ts';
import type { Reason } from './snapshot.ts';
import { addInvocation, cpuMs, createWindow, round, type Window } from './window.ts';

/** What the agent is made of; every part may throw, none of it reaches the handler. */
export interface Parts {
  readonly settings: Settings;
  /** Null when neither `cpu` nor `init` is published. */
  readonly cpu: CpuSampler | null;
  /** Null when `heap` is not published. */
  readonly heap: HeapSampler | null;
  readonly allocations: AllocationMeter;
  /** Loads the publishing half of the code, at the first publish. */
  readonly loadPublish: () => Promise<Publish>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly engine: string;
}

/** The process's clocks. */
export interface Clock {
  /** Unix time. */
  nowMs(): number;
  /** A clock that never jumps. */
  steadyMs(): number;
  /** CPU of the process so far: user and system, all threads. */
  cpuMicros(): number;
  /** Of that, the thread that runs JavaScript; null where Node.js does not tell. Right after `cpuMicros`, which brings it up to date. */
  threadCpuMicros(): number | null;
  sleep(ms: number): Promise<void>;
}

/** The agent as the handler's wrapper sees it. No method throws or rejects. */
export interface Agent {
  /** The function's modules are loaded: what follows is not init any more. */
  endInit(): void;
  /** An invocation starts. */
  begin(mark: Mark | null, request?: string): void;
  /** The invocation ended. A promise only when a window has to be published before the runtime goes on. */
  end(failed: boolean, remainingMs: () => number): Promise<void> | null;
  /** Publishes the window instead of an invocation, and answers with what was written. */
  flush(mark: Mark, remainingMs: () => number): Promise<FlushReply>;
}

/** What the samplers collected in one window. */
interface Collected {
  readonly window: Window;
  readonly cpu: TimeProfile | null;
  readonly heap: AllocationNode | null;
}

const FLUSH_BUDGET_MS = 2000;
/** Left of the invocation's time for the reply. */
const RESERVED_MS = 500;
const MAX_FAILURES = 3;
/** Windows of earlier runs that wait for the next flush; with it they fill the three rolling slots. */
const MAX_WAITING = 2;

/** Creates the agent of this process. Its samplers run already; from here on they are only rotated. */
export function createAgent(parts: Parts): Agent {
  const { settings, cpu, heap, allocations, clock } = parts;
  const started = { nowMs: clock.nowMs(), steadyMs: clock.steadyMs(), cpuMicros: clock.cpuMicros() };
  const rateLimit = createRateLimit({ burst: 3, everyMs: 1000, nowMs: started.steadyMs });
  let window = createWindow(null, null);
  let sequence = 0;
  let initEnded = false;
  let isCold = true;
  let warmedUp = false;
  let init: { readonly window: Window; readonly profile: TimeProfile } | null = null;
  let waiting: Collected[] = [];
  let current: {
    readonly request: string;
    readonly cold: boolean;
    readonly nowMs: number;
    readonly steadyMs: number;
    readonly cpu: number;
    readonly threadCpu: number | null;
  } | null = null;
  let publish: Publish | null = null;
  let failuresInARow = 0;
  let off: Failure | null = null;

  const turnOff = (code: string, message: string): void => {
    off = { type: firstType(settings), code, message };
    for (const sampler of [cpu, heap]) {
      try {
        sampler?.stop();
      } catch {
        // It cannot be stopped; it will not be asked again.
      }
    }
  };
  const noteFailure = (code: string, message: string): void => {
    if (++failuresInARow < MAX_FAILURES || off) return;
    turnOff(code, message);
    try {
      parts.log(`off after ${MAX_FAILURES} failures in a row, the last one: ${code}: ${message}`);
    } catch {
      // Nothing is left to tell it to.
    }
  };
  const guarded = <T>(step: () => T, otherwise: T): T => {
    try {
      return step();
    } catch (error) {
      noteFailure('InternalError', error instanceof Error ? error.message : String(error));
      return otherwise;
    }
  };
  const isOff = (): boolean => {
    if (!off && clock.nowMs() >= settings.untilMs) turnOff('Expired', 'LAMBDA_PROFILE_UNTIL has passed.');
    return off !== null;
  };

  /** Takes what the samplers have of the window; the heap sampler stands still until `resume`. */
  const collect = (): Collected => ({
    window,
    cpu: settings.types.has('cpu') ? (cpu?.rotate() ?? null) : null,
    heap: heap?.take() ?? null,
  });

  /** The agent has done its own work: what follows is the runtime's and the function's again. */
  const resume = (hasCollected: boolean): void => {
    if (off) return;
    guarded(() => {
      if (hasCollected) heap?.resume();
      cpu?.setPhase('runtime');
    }, undefined);
  };

  /** Puts the invocation into a window; false when it belongs to none. */
  const admit = (mark: Mark | null): boolean => {
    if (mark?.op === 'warmup') {
      warmedUp = true;
      return false;
    }
    if (!mark?.run) {
      if (settings.mode === 'marker') return false;
      // Other callers' traffic never mixes with a run; once the run has been flushed, it gets a window of its own.
      if (window.run !== null && window.invocations === 0) window = createWindow(null, null);
      return window.run === null;
    }
    if (mark.run !== window.run || (warmedUp && window.invocations === 0)) {
      const before = collect();
      heap?.resume();
      if (before.window.run !== null && before.window.invocations > 0)
        waiting = [...waiting, before].slice(-MAX_WAITING);
      window = createWindow(mark.run, mark.commit);
      warmedUp = false;
    }
    return true;
  };

  const finish = (failed: boolean): void => {
    if (!current) return;
    const { request, cold, nowMs, steadyMs, cpu: cpuAtStart, threadCpu: threadCpuAtStart } = current;
    current = null;
    const cpuMicros = clock.cpuMicros() - cpuAtStart;
    const threadCpu = clock.threadCpuMicros();
    const durationMs = clock.steadyMs() - steadyMs;
    addInvocation(window, {
      request,
      failed,
      cold,
      startMs: nowMs,
      durationMs,
      cpuMicros,
      threadCpuMicros: threadCpu === null || threadCpuAtStart === null ? null : threadCpu - threadCpuAtStart,
      allocatedBytes: allocations.end(),
    });
  };

  /** Stores one collected window; the first one takes the cold start's profile along. */
  const store = async (collected: Collected, reason: Reason, budgetMs: number): Promise<PublishResult> => {
    const facts = {
      window: collected.window,
      sequence: sequence++,
      reason,
      engine: parts.engine,
      flags: cpu?.flags ?? [],
      arch: process.arch === 'x64' ? 'x86_64' : process.arch,
      nodeVersion: process.version,
    };
    const profiles: RawProfile[] = [];
    if (collected.cpu) profiles.push({ type: 'cpu', profile: collected.cpu, facts });
    if (collected.heap) profiles.push({ type: 'heap', profile: collected.heap, facts });
    if (init) {
      const { run, commit } = collected.window;
      profiles.push({
        type: 'init',
        profile: init.profile,
        facts: { ...facts, window: { ...init.window, run, commit } },
      });
      init = null;
    }
    publish ??= await parts.loadPublish();
    const result = await publish(profiles, AbortSignal.timeout(Math.max(1, Math.floor(budgetMs))));
    const last = result.failures.at(-1);
    if (last) noteFailure(last.code, last.message);
    else failuresInARow = 0;
    return result;
  };

  const storeQuietly = async (collected: Collected, reason: Reason, budgetMs: number): Promise<PublishResult> => {
    try {
      return await store(collected, reason, budgetMs);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      noteFailure('InternalError', message);
      return { published: [], failures: [{ type: firstType(settings), code: 'InternalError', message }] };
    }
  };

  const reply = (of: Window, published: readonly Published[], failures: readonly Failure[]): FlushReply => ({
    'lambda-profile': {
      v: 1,
      instance: settings.instance,
      run: of.run ?? '',
      invocations: of.invocations,
      errors: of.errors,
      cpuMs: cpuMs(of),
      activeMs: round(of.activeMs),
      requests: of.requests.join(''),
      published,
      failures,
    },
  });
  const nothing = (mark: Mark, failure: Failure | null): FlushReply =>
    reply(createWindow(mark.run, mark.commit), [], failure ? [failure] : []);

  return {
    endInit() {
      if (initEnded || isOff()) return;
      initEnded = true;
      guarded(() => {
        cpu?.setPhase('runtime');
        if (!cpu || !settings.types.has('init')) return;
        const ended = createWindow(null, null);
        ended.cold = 1;
        ended.startMs = started.nowMs;
        ended.endMs = clock.nowMs();
        ended.activeMs = clock.steadyMs() - started.steadyMs;
        ended.cpuMicros = clock.cpuMicros() - started.cpuMicros;
        init = { window: ended, profile: cpu.rotate() };
        if (!settings.types.has('cpu')) cpu.stop();
      }, undefined);
    },

    begin(mark, request = '') {
      if (isOff()) return;
      guarded(() => {
        finish(false); // A callback handler that returned without calling back.
        const cold = isCold;
        isCold = false;
        const measured = admit(mark);
        cpu?.setPhase(measured ? 'invocation' : 'ignored');
        if (!measured) return;
        allocations.begin();
        current = {
          request,
          cold,
          nowMs: clock.nowMs(),
          steadyMs: clock.steadyMs(),
          cpu: clock.cpuMicros(),
          threadCpu: clock.threadCpuMicros(),
        };
      }, undefined);
    },

    end(failed, remainingMs) {
      if (off) return null;
      return guarded(() => {
        finish(failed);
        cpu?.setPhase('runtime');
        const isFull =
          (window.run === null && settings.maxInvocations > 0 && window.invocations >= settings.maxInvocations) ||
          (window.invocations > 0 && cpu?.isNearlyFull() === true);
        if (!isFull) return null;
        const budgetMs = Math.min(FLUSH_BUDGET_MS, remainingMs() - RESERVED_MS);
        if (budgetMs <= 0 || rateLimit.take(clock.steadyMs()) > 0) return null;
        cpu?.setPhase('ignored');
        const collected = collect();
        window = createWindow(window.run, window.commit);
        return storeQuietly(collected, 'count', budgetMs).then(() => resume(true));
      }, null);
    },

    async flush(mark, remainingMs) {
      if (isOff()) return nothing(mark, off);
      let collected: Collected | null = null;
      try {
        finish(false);
        cpu?.setPhase('ignored');
        if (mark.holdMs > 0 && mark.holdMs < remainingMs() - RESERVED_MS) await clock.sleep(mark.holdMs);
        const deadlineMs = clock.steadyMs() + Math.min(FLUSH_BUDGET_MS, remainingMs() - RESERVED_MS);
        const timeLeftMs = () => deadlineMs - clock.steadyMs();
        // Another run's window is not this flush's to publish: its own flush, or the next run, takes it.
        if (window.invocations === 0 || (mark.run !== null && mark.run !== window.run)) {
          return nothing(mark, null);
        }
        const waitMs = rateLimit.take(clock.steadyMs());
        if (waitMs > 0) {
          if (waitMs >= timeLeftMs()) return nothing(mark, overrun(settings));
          await clock.sleep(waitMs);
          rateLimit.take(clock.steadyMs());
        }
        if (timeLeftMs() <= 0) return nothing(mark, overrun(settings));
        collected = collect();
        window = createWindow(window.run, window.commit);
        const { published, failures } = await storeQuietly(collected, 'flush', timeLeftMs());
        for (const earlier of waiting.splice(0)) {
          if (timeLeftMs() > 0) await storeQuietly(earlier, 'run-change', timeLeftMs());
        }
        return reply(collected.window, published, failures);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        noteFailure('InternalError', message);
        return nothing(mark, { type: firstType(settings), code: 'InternalError', message });
      } finally {
        resume(collected !== null);
      }
    },
  };
}

function firstType(settings: Settings): string {
  return settings.types.values().next().value ?? 'cpu';
}

function overrun(settings: Settings): Failure {
  return {
    type: firstType(settings),
    code: 'Timeout',
    message: 'Too little of the invocation is left to publish; the window is kept. Raise the timeout of the function.',
  };
}
