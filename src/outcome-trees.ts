import type { Outcome } from './gate.ts';
import { computeInstanceValues, frameNumbers, type TreeSide } from './outcome-instances.ts';
import { buildCallTree } from './pprof/calltree.ts';
import type { Profile } from './pprof/columns.ts';
import { filterProfile } from './pprof/filter.ts';
import type { FrameClass, FrameName, OwnCode } from './pprof/frames.ts';
import { defaultSampleType } from './pprof/sample-types.ts';
import type { Recording } from './recordings/recording.ts';
import { frameClassifier, invocationsOf } from './recordings/side.ts';
import { type CallTree, flattenCallTree, type InstanceValues } from './report/flamegraph/calltree.ts';

/** Frames below this share of both sides are pruned: nobody sees a tenth of a pixel. */
const MIN_SHARE = 0.0001;

/** What there is at one moment: it does not grow with the invocations, but with the instances. */
const STATES = new Set(['inuse_objects', 'inuse_space', 'goroutine', 'threadcreate']);

/** Values of single instances that a page holds for one tree at most: about as many bytes as a tree of 20,000 frames. */
const MAX_INSTANCE_VALUES = 20_000;

/**
 * A call tree for each metric of each profile type of the head side, with the base beside it: what the flame graphs are
 * drawn from. The metric that viewers show first comes first; counts of samples are none.
 */
export function createCallTrees({ head, baseline, comparison }: Outcome, ownCode?: OwnCode): CallTree[] {
  if (!head) return [];
  const classify = withRenames(frameClassifier(head, ownCode), comparison?.functions ?? []);
  return [...head.profiles].flatMap(([type, profile]) => {
    const first = defaultSampleType(profile);
    const others = profile.sampleTypes
      .map((known) => known.type)
      .filter((one) => one !== first && !/^samples?$/.test(one));
    const base = baseline?.recording.profiles.get(type);
    const shown = { head: busy(profile), base: base && busy(base) };
    return [first, ...new Set(others)].map((sampleType) =>
      createCallTree(sampleType, shown, { head, base: baseline?.recording }, classify),
    );
  });
}

function createCallTree(
  sampleType: string,
  profiles: { head: Profile; base: Profile | undefined },
  recordings: { head: Recording; base: Recording | undefined },
  classify: (frame: FrameName) => FrameClass,
): CallTree {
  const { head } = profiles;
  const base = profiles.base?.sampleTypes.some(({ type }) => type === sampleType) ? profiles.base : undefined;
  const isState = STATES.has(sampleType);
  const divisorOf = (recording: Recording) =>
    Math.max(1, isState ? recording.manifest.instances.length : invocationsOf(recording));
  const divisors = {
    head: divisorOf(recordings.head),
    base: base && recordings.base ? divisorOf(recordings.base) : 1,
  };
  const tree = buildCallTree(base, head, sampleType, classify, { invocations: divisors, minShare: MIN_SHARE });
  const { intervalUs } = recordings.head.manifest.fingerprint;
  const flat: CallTree = {
    ...flattenCallTree(tree, {
      sampleType,
      unit: head.sampleTypes.find(({ type }) => type === sampleType)!.unit,
      baseInvocations: base ? divisors.base : 0,
      headInvocations: divisors.head,
      ...(isState && { per: 'instance' as const }),
    }),
    ...(intervalUs > 0 && { intervalUs }),
  };
  const numberOf = frameNumbers(tree.frames, classify);
  const sides: TreeSide[] = [{ side: 'head', profile: head, divisors: divisorsOf(recordings.head, isState) }];
  if (base && recordings.base)
    sides.unshift({ side: 'base', profile: base, divisors: divisorsOf(recordings.base, isState) });
  const instances = withinReason(sides.flatMap((side) => computeInstanceValues(flat, side, numberOf)));
  return instances.length < 2 ? flat : { ...flat, instances };
}

function divisorsOf({ manifest }: Recording, isState: boolean): Map<string, number> {
  return new Map(manifest.instances.map(({ id, invocations }) => [id, isState ? 1 : invocations]));
}

/** As many instances as the page has room for, one side after the other. */
function withinReason(all: InstanceValues[]): InstanceValues[] {
  let values = 0;
  const sides = [all.filter(({ side }) => side === 'base'), all.filter(({ side }) => side === 'head')] as const;
  const turns = Array.from({ length: Math.max(sides[0].length, sides[1].length) }, (_, i) => i);
  const kept = new Set(
    turns
      .flatMap((turn) => [sides[0][turn], sides[1][turn]])
      .filter((one) => one !== undefined)
      .filter(({ nodes }) => {
        values += nodes.length;
        return values <= MAX_INSTANCE_VALUES;
      }),
  );
  return all.filter((one) => kept.has(one));
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
