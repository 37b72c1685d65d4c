import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import { compareSides, needsConfirmation } from './compare/compare.ts';
import { smallestLimit } from './compare/limits.ts';
import {
  defaultPolicy,
  type JudgeContext,
  judge,
  measurementError,
  noBaseline,
  skipped,
  type Verdict,
} from './compare/verdict.ts';
import { confirm } from './confirmation.ts';
import { MeasurementError } from './errors.ts';
import type { BaselineCommits } from './github/commits.ts';
import { type Cost, computeCost, renderCost } from './lambda/cost.ts';
import type { Interruption } from './lambda/load.ts';
import { measureCommit, planMeasurement, resolveMeasuredTarget, sourceOf } from './measured-commit.ts';
import type { Progress } from './progress.ts';
import { type Baseline, fetchBaseline } from './recordings/baseline.ts';
import { differencesBetween } from './recordings/fingerprint.ts';
import type { Manifest, Recording } from './recordings/recording.ts';
import { createShardBarrier } from './recordings/shard-barrier.ts';
import { fetchShards } from './recordings/shards.ts';
import { sideOf } from './recordings/side.ts';
import { storeRecording } from './recordings/store.ts';
import type { Settings } from './settings.ts';

/** The world around the gate. */
export interface Services {
  lambda: Pick<LambdaClient, 'send'>;
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
  /** Where regressions can be accepted: the label that does, and who set it, looked up when it matters. */
  acceptance?: { label: string; fetch(): Promise<JudgeContext['acceptedBy']> };
  progress: Progress;
  /** A cancelled job: what was measured until then is still published. */
  interruption?: Interruption;
}

/** All that a run found out, as far as it came. */
export interface Outcome {
  verdict: Verdict;
  head?: Recording;
  baseline?: Baseline & { relation: string };
  comparison?: ReturnType<typeof compareSides>;
  differences: ReturnType<typeof differencesBetween>;
  /** Of the measured version, at list prices; not set when its billed time is not known. */
  cost?: Cost | undefined;
  warnings: string[];
}

/**
 * The whole job: invoke the deployed function, collect the profiles its instances publish, merge them into a recording
 * of this commit, compare it with the base commit's recording, and judge. A measurement that breaks becomes the
 * verdict `error`; what was found until then is in the outcome.
 */
export async function gate(commit: string, settings: Settings, services: Services): Promise<Outcome> {
  const { s3, progress } = services;
  const { ownCode } = settings.policy;
  const policy = { ...defaultPolicy, ...settings, ...settings.policy };
  const outcome: Partial<Outcome> & Pick<Outcome, 'differences' | 'warnings'> = { differences: [], warnings: [] };
  try {
    progress.step(`Resolve ${settings.function.name}`);
    const target = await resolveMeasuredTarget(settings, services);
    const { functionName } = target;
    const place = { bucket: settings.bucket, prefix: settings.baselinePrefix, functionName, key: settings.key };
    const shard = { ...place, shard: { workflowRun: services.workflowRun, ...settings.shard } };
    const barrier =
      settings.mode === 'measure'
        ? createShardBarrier(s3, shard, commit, services.clock, settings.waitTimeoutMs, services.interruption?.stop)
        : undefined;
    const { plan, warnings } = await planMeasurement(target, settings, services, barrier);
    outcome.warnings.push(...warnings);

    // Invoke, collect, merge.
    let base: Recording | undefined;
    let interrupted = false;
    let known: Promise<BaselineCommits> | undefined;
    const fetchBaselineCommits = (): Promise<BaselineCommits> => (known ??= services.fetchBaselineCommits());
    if (settings.mode === 'compare') {
      progress.step(`Merge ${settings.shard.of} shards`);
      outcome.head = await fetchShards(s3, place, commit, services.workflowRun, settings.shard.of);
    } else {
      const baseCommit = async () => (await fetchBaselineCommits()).commits[0] ?? '';
      const measured = await measureCommit(target, commit, baseCommit, plan, settings, services);
      ({ head: outcome.head, base, interrupted } = measured);
      outcome.warnings.push(...measured.warnings);
    }
    const { head } = outcome;
    outcome.cost = costOf(head.manifest, settings.monthlyInvocations);
    if (outcome.cost) progress.note(renderCost(outcome.cost, settings.monthlyInvocations));
    if (settings.mode === 'measure' && !interrupted) {
      progress.step('Store the shard');
      await storeRecording(s3, shard, head);
      outcome.verdict = shardStored(functionName, settings.shard);
      return outcome as Outcome;
    }

    // Compare with the base commit's recording.
    progress.step('Find the baseline');
    const { relation, commits } = await fetchBaselineCommits();
    const baseline = base ? { recording: base, distance: 0 } : await fetchBaseline(s3, place, commits);
    if (baseline) {
      progress.step(`Compare with ${baseline.recording.manifest.commit.slice(0, 7)}`);
      const before = sideOf(baseline.recording, ownCode);
      const side = sideOf(head, ownCode);
      outcome.warnings.push(...before.warnings, ...side.warnings);
      outcome.baseline = { ...baseline, relation: base ? 'base version, measured at the same time' : relation };
      outcome.differences = differencesBetween(baseline.recording.manifest, head.manifest);
      const options = {
        seed: `${baseline.recording.manifest.commit} ${commit}`,
        alpha: defaultPolicy.alpha,
        minRegression: smallestLimit(policy),
        changedFiles: services.changedFiles,
      };
      outcome.comparison = compareSides(before.side, side.side, options);

      // What looks slower is measured again, base and head at the same time, on instances nobody has seen.
      if (needsConfirmation(outcome.comparison) && outcome.differences.length === 0 && !interrupted) {
        progress.step('Measure base and head again to confirm');
        const input = {
          screen: outcome.comparison,
          base: baseline.recording.manifest,
          head,
          target,
          plan,
          source: sourceOf(settings),
          ...(ownCode && { ownCode }),
          options,
        };
        const confirmation = await confirm(input, services);
        if (confirmation.confirmed) outcome.comparison = confirmation.comparison;
        else outcome.warnings.push(`Not confirmed: ${confirmation.reason}.`);
      }
    }

    // Judge, and keep what was measured whatever the judgement: a baseline that waits for good news gets stale.
    const { comparison } = outcome;
    const decide = (acceptedBy?: JudgeContext['acceptedBy']): Verdict =>
      comparison
        ? judge(comparison, policy, {
            functionName,
            differences: outcome.differences,
            baselineInterleaved: base !== undefined || comparison.method.confirmed,
            memoryMb: target.memoryMb,
            ...(services.acceptance && { acceptLabel: services.acceptance.label }),
            ...(acceptedBy && { acceptedBy }),
          })
        : noBaseline({ functionName, baseBranch: services.baseBranch, recorded: settings.updateBaseline });
    let verdict = decide();
    if (verdict.kind === 'fail') verdict = decide(await services.acceptance?.fetch());
    outcome.verdict = interrupted ? cancelled(functionName) : verdict;
    // Half a measurement must not become what the next one is compared with.
    if (settings.updateBaseline && !interrupted) {
      progress.step('Store the recording');
      head.manifest.verdict = verdict.kind;
      const stored = await storeRecording(s3, place, head);
      progress.note(
        stored === 'stored' ? `${commit.slice(0, 7)} stored` : `${commit.slice(0, 7)} has one already: kept`,
      );
    }
  } catch (error) {
    if (!(error instanceof MeasurementError)) throw error;
    outcome.verdict = measurementError(error.message, error.checks, error.next);
  }
  return outcome as Outcome;
}

function costOf({ fingerprint, reports }: Manifest, monthlyInvocations: number): Cost | undefined {
  const { region, architecture, memoryMb } = fingerprint;
  const { billedMeanMs } = reports;
  if (billedMeanMs === null) return undefined;
  return computeCost({ region, architecture, memoryMb, billedMeanMs, monthlyInvocations });
}

/** A shard decides nothing. */
function shardStored(functionName: string, { index, of }: Settings['shard']): Verdict {
  const verdict = skipped({
    functionName,
    reason: '',
    next: 'A job with `mode: compare` merges the shards and decides.',
  });
  return { ...verdict, headline: `${functionName}: shard ${index} of ${of} measured and stored`, reasons: [] };
}

function cancelled(functionName: string): Verdict {
  const verdict = skipped({ functionName, reason: '', next: 'Run the job again.' });
  return { ...verdict, kind: 'inconclusive', headline: `${functionName}: cancelled before all of it was measured` };
}
