import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import { compareSides, needsConfirmation } from './compare/compare.ts';
import type { Comparison, FingerprintDifference } from './compare/comparison.ts';
import { smallestLimit } from './compare/limits.ts';
import {
  defaultPolicy,
  type JudgeContext,
  judge,
  measurementError,
  noBaseline,
  type Policy,
  skipped,
  type Verdict,
} from './compare/verdict.ts';
import { confirm } from './confirmation.ts';
import { MeasurementError } from './errors.ts';
import type { BaselineCommits } from './github/commits.ts';
import { renderCost } from './lambda/cost.ts';
import type { Invoker } from './lambda/invoke.ts';
import type { Interruption } from './lambda/load.ts';
import {
  type MeasuredCommit,
  type MeasuringJob,
  measureCommit,
  planMeasurement,
  resolveMeasuredTarget,
  sourceOf,
} from './measured-commit.ts';
import type { Progress } from './progress.ts';
import { type Baseline, fetchBaseline } from './recordings/baseline.ts';
import { differencesBetween } from './recordings/fingerprint.ts';
import type { Recording } from './recordings/recording.ts';
import { createShardBarrier } from './recordings/shard-barrier.ts';
import { fetchShards } from './recordings/shards.ts';
import { costOf, sideOf } from './recordings/side.ts';
import { type RecordingPlace, storeRecording } from './recordings/store.ts';
import type { Settings } from './settings.ts';

/** The world around the gate. */
export interface Services {
  lambda: Pick<LambdaClient, 'send'>;
  /** Of a function that may run so long; never retries. */
  createInvoker(timeoutSeconds: number): Invoker;
  s3: Pick<S3Client, 'send'>;
  clock: Clock;
  /** Identifies this run to the agents: letters, digits, dots and hyphens. */
  run: string;
  /** The same for all jobs and attempts of a workflow run: where its shards meet. */
  workflowRun: string;
  region: string;
  /** For messages: where a baseline comes from. */
  baseBranch: string;
  /** Commits whose recording may be compared with, best first. */
  fetchBaselineCommits(): Promise<BaselineCommits>;
  /** Paths the change under review touches: evidence for renames. */
  changedFiles: string[];
  /** Files it renames, paths of the repository. */
  renamedFiles?: readonly { from: string; to: string }[];
  /** Where regressions can be accepted: the label that does, and who set it, looked up when it matters. */
  acceptance?: { label: string; fetch(): Promise<JudgeContext['acceptedBy']> };
  progress: Progress;
  /** The checkout of the measured commit: maps of bundles are looked for here. */
  workspace?: string;
  /** A cancelled job: what was measured until then is still published. */
  interruption?: Interruption;
}

/** All that a run found out, as far as it came. */
export interface Outcome {
  verdict: Verdict;
  head?: Recording;
  baseline?: Baseline & { relation: string };
  comparison?: Comparison;
  differences: FingerprintDifference[];
  warnings: string[];
}

/**
 * The whole job: invoke the deployed function, collect the profiles its instances publish, merge them into a recording
 * of this commit, compare it with the base commit's recording, and judge. A measurement that breaks becomes the
 * verdict `error`; what was found until then is in the outcome.
 */
export async function gate(commit: string, settings: Settings, services: Services): Promise<Outcome> {
  const found: Found = { differences: [], warnings: [] };
  try {
    const job = await prepare(commit, settings, services, found);

    const measured = settings.mode === 'compare' ? await mergeShards(job) : await measureCommit(job);
    account(measured, job, found);
    if (settings.mode === 'measure' && !measured.interrupted) return await keepShard(measured.head, job, found);

    const verdict = await judgeMeasured(measured, job, found);
    if (settings.updateBaseline && !measured.interrupted) await keep(measured.head, verdict, job);
    return { ...found, verdict: measured.interrupted ? cancelled(job) : verdict };
  } catch (error) {
    if (!(error instanceof MeasurementError)) throw error;
    return { ...found, verdict: measurementError(error.message, error.checks, error.next) };
  }
}

/** What is found without a baseline that can be read is no verdict, and no reason to lose the measurement either. */
async function judgeMeasured(measured: MeasuredCommit, job: Job, found: Found): Promise<Verdict> {
  try {
    const baseline = await findBaseline(measured, job);
    if (baseline) await compareWith(baseline, measured, job, found);
    return await decide(job, found);
  } catch (error) {
    if (!(error instanceof MeasurementError)) throw error;
    return measurementError(error.message, error.checks, error.next);
  }
}

type Found = Omit<Outcome, 'verdict'>;

/** What every step needs: the one immutable version under test, the plan of its measurement, and where recordings are. */
interface Job extends MeasuringJob {
  services: Services;
  policy: Policy;
  place: RecordingPlace;
  /** Of this job's shard, when it measures only one. */
  shardPlace: RecordingPlace;
  /** Asked once, however many steps want to know. */
  baselineCommits(): Promise<BaselineCommits>;
}

async function prepare(commit: string, settings: Settings, services: Services, found: Found): Promise<Job> {
  services.progress.step(`Resolve ${settings.function.name}`);
  const target = await resolveMeasuredTarget(settings, services);
  const { bucket, baselinePrefix: prefix, key, mode, shard, waitTimeoutMs } = settings;
  const place = { bucket, prefix, functionName: target.functionName, key };
  const shardPlace = { ...place, shard: { workflowRun: services.workflowRun, ...shard } };
  const { s3, clock, interruption } = services;
  const barrier =
    mode === 'measure'
      ? createShardBarrier(s3, shardPlace, commit, clock, waitTimeoutMs, interruption?.stop)
      : undefined;
  const { plan, warnings } = await planMeasurement(target, settings, services, barrier);
  found.warnings.push(...warnings);
  let known: Promise<BaselineCommits> | undefined;
  const baselineCommits = (): Promise<BaselineCommits> => (known ??= services.fetchBaselineCommits());
  const policy = { ...defaultPolicy, ...settings, ...settings.policy };
  const baseCommit = async (): Promise<string> => (await baselineCommits()).commits[0] ?? '';
  return { commit, target, plan, settings, services, policy, place, shardPlace, baselineCommits, baseCommit };
}

async function mergeShards({ commit, settings, services, place }: Job): Promise<MeasuredCommit> {
  services.progress.step(`Merge ${settings.shard.of} shards`);
  const head = await fetchShards(services.s3, place, commit, services.workflowRun, settings.shard.of);
  return { head, warnings: [], interrupted: false };
}

function account({ head, warnings }: MeasuredCommit, { settings, services }: Job, found: Found): void {
  found.head = head;
  found.warnings.push(...warnings);
  const cost = costOf(head.manifest, settings.monthlyInvocations);
  if (cost) services.progress.note(renderCost(cost));
}

/** A shard is stored for the job that merges them all, and decides nothing. */
async function keepShard(
  head: Recording,
  { settings, services, target, shardPlace }: Job,
  found: Found,
): Promise<Outcome> {
  services.progress.step('Store the shard');
  await storeRecording(services.s3, shardPlace, head);
  const next = 'A job with `mode: compare` merges the shards and decides.';
  const { index, of } = settings.shard;
  const headline = `${target.functionName}: shard ${index} of ${of} measured and stored`;
  const verdict = { ...skipped({ functionName: target.functionName, reason: '', next }), headline, reasons: [] };
  return { ...found, verdict };
}

/** The base version when it was measured beside the head, else the recording of the nearest commit that has one. */
async function findBaseline({ base }: MeasuredCommit, job: Job): Promise<Outcome['baseline']> {
  job.services.progress.step('Find the baseline');
  if (base) return { recording: base, distance: 0, relation: 'base version, measured at the same time' };
  const { relation, commits } = await job.baselineCommits();
  const baseline = await fetchBaseline(job.services.s3, job.place, commits);
  return baseline && { ...baseline, relation };
}

async function compareWith(
  baseline: NonNullable<Outcome['baseline']>,
  { head, interrupted }: MeasuredCommit,
  job: Job,
  found: Found,
): Promise<void> {
  const { settings, services, policy, target, plan, commit } = job;
  const { ownCode } = settings.policy;
  const base = baseline.recording;
  services.progress.step(`Compare with ${base.manifest.commit.slice(0, 7)}`);
  const before = sideOf(base, ownCode);
  const after = sideOf(head, ownCode);
  found.baseline = baseline;
  found.warnings.push(...before.warnings, ...after.warnings);
  found.differences = differencesBetween(base.manifest, head.manifest);
  const options = {
    seed: `${base.manifest.commit} ${commit}`,
    alpha: defaultPolicy.alpha,
    minRegression: smallestLimit(policy),
    stored: settings.baseQualifier === '',
    changedFiles: services.changedFiles,
    renames: services.renamedFiles ?? [],
  };
  const screen = compareSides(before.side, after.side, options);
  found.comparison = screen;
  if (interrupted || found.differences.length > 0 || !needsConfirmation(screen)) return;

  // What looks slower is measured again, base and head at the same time, on instances nobody has seen.
  services.progress.step('Measure base and head again to confirm');
  const source = sourceOf(settings);
  const input = { screen, base: base.manifest, head, target, plan, source, ...(ownCode && { ownCode }), options };
  const confirmation = await confirm(input, services);
  if (confirmation.confirmed) found.comparison = confirmation.comparison;
  else found.warnings.push(`Not confirmed: ${confirmation.reason}.`);
}

async function decide({ settings, services, policy, target }: Job, found: Found): Promise<Verdict> {
  const { comparison, differences, baseline } = found;
  const { functionName, memoryMb } = target;
  if (!comparison)
    return noBaseline({ functionName, baseBranch: services.baseBranch, recorded: settings.updateBaseline });
  const verdictWith = (acceptedBy?: JudgeContext['acceptedBy']): Verdict =>
    judge(comparison, policy, {
      functionName,
      differences,
      baselineInterleaved: settings.baseQualifier !== '' || comparison.method.confirmed,
      memoryMb,
      ...(services.acceptance && { acceptLabel: services.acceptance.label }),
      ...(acceptedBy && { acceptedBy }),
    });
  const verdict = verdictWith();
  return verdict.kind === 'fail' && baseline ? verdictWith(await services.acceptance?.fetch()) : verdict;
}

/** Stored whatever the judgement: a baseline that waits for good news gets stale. */
async function keep(head: Recording, verdict: Verdict, { commit, services, place }: Job): Promise<void> {
  services.progress.step('Store the recording');
  head.manifest.verdict = verdict.kind;
  const stored = await storeRecording(services.s3, place, head);
  const short = commit.slice(0, 7);
  services.progress.note(stored === 'stored' ? `${short} stored` : `${short} has one already: kept`);
}

/** Half a measurement is no basis for a verdict, nor for what the next one is compared with. */
function cancelled({ target: { functionName } }: Job): Verdict {
  const verdict = skipped({ functionName, reason: '', next: 'Run the job again.' });
  return { ...verdict, kind: 'inconclusive', headline: `${functionName}: cancelled before all of it was measured` };
}
