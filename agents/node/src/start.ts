import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { ENGINE } from './addon.ts';
import { type Agent, type Clock, createAgent } from './agent.ts';
import { createAllocationMeter } from './allocation-meter.ts';
import { startCpuSampler } from './cpu-sampler.ts';
import { startHeapSampler } from './heap-sampler.ts';
import { readSettings } from './settings.ts';

const STARTED = Symbol.for('lambda-profile.agent');

const clock: Clock = {
  nowMs: () => Date.now(),
  steadyMs: () => performance.now(),
  cpuMicros() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  threadCpuMicros() {
    // Since Node.js 22.19.
    const { user, system } = process.threadCpuUsage?.() ?? { user: Number.NaN, system: 0 };
    return Number.isNaN(user) ? null : user + system;
  },
  sleep: (ms) => sleep(ms),
};

/**
 * Starts the agent of this process from its environment, or returns null when it is to stay off: not configured,
 * switched off, or not possible here. Never throws. A second call returns the same agent, so that the layer and
 * `scheduleProfileLoop` can be used together.
 */
export function startAgent(env: NodeJS.ProcessEnv, log: (line: string) => void): Agent | null {
  const shared = globalThis as { [STARTED]?: Agent | null };
  if (shared[STARTED] === undefined) shared[STARTED] = start(env, log);
  return shared[STARTED];
}

function start(env: NodeJS.ProcessEnv, log: (line: string) => void): Agent | null {
  try {
    const result = readSettings(env, clock.nowMs(), randomInstance);
    if (!result.on) {
      // Once: the threads of a Managed Instance all come here.
      if (result.notice && threadId <= 1) log(`off: ${result.notice}`);
      return null;
    }
    const { settings } = result;
    const { types } = settings;
    // First the sampler: nothing it should see has run yet.
    const cpu = types.has('cpu') || types.has('init') ? startCpuSampler(settings.intervalUs) : null;
    const heap = types.has('heap') ? startHeapSampler(settings.heapIntervalBytes) : null;
    return createAgent({
      settings,
      cpu,
      heap,
      allocations: createAllocationMeter(),
      loadPublish: async () => (await import('./publish.ts')).createPublish(settings),
      clock,
      log,
      engine: ENGINE,
    });
  } catch (error) {
    log(`off: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function randomInstance(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
