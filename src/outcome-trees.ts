import type { Outcome } from './gate.ts';
import { buildCallTree } from './pprof/calltree.ts';
import { defaultSampleType } from './pprof/sample-types.ts';
import { frameClassifier, invocationsOf } from './recordings/side.ts';
import { type CallTree, flattenCallTree } from './report/flamegraph/calltree.ts';

/** Frames below this share of both sides are pruned: nobody sees a tenth of a pixel. */
const MIN_SHARE = 0.0001;

/** One call tree for each profile type of the head side, with the base beside it: what the flame graphs are drawn from. */
export function createCallTrees({ head, baseline }: Outcome): CallTree[] {
  if (!head) return [];
  const invocations = {
    base: baseline ? Math.max(1, invocationsOf(baseline.recording)) : 1,
    head: Math.max(1, invocationsOf(head)),
  };
  return [...head.profiles].map(([type, profile]) => {
    const sampleType = defaultSampleType(profile);
    const other = baseline?.recording.profiles.get(type);
    const base = other?.sampleTypes.some((known) => known.type === sampleType) ? other : undefined;
    const tree = buildCallTree(base, profile, sampleType, frameClassifier(head), { invocations, minShare: MIN_SHARE });
    return flattenCallTree(tree, {
      sampleType,
      unit: profile.sampleTypes.find((known) => known.type === sampleType)!.unit,
      baseInvocations: base ? invocations.base : 0,
      headInvocations: invocations.head,
    });
  });
}
