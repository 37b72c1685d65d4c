import type { OwnerWeights } from '../pprof/owners.ts';

/** One instance of a measured side. Totals over its measured invocations; null when the producer does not say. */
export interface SideInstance {
  id: string;
  invocations: number;
  errors: number;
  cpuMs: number | null;
  activeMs: number | null;
  /** Median duration of its invocations. */
  durationP50Ms: number | null;
  /** Mean billed time of its warm invocations, when its agent tells which they were. */
  billedMeanMs?: number | null;
  allocatedBytes: number | null;
  maxMemoryMb?: number | null;
}

/** One measured side: a recording, reduced to what is compared. */
export interface Side {
  /** CPU nanoseconds by instance (`groups` are instance ids) and function. Undefined without a CPU profile. */
  weights: OwnerWeights | undefined;
  instances: readonly SideInstance[];
  /** Largest of all instances, when it is not known by instance. */
  maxMemoryMb?: number | null;
  /** Mean billed time of its warm invocations, as Lambda reported it. */
  billedMeanMs?: number | null;
  /** What a million invocations cost in USD: for each billed millisecond, and for the requests. */
  price?: { perBilledMs: number; requests: number };
  /** Init durations, one per forced cold start. */
  initMs?: readonly number[];
}
