import type { Roots } from './file-names.ts';
import type { HeapNode, HeapProfile } from './heap-sampler.ts';
import { createPprofBuilder, type Path, type PprofHeader, ROOT_PATH } from './pprof-builder.ts';

/**
 * Turns a window's sampled allocations into pprof, Go's columns [alloc_objects/count, alloc_space/bytes,
 * inuse_objects/count, inuse_space/bytes]. The inspector cannot tell which of the sampled objects are alive, so the
 * inuse columns are 0.
 */
export function encodeHeapProfile(
  profile: HeapProfile,
  intervalBytes: number,
  roots: Roots,
  header: Pick<PprofHeader, 'startMs' | 'durationMs' | 'comment'>,
): Uint8Array {
  const sums = new Map<number, { objects: number; bytes: number }>();
  const counts = new Map<number, number>();
  for (const { nodeId, size } of profile.samples) {
    const sum = sums.get(nodeId) ?? { objects: 0, bytes: 0 };
    const count = counts.get(size) ?? objectCount(size, intervalBytes);
    counts.set(size, count);
    sum.objects += count;
    sum.bytes += size;
    sums.set(nodeId, sum);
  }
  const builder = createPprofBuilder(roots);
  const pending: { readonly node: HeapNode; readonly parent: Path }[] = [];
  for (const node of profile.head.children) pending.push({ node, parent: ROOT_PATH });
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { callFrame, id, children } = next.node;
    const path = builder.enter(next.parent, {
      name: callFrame.functionName,
      script: callFrame.url,
      scriptId: callFrame.scriptId,
      line: callFrame.lineNumber + 1,
      column: callFrame.columnNumber + 1,
    });
    const sum = sums.get(id);
    if (sum) builder.add(path, [sum.objects, sum.bytes, 0, 0]);
    for (const child of children) pending.push({ node: child, parent: path });
  }
  return builder.encode({
    ...header,
    sampleTypes: [
      ['alloc_objects', 'count'],
      ['alloc_space', 'bytes'],
      ['inuse_objects', 'count'],
      ['inuse_space', 'bytes'],
    ],
    defaultSampleType: 'alloc_space',
    periodType: ['space', 'bytes'],
    period: intervalBytes,
  });
}

/**
 * How many objects one sample stands for. V8 reports an object of s bytes as s x n bytes with
 * n = round(1 / (1 - e^(-s / interval))) (SamplingHeapProfiler::ScaleSample) and not s or n; s is a multiple of 8, so
 * the n that satisfies both is found by trying. Falls back to 1, the true answer for objects above the interval.
 */
export function objectCount(scaledBytes: number, intervalBytes: number): number {
  for (let count = Math.ceil(intervalBytes / 8) + 1; count > 1; count--) {
    const bytes = scaledBytes / count;
    if (bytes % 8 === 0 && Math.floor(1 / (1 - Math.exp(-bytes / intervalBytes)) + 0.5) === count) return count;
  }
  return 1;
}
