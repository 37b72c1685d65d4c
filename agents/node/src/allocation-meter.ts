import v8 from 'node:v8';

/** Counts the bytes allocated on V8's heap between `begin` and `end`. */
export interface AllocationMeter {
  begin(): void;
  /** Bytes allocated since `begin`; 0 without one. */
  end(): number;
}

/**
 * The process's own allocations, counted and not sampled: growth of the used heap + what every garbage collection in
 * between freed, which `v8.GCProfiler` reports (used heap before and after each). Costs some 50 microseconds, and 10
 * more for each collection.
 *
 * V8 14's own counter (`total_allocated_bytes`) agrees within 1 % over megabytes, but counts whole allocation areas:
 * reading it twice is 100 kB. Memory outside V8's heap (the contents of Buffers) is not counted.
 */
export function createAllocationMeter(): AllocationMeter {
  let collections: v8.GCProfiler | null = null;
  let usedAtBegin = 0;
  return {
    begin() {
      collections = new v8.GCProfiler();
      collections.start();
      usedAtBegin = usedBytes();
    },
    end() {
      if (!collections) return 0;
      let bytes = usedBytes() - usedAtBegin;
      for (const { beforeGC, afterGC } of collections.stop()?.statistics ?? []) {
        bytes += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
      }
      collections = null;
      return Math.max(0, bytes);
    },
  };
}

function usedBytes(): number {
  return v8.getHeapStatistics().used_heap_size;
}
