import type { Session } from 'node:inspector';
import { loadAddon } from './addon.ts';

/** One node of V8's sampled allocation tree; lines and columns count from 1, 0 = unknown. */
export interface AllocationNode {
  readonly name: string;
  readonly scriptName: string;
  readonly scriptId: number;
  readonly lineNumber: number;
  readonly columnNumber: number;
  readonly children: readonly AllocationNode[];
  /** Estimates, scaled up from the samples. */
  readonly allocations: readonly Allocation[];
}

/** Objects of one size; on Node.js 26 with what of them is alive. */
export type Allocation =
  | { readonly sizeBytes: number; readonly count: number }
  | {
      readonly allocObjects: number;
      readonly allocSpaceBytes: number;
      readonly inuseObjects: number;
      readonly inuseSpaceBytes: number;
    };

/** A running allocation sampler. */
export interface HeapSampler {
  /** Ends the current profile; nothing is sampled until `resume`. */
  take(): AllocationNode;
  /** Begins the next profile. */
  resume(): void;
  /** Ends sampling for good. */
  stop(): void;
}

const STACK_DEPTH = 64;
/** V8 can tell the live ones among all sampled objects since 14, which is Node.js 26. */
const COUNTS_LIVE_OBJECTS = Number(process.versions.modules) >= 147;

/**
 * Starts V8's sampling heap profiler so that it counts every sampled allocation, also of objects that the garbage
 * collector has freed since. Before Node.js 26 only the inspector can start that mode (in this process: no port is
 * opened); the addon reads the result with object counts, which the inspector does not report.
 */
export function startHeapSampler(intervalBytes: number): HeapSampler {
  const { heapProfiler } = loadAddon();
  let session: Session | null = null;
  const resume = (): void => {
    if (COUNTS_LIVE_OBJECTS) {
      heapProfiler.startSamplingHeapProfiler(intervalBytes, STACK_DEPTH, true);
      return;
    }
    if (!session) {
      // Loaded only here: most functions never sample their heap.
      const inspector = process.getBuiltinModule('node:inspector');
      session = new inspector.Session();
      session.connect();
    }
    // An in-process session answers before post() returns.
    let failure: Error | null = null;
    session.post(
      'HeapProfiler.startSampling',
      {
        samplingInterval: intervalBytes,
        stackDepth: STACK_DEPTH,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      },
      (error) => {
        failure = error;
      },
    );
    if (failure) throw failure;
  };
  resume();
  return {
    take() {
      const profile = heapProfiler.getAllocationProfile();
      heapProfiler.stopSamplingHeapProfiler();
      return profile;
    },
    resume,
    stop: () => heapProfiler.stopSamplingHeapProfiler(),
  };
}
