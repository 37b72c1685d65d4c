import type { Side } from '../compare/side.ts';
import { type Cost, computeCost, priceOf } from '../lambda/cost.ts';
import { classifyFrame, type FrameClass, type FrameName, type Language, type OwnCode } from '../pprof/frames.ts';
import { type OwnerWeights, weighOwners } from '../pprof/weigh.ts';
import { INSTANCE_LABEL, type Manifest, type Recording } from './recording.ts';

/** CPU nanoseconds of a recording by instance and function; undefined without a CPU profile. */
export function weighRecording(recording: Recording, ownCode?: OwnCode): OwnerWeights | undefined {
  const profile = recording.profiles.get('cpu');
  if (!profile) return undefined;
  return weighOwners(profile, 'cpu', INSTANCE_LABEL, frameClassifier(recording, ownCode));
}

/**
 * Tells who a frame of the recording's profiles is.
 * @param ownCode which code is the function's own, where the policy says it
 */
export function frameClassifier(recording: Recording, ownCode?: OwnCode): (frame: FrameName) => FrameClass {
  const language = languageOf(recording);
  return (frame) => classifyFrame(frame, language, ownCode);
}

/** Measured invocations of all instances. */
export function invocationsOf({ manifest: { instances } }: Recording): number {
  return instances.reduce((sum, { invocations }) => sum + invocations, 0);
}

/**
 * A recording as one side of a comparison. An instance whose cold start fell into the measured windows is left out:
 * loading and compiling the code is not what the handler costs. When that would leave too few, all are kept.
 */
export function sideOf(recording: Recording, ownCode?: OwnCode): { side: Side; warnings: string[] } {
  const { manifest } = recording;
  const served = manifest.instances.filter(({ invocations }) => invocations > 0);
  const warm = served.filter(({ cold }) => cold === 0);
  const kept = warm.length >= Math.min(served.length, FEWEST_WARM) ? warm : served;
  const price = priceOf(manifest.fingerprint);
  const side: Side = {
    weights: weighRecording(recording, ownCode),
    instances: kept.map((instance) => ({
      ...instance,
      maxMemoryMb: instance.maxMemoryMb ?? null,
      billedMeanMs: instance.billedMeanMs ?? null,
    })),
    maxMemoryMb: manifest.reports.maxMemoryMb,
    billedMeanMs: manifest.reports.billedMeanMs,
    ...(price.known && { price }),
    initMs: manifest.reports.initMs,
  };
  const cold = served.length - warm.length;
  const commit = manifest.commit.slice(0, 7);
  const warnings =
    cold === 0
      ? []
      : kept === warm
        ? [`${cold} of ${served.length} instances of ${commit} started during the measurement and were left out.`]
        : [
            `${cold} of ${served.length} instances of ${commit} started during the measurement; their start-up is in the numbers.`,
          ];
  return { side, warnings };
}

/** What the measured version costs at list prices; undefined when its billed time is not known. */
export function costOf({ fingerprint, reports }: Manifest, monthlyInvocations: number): Cost | undefined {
  const { region, architecture, memoryMb } = fingerprint;
  const { billedMeanMs, initMs } = reports;
  if (billedMeanMs === null) return undefined;
  const init = initMs.length > 0 && { initMeanMs: initMs.reduce((sum, ms) => sum + ms, 0) / initMs.length };
  return computeCost({ region, architecture, memoryMb, billedMeanMs, monthlyInvocations, ...init });
}

/** The comparison cannot fail with fewer instances. */
const FEWEST_WARM = 5;

function languageOf({ manifest: { fingerprint } }: Recording): Language {
  if (fingerprint.language.startsWith('node') || fingerprint.runtime.startsWith('nodejs')) return 'node';
  if (fingerprint.language.startsWith('go') || /^(provided|go)/.test(fingerprint.runtime)) return 'go';
  return 'other';
}
