import type { Session } from 'node:inspector';

/** One node of V8's sampled allocation tree (`HeapProfiler.SamplingHeapProfileNode`); lines and columns count from 0. */
export interface HeapNode {
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly id: number;
  /** Bytes allocated here, already scaled up from the samples. */
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** Allocations since the last rotation; `samples` names the node and the size of every sampled object. */
export interface HeapProfile {
  readonly head: HeapNode;
  readonly samples: readonly { readonly nodeId: number; readonly size: number }[];
}

/** A running allocation sampler. */
export interface HeapSampler {
  /** Ends the current profile and begins the next. */
  rotate(): HeapProfile;
  stop(): void;
}

/**
 * Starts V8's sampling heap profiler through the inspector (no port is opened). It counts every sampled allocation of
 * the window, also of objects the garbage collector has freed since.
 */
export function startHeapSampler(intervalBytes: number): HeapSampler {
  // Loaded only here: most functions never sample their heap.
  const inspector = process.getBuiltinModule('node:inspector');
  const session: Session = new inspector.Session();
  session.connect();
  const post = <T>(method: string, parameters: object = {}): T => {
    let outcome: { error: Error | null; result: T } | null = null;
    // The inspector answers an in-process session before post() returns.
    session.post(method, parameters, (error: Error | null, result?: object) => {
      outcome = { error, result: result as T };
    });
    const answered = outcome as { error: Error | null; result: T } | null;
    if (!answered) throw new Error(`Cannot run ${method}: the inspector did not answer.`);
    if (answered.error) throw answered.error;
    return answered.result;
  };
  const start = (): void => {
    post('HeapProfiler.startSampling', {
      samplingInterval: intervalBytes,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
  };
  start();
  return {
    rotate() {
      const { profile } = post<{ profile: HeapProfile }>('HeapProfiler.stopSampling');
      start();
      return profile;
    },
    stop() {
      post('HeapProfiler.stopSampling');
      session.disconnect();
    },
  };
}
