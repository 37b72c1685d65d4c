import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import { compareSides, confirmComparison, flaggedFunctions } from './compare/compare.ts';
import type { Comparison } from './compare/comparison.ts';
import type { Side } from './compare/side.ts';
import { MeasurementError } from './errors.ts';
import { createInvoke, type Invoker } from './lambda/invoke.ts';
import type { Interruption } from './lambda/load.ts';
import { resolveTarget, type Target } from './lambda/target.ts';
import {
  type MeasuredVersion,
  type Measurement,
  type MeasurementPlan,
  type MeasurementProgress,
  measureInterleaved,
} from './measurement.ts';
import type { OwnCode } from './pprof/frames.ts';
import { createRecording, type Manifest, type MappedFunction, type Recording } from './recordings/recording.ts';
import { sideOf } from './recordings/side.ts';
import type { SnapshotSource } from './snapshots/collect.ts';
import { applyMapped } from './source-maps.ts';

/** What the screen found, and what it takes to measure both versions again. */
export interface ConfirmationInput {
  screen: Comparison;
  base: Manifest;
  head: Recording;
  target: Target;
  /** The plan of the screen, and where its snapshots came from. */
  plan: MeasurementPlan;
  source: SnapshotSource;
  /** Which code is the function's own, where it cannot be told. */
  ownCode?: OwnCode;
  /** Options of the screen's comparison. */
  options: Parameters<typeof compareSides>[2];
}

export interface ConfirmationServices {
  lambda: Pick<LambdaClient, 'send'>;
  createInvoker(timeoutSeconds: number): Invoker;
  s3: Pick<S3Client, 'send'>;
  clock: Clock;
  interruption?: Interruption;
}

export type Confirmation =
  | { confirmed: true; comparison: Comparison }
  /** The base version cannot be invoked any more: the stricter rule for a single stage holds. */
  | { confirmed: false; reason: string };

const READY_TIMEOUT_MS = 60_000;
const MIN_INSTANCES = 5;
/** To the job this is one step. */
const QUIET: MeasurementProgress = { step: () => {}, load: () => {} };

/**
 * Measures base and head again, at the same time and on fresh instances, and keeps of what the screen flagged what the
 * fresh instances repeat. Chance rarely strikes twice, and machines that were slow on one day are slow for both sides.
 */
export async function confirm(input: ConfirmationInput, services: ConfirmationServices): Promise<Confirmation> {
  const { screen, head, target, options } = input;
  const base = await resolveBase(input, services);
  if (typeof base === 'string') return { confirmed: false, reason: base };
  try {
    const plan = { ...input.plan, run: `${input.plan.run}.c` };
    const versions = [
      fresh(base, input.base, input.source, services),
      fresh(target, head.manifest, input.source, services),
    ] as const;
    const { s3, clock, interruption } = services;
    const measured = await measureInterleaved(...versions, plan, s3, clock, QUIET, interruption);
    if (measured.head.interrupted) return { confirmed: false, reason: 'the job was cancelled' };
    const freshBase = asSide(measured.base, versions[0], plan.run, input.base.mapped, input.ownCode);
    const freshHead = asSide(measured.head, versions[1], plan.run, head.manifest.mapped, input.ownCode);
    const seed = `${options.seed} confirmation`;
    const again = compareSides(freshBase, freshHead, {
      ...options,
      seed,
      stored: false,
      restrictTo: flaggedFunctions(screen),
    });
    const few = Math.min(again.method.baseInstances, again.method.headInstances);
    if (few < MIN_INSTANCES) return { confirmed: false, reason: `only ${few} fresh instances of a version answered` };
    return { confirmed: true, comparison: confirmComparison(screen, again) };
  } catch (error) {
    if (error instanceof MeasurementError) return { confirmed: false, reason: error.message.replace(/\.$/, '') };
    throw error;
  }
}

/** The version the base recording is of, if it still is what it was; otherwise why not. */
async function resolveBase(
  { base, target }: ConfirmationInput,
  { lambda, clock }: ConfirmationServices,
): Promise<Target | string> {
  const { functionName, functionVersion } = base;
  if (functionVersion === '$LATEST')
    return 'the baseline is of $LATEST, which is overwritten by every deployment: publish versions to have regressions confirmed';
  if (functionVersion === target.version) return 'base and head are the same version';
  try {
    const reference = { name: functionName, qualifier: functionVersion, ...accountOf(target) };
    const resolved = await resolveTarget(lambda, reference, target.region, clock, READY_TIMEOUT_MS);
    return resolved.codeSha256 === base.codeSha256
      ? resolved
      : `version ${functionVersion} is not the code that was recorded`;
  } catch (error) {
    if (error instanceof MeasurementError) return `version ${functionVersion} of the base cannot be invoked any more`;
    throw error;
  }
}

function accountOf({ invokeName }: Target): { accountId?: string } {
  const accountId = invokeName.split(':')[4];
  return accountId === undefined ? {} : { accountId };
}

/** A version without the instances that the screen has seen. */
function fresh(
  target: Target,
  seen: Manifest,
  source: SnapshotSource,
  { createInvoker, clock }: ConfirmationServices,
): MeasuredVersion {
  const exclude = new Set(seen.instances.map(({ id }) => id));
  return {
    target,
    invoke: createInvoke(createInvoker(target.timeoutSeconds), target, clock),
    source,
    commit: seen.commit,
    exclude,
  };
}

function asSide(
  measurement: Measurement,
  { target, commit }: MeasuredVersion,
  run: string,
  mapped: MappedFunction[] | undefined,
  ownCode: OwnCode | undefined,
): Side {
  const recording = createRecording({ tool: '', target, key: '', commit, run, measuredAt: '', ...measurement });
  return sideOf(applyMapped(recording, mapped ?? []), ownCode).side;
}
