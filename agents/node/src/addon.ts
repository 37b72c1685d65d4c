import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { TimeProfile } from './cpu-sampler.ts';
import type { AllocationNode } from './heap-sampler.ts';

/** What is used of @datadog/pprof's native addon. Its JavaScript costs 25 ms of CPU to load, and is not needed. */
export interface Addon {
  readonly TimeProfiler: new (options: Readonly<Record<string, unknown>>) => NativeTimeProfiler;
  readonly heapProfiler: {
    startSamplingHeapProfiler(intervalBytes: number, stackDepth: number, allocations: boolean): void;
    stopSamplingHeapProfiler(): void;
    getAllocationProfile(): AllocationNode;
  };
  readonly constants: { readonly kSampleCount: number };
}

/** The native CPU profiler of one thread. */
export interface NativeTimeProfiler {
  context: unknown;
  readonly state: Uint32Array;
  start(): void;
  stop(restart: boolean): TimeProfile;
  dispose(): void;
  v8ProfilerStuckEventLoopDetected(): number;
}

/** Name and version of the engine, as snapshots report it. */
export const ENGINE = 'dd-pprof/5.20.0';

/**
 * Loads the addon's build for this Node.js: in the layer it lies beside this file, from sources it is an installed
 * package.
 * @throws Error when there is no build for this Node.js, with what to do
 */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  const platform = `${process.platform}-${process.arch}`;
  const name = `@datadog/pprof/prebuilds/${platform}/dd_pprof.node.abi${process.versions.modules}.node`;
  const inLayer = new URL(`node_modules/${name}`, import.meta.url);
  try {
    return require(existsSync(inLayer) ? fileURLToPath(inLayer) : name) as Addon;
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`Cannot profile Node.js ${process.version} on ${platform}: ${cause}. Use Node.js 22, 24 or 26.`);
  }
}
