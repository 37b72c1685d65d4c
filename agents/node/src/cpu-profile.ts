import type { TimeNode, TimeProfile } from './cpu-sampler.ts';
import type { Roots } from './file-names.ts';
import { createPprofBuilder, type Path, type PprofHeader, ROOT_PATH } from './pprof-builder.ts';

/** The label of samples outside an invocation; its values are `init` and `runtime`. Samples inside one carry none. */
export const PHASE_LABEL = 'lambda-profile.phase';

/**
 * Turns a native CPU profile into pprof, columns [samples/count, cpu/nanoseconds].
 *
 * The value of a sample is the CPU the thread used since the sample before it, not hits x interval: only that stays
 * right when Lambda throttles or freezes the process. Samples without CPU (waiting) are left out, and so is everything
 * the agent did itself. CPU of threads that run no JavaScript is a sample named `(non-JS threads)`: they are not sampled,
 * so the agent's clocks say how much of it was spent inside invocations (`otherThreadsNanos`, null when they do not).
 */
export function encodeCpuProfile(
  profile: TimeProfile,
  intervalUs: number,
  roots: Roots,
  header: Pick<PprofHeader, 'startMs' | 'durationMs' | 'comment'>,
  otherThreadsNanos: number | null = null,
): Uint8Array {
  const builder = createPprofBuilder(roots);
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
    for (const [phase, { count, cpuNanos }] of sumByPhase(node)) {
      if (phase === 'ignored' || cpuNanos <= 0) continue;
      builder.add(path, [count, cpuNanos], phase === 'invocation' ? undefined : [PHASE_LABEL, phase]);
    }
    for (const child of node.children) pending.push({ node: child, parent: path });
  }
  const otherThreads = Math.round(profile.nonJSThreadsCpuTime ?? 0);
  const inside = Math.round(Math.min(otherThreads, otherThreadsNanos ?? otherThreads));
  const frame = { name: '(non-JS threads)', script: '', scriptId: '', line: 0, column: 0 };
  const addOtherThreads = (nanos: number, label?: readonly [string, string]): void => {
    if (nanos > 0)
      builder.add(builder.enter(ROOT_PATH, frame), [Math.round(nanos / (intervalUs * 1000)), nanos], label);
  };
  addOtherThreads(inside);
  addOtherThreads(otherThreads - inside, [PHASE_LABEL, 'runtime']);
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
