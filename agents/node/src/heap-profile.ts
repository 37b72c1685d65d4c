import type { Roots } from './file-names.ts';
import type { Allocation, AllocationNode } from './heap-sampler.ts';
import { createPprofBuilder, type Path, type PprofHeader, ROOT_PATH } from './pprof-builder.ts';

/**
 * Turns a window's sampled allocations into pprof, Go's columns [alloc_objects/count, alloc_space/bytes,
 * inuse_objects/count, inuse_space/bytes]. In use is what was allocated in the window and is alive at its end; before
 * Node.js 26 V8 does not tell, and these columns are 0.
 */
export function encodeHeapProfile(
  root: AllocationNode,
  intervalBytes: number,
  roots: Roots,
  header: Pick<PprofHeader, 'startMs' | 'durationMs' | 'comment'>,
): Uint8Array {
  const builder = createPprofBuilder(roots);
  const pending: { readonly node: AllocationNode; readonly parent: Path }[] = [];
  for (const node of root.children) pending.push({ node, parent: ROOT_PATH });
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node } = next;
    const path = builder.enter(next.parent, {
      name: node.name,
      script: node.scriptName,
      scriptId: node.scriptId,
      line: node.lineNumber,
      column: node.columnNumber,
    });
    if (node.allocations.length > 0) builder.add(path, sum(node.allocations));
    for (const child of node.children) pending.push({ node: child, parent: path });
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

/** One row of the four columns. */
function sum(allocations: readonly Allocation[]): number[] {
  const row: [number, number, number, number] = [0, 0, 0, 0];
  for (const allocation of allocations) {
    if ('count' in allocation) {
      row[0] += allocation.count;
      row[1] += allocation.count * allocation.sizeBytes;
    } else {
      row[0] += allocation.allocObjects;
      row[1] += allocation.allocSpaceBytes;
      row[2] += allocation.inuseObjects;
      row[3] += allocation.inuseSpaceBytes;
    }
  }
  return row;
}
