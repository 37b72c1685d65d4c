import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import { createInvoke, type Invoker } from './lambda/invoke.ts';
import { clipConcurrency, fetchLimits } from './lambda/limits.ts';
import type { Interruption } from './lambda/load.ts';
import { fetchPayloadDocuments } from './lambda/payload-files.ts';
import { parsePayloads } from './lambda/payloads.ts';
import { assertUnchanged, resolveTarget, type Target } from './lambda/target.ts';
import {
  type MeasuredVersion,
  type Measurement,
  type MeasurementPlan,
  measure,
  measureInterleaved,
} from './measurement.ts';
import type { Progress } from './progress.ts';
import { createRecording, type Recording } from './recordings/recording.ts';
import type { ShardBarrier } from './recordings/shard-barrier.ts';
import { seededRandom } from './seeded-random.ts';
import type { Settings } from './settings.ts';
import type { SnapshotSource } from './snapshots/collect.ts';
import { mapSources } from './source-maps.ts';
import { TOOL } from './version.ts';

/** What a measurement needs of the world. */
export interface MeasuringServices {
  lambda: Pick<LambdaClient, 'send'>;
  createInvoker(timeoutSeconds: number): Invoker;
  s3: Pick<S3Client, 'send'>;
  clock: Clock;
  run: string;
  region: string;
  progress: Progress;
  /** The checkout of the measured commit, for the source maps of its bundles. */
  workspace?: string;
  interruption?: Interruption;
}

/** A measured commit, and the base version when it was measured at the same time. */
export interface MeasuredCommit {
  head: Recording;
  base?: Recording;
  warnings: string[];
  interrupted: boolean;
}

const READY_TIMEOUT_MS = 5 * 60_000;

/** Resolves the version to measure, and waits until it is ready. */
export function resolveMeasuredTarget(settings: Settings, services: MeasuringServices): Promise<Target> {
  const { lambda, region, clock } = services;
  return resolveTarget(lambda, settings.function, region, clock, READY_TIMEOUT_MS);
}

/** Where the function's snapshots are. */
export function sourceOf({ bucket, prefix, stack, profileTypes }: Settings): SnapshotSource {
  return { bucket, prefix, stack, types: profileTypes };
}

/** The plan of a measurement within the limits of the account. */
export async function planMeasurement(
  target: Target,
  settings: Settings,
  { lambda, s3, clock, run, progress }: MeasuringServices,
  barrier?: ShardBarrier,
): Promise<{ plan: MeasurementPlan; warnings: string[] }> {
  const documents = await fetchPayloadDocuments(settings.payload, s3);
  const limits = await fetchLimits(lambda, target, clock, READY_TIMEOUT_MS);
  if (limits.denied.length > 0) progress.note(`limits are not checked: the role lacks ${limits.denied.join(', ')}`);
  const versions = settings.baseQualifier === '' ? 1 : 2;
  const { concurrency, warning } = clipConcurrency(limits, settings.concurrency, versions, target.functionName);
  const seed = documents.map(({ text }) => text).join('\n');
  const plan: MeasurementPlan = {
    payloads: parsePayloads(documents, seededRandom(seed)),
    invocations: settings.invocations,
    concurrency,
    maxDurationMs: settings.maxDurationMs,
    waitTimeoutMs: settings.waitTimeoutMs,
    seed,
    run,
    ...(settings.warmupInvocations !== undefined && { warmupInvocations: settings.warmupInvocations }),
    ...(settings.rate && { rate: settings.rate }),
    ...(settings.durationMs !== undefined && { durationMs: settings.durationMs }),
    ...(settings.minCpuMs !== undefined && { minCpuMs: settings.minCpuMs }),
    ...(settings.mode === 'measure' && { shards: settings.shard.of }),
    ...(barrier && { barrier }),
  };
  return { plan, warnings: warning === undefined ? [] : [warning] };
}

/** One commit to measure. */
export interface MeasuringJob {
  commit: string;
  target: Target;
  plan: MeasurementPlan;
  settings: Settings;
  services: MeasuringServices;
  /** The commit of the base version, when one is measured beside. */
  baseCommit(): Promise<string>;
}

/** Invokes, collects and merges: what was measured of the commit, and of the base version beside it when one is named. */
export async function measureCommit(job: MeasuringJob): Promise<MeasuredCommit> {
  const { commit, target, plan, settings, services } = job;
  const { lambda, createInvoker, s3, clock, progress, interruption } = services;
  const versionOf = (of: Target, its: string): MeasuredVersion => ({
    target: of,
    invoke: createInvoke(createInvoker(of.timeoutSeconds), of, clock),
    source: sourceOf(settings),
    commit: its,
  });
  const head = versionOf(target, commit);
  const record = ({ target, commit }: MeasuredVersion, measurement: Measurement): Recording => {
    const measuredAt = new Date(clock.nowMs()).toISOString();
    return createRecording({
      tool: TOOL,
      target,
      key: settings.key,
      commit,
      run: plan.run,
      measuredAt,
      ...measurement,
    });
  };

  if (settings.baseQualifier === '') {
    const measurement = await measure(head, plan, s3, clock, progress, interruption);
    await assertUnchanged(lambda, target);
    progress.step('Merge the snapshots');
    return withSources({ head: record(head, measurement), ...told(measurement) }, services.workspace);
  }
  const reference = { ...settings.function, qualifier: settings.baseQualifier };
  const baseTarget = await resolveTarget(lambda, reference, services.region, clock, READY_TIMEOUT_MS);
  const base = versionOf(baseTarget, await job.baseCommit());
  const measured = await measureInterleaved(base, head, plan, s3, clock, progress, interruption);
  await Promise.all([assertUnchanged(lambda, target), assertUnchanged(lambda, baseTarget)]);
  progress.step('Merge the snapshots');
  return withSources(
    { head: record(head, measured.head), base: record(base, measured.base), ...told(measured.base, measured.head) },
    services.workspace,
  );
}

/** Functions of bundles where their sources have them. The maps of the base version are those of another checkout. */
function withSources(measured: MeasuredCommit, workspace: string | undefined): MeasuredCommit {
  if (workspace === undefined) return measured;
  const { recording, warnings } = mapSources(measured.head, workspace);
  return { ...measured, head: recording, warnings: [...measured.warnings, ...warnings] };
}

function told(...measurements: Measurement[]): { warnings: string[]; interrupted: boolean } {
  return {
    warnings: measurements.flatMap(({ warnings, skipped }) => [
      ...warnings,
      ...skipped.map(({ key, reason }) => `Skipped ${key}: ${reason}.`),
    ]),
    interrupted: measurements.some(({ interrupted }) => interrupted),
  };
}
