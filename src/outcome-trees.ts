import type { Outcome } from './gate.ts';
import { buildCallTree } from './pprof/calltree.ts';
import type { Profile } from './pprof/columns.ts';
import { filterProfile } from './pprof/filter.ts';
import type { FrameClass, FrameName, OwnCode } from './pprof/frames.ts';
import { defaultSampleType } from './pprof/sample-types.ts';
import { frameClassifier, invocationsOf } from './recordings/side.ts';
import { type CallTree, flattenCallTree } from './report/flamegraph/calltree.ts';

/** Frames below this share of both sides are pruned: nobody sees a tenth of a pixel. */
const MIN_SHARE = 0.0001;

/** One call tree for each profile type of the head side, with the base beside it: what the flame graphs are drawn from. */
export function createCallTrees({ head, baseline, comparison }: Outcome, ownCode?: OwnCode): CallTree[] {
  if (!head) return [];
  const classify = withRenames(frameClassifier(head, ownCode), comparison?.functions ?? []);
  const invocations = {
    base: baseline ? Math.max(1, invocationsOf(baseline.recording)) : 1,
    head: Math.max(1, invocationsOf(head)),
  };
  return [...head.profiles].map(([type, profile]) => {
    const sampleType = defaultSampleType(profile);
    const other = baseline?.recording.profiles.get(type);
    const base = other?.sampleTypes.some((known) => known.type === sampleType) ? other : undefined;
    const tree = buildCallTree(base && busy(base), busy(profile), sampleType, classify, {
      invocations,
      minShare: MIN_SHARE,
    });
    return flattenCallTree(tree, {
      sampleType,
      unit: profile.sampleTypes.find((known) => known.type === sampleType)!.unit,
      baseInvocations: base ? invocations.base : 0,
      headInvocations: invocations.head,
    });
  });
}

/** Without the time in which nothing ran. */
function busy(profile: Profile): Profile {
  return filterProfile(profile, { ignore: '^\\(idle\\)$' });
}

/** A renamed function is one frame, not one that is gone and one that is new. */
function withRenames(
  classify: (frame: FrameName) => FrameClass,
  functions: readonly { key: string; display: string; renamedFrom?: string }[],
): (frame: FrameName) => FrameClass {
  const renamed = new Map(functions.flatMap((one) => (one.renamedFrom === undefined ? [] : [[one.renamedFrom, one]])));
  return (frame) => {
    const known = classify(frame);
    const now = known.kind === 'own' ? renamed.get(known.display) : undefined;
    return now ? { ...known, key: now.key, display: now.display } : known;
  };
}
