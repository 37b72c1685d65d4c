import type { TimeNode, TimeProfile } from './cpu-sampler.ts';
import type { Roots } from './file-names.ts';
import { createPprofBuilder, isAgents, type Path, type PprofHeader, ROOT_PATH } from './pprof-builder.ts';

/** The label of samples outside an invocation; its values are `init` and `runtime`. Samples inside one carry none. */
export const PHASE_LABEL = 'lambda-profile.phase';

/** CPU inside the window's invocations by the process's clocks: of the thread that runs JavaScript, and of all others. */
export interface InsideClocks {
  readonly threadNanos: number;
  readonly otherThreadsNanos: number;
}

/**
 * Turns a native CPU profile into pprof, columns [samples/count, cpu/nanoseconds].
 *
 * The value of a sample is the CPU the thread used since the sample before it, not hits x interval: only that stays
 * right when Lambda throttles or freezes the process. Samples without CPU (waiting) are left out, and so is everything
 * the agent did itself. CPU of threads that run no JavaScript is a sample named `(non-JS threads)`.
 *
 * A sample comes late where the sampler's thread has to wait for a CPU, often when the handler has just ended, and what
 * it saw then gets CPU of the handler. So with `inside`, samples inside and outside of invocations are scaled to what the
 * clocks say of each; both together stay what they were.
 */
export function encodeCpuProfile(
  profile: TimeProfile,
  intervalUs: number,
  roots: Roots,
  header: Pick<PprofHeader, 'startMs' | 'durationMs' | 'comment'>,
  inside: InsideClocks | null = null,
): Uint8Array {
  const builder = createPprofBuilder(roots);
  const rows: Row[] = [];
  const pending: { readonly node: TimeNode; readonly parent: Path }[] = [];
  for (const node of profile.topDownRoot.children) pending.push({ node, parent: ROOT_PATH });
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node } = next;
    const path = builder.enter(next.parent, {
      name: node.name,
      script: node.scriptName,
      scriptId: node.scriptId,
      line: node.lineNumber,
      column: node.columnNumber,
    });
    for (const [phase, { count, cpuNanos }] of sumByPhase(node))
      if (phase !== 'ignored' && cpuNanos > 0) rows.push({ path, phase, count, cpuNanos });
    for (const child of node.children) pending.push({ node: child, parent: path });
  }
  const scale = scales(rows, inside);
  for (const { path, phase, count, cpuNanos } of rows) {
    const isInside = phase === 'invocation';
    const nanos = Math.round(cpuNanos * (isInside ? scale.inside : scale.outside));
    if (nanos > 0) builder.add(path, [count, nanos], isInside ? undefined : [PHASE_LABEL, phase]);
  }
  const otherThreads = Math.round(profile.nonJSThreadsCpuTime ?? 0);
  const othersInside = Math.round(Math.min(otherThreads, inside?.otherThreadsNanos ?? otherThreads));
  const frame = { name: '(non-JS threads)', script: '', scriptId: '', line: 0, column: 0 };
  const addOtherThreads = (nanos: number, label?: readonly [string, string]): void => {
    if (nanos > 0)
      builder.add(builder.enter(ROOT_PATH, frame), [Math.round(nanos / (intervalUs * 1000)), nanos], label);
  };
  addOtherThreads(othersInside);
  addOtherThreads(otherThreads - othersInside, [PHASE_LABEL, 'runtime']);
  return builder.encode({
    ...header,
    sampleTypes: [
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ],
    defaultSampleType: 'cpu',
    periodType: ['cpu', 'nanoseconds'],
    period: intervalUs * 1000,
  });
}

/** The samples of one stack in one phase. */
interface Row {
  readonly path: Path;
  readonly phase: string;
  readonly count: number;
  readonly cpuNanos: number;
}

/** What samples inside and outside of invocations are multiplied by. */
function scales(rows: readonly Row[], inside: InsideClocks | null): { inside: number; outside: number } {
  let all = 0;
  let seenInside = 0;
  let seenOutside = 0;
  for (const { path, phase, cpuNanos } of rows) {
    all += cpuNanos;
    if (isAgents(path)) continue;
    if (phase === 'invocation') seenInside += cpuNanos;
    else seenOutside += cpuNanos;
  }
  if (inside === null || seenInside === 0) return { inside: 1, outside: 1 };
  const ofInvocations = Math.min(inside.threadNanos, all);
  return { inside: ofInvocations / seenInside, outside: seenOutside === 0 ? 1 : (all - ofInvocations) / seenOutside };
}

function sumByPhase(node: TimeNode): Map<string, { count: number; cpuNanos: number }> {
  const sums = new Map<string, { count: number; cpuNanos: number }>();
  for (const { context, cpuTime } of node.contexts ?? []) {
    // The native profiler gives an idle sample no phase; the event loop's own CPU is nobody's invocation.
    const phase = typeof context === 'string' ? context : 'runtime';
    const sum = sums.get(phase) ?? { count: 0, cpuNanos: 0 };
    sum.count++;
    sum.cpuNanos += cpuTime ?? 0;
    sums.set(phase, sum);
  }
  for (const sum of sums.values()) sum.cpuNanos = Math.round(sum.cpuNanos);
  return sums;
}
