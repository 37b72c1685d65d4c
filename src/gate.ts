import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import { compareSides } from './compare/compare.ts';
import { defaultPolicy, judge, measurementError, noBaseline, type Verdict } from './compare/verdict.ts';
import { MeasurementError } from './errors.ts';
import type { BaselineCommits } from './github/commits.ts';
import { createInvoke } from './lambda/invoke.ts';
import { parsePayloads } from './lambda/payloads.ts';
import { assertUnchanged, resolveTarget } from './lambda/target.ts';
import { measure } from './measurement.ts';
import type { Progress } from './progress.ts';
import { type Baseline, fetchBaseline } from './recordings/baseline.ts';
import { differencesBetween } from './recordings/fingerprint.ts';
import { createRecording, type Recording } from './recordings/recording.ts';
import { sideOf } from './recordings/side.ts';
import { storeRecording } from './recordings/store.ts';
import { seededRandom } from './seeded-random.ts';
import type { Settings } from './settings.ts';
import { TOOL } from './version.ts';

/** The world around the gate. */
export interface Services {
  lambda: Pick<LambdaClient, 'send'>;
  s3: Pick<S3Client, 'send'>;
  clock: Clock;
  /** Identifies this run to the agents: letters, digits, dots and hyphens. */
  run: string;
  region: string;
  /** For messages: where a baseline comes from. */
  baseBranch: string;
  /** Commits whose recording may be compared with, best first. */
  fetchBaselineCommits(): Promise<BaselineCommits>;
  /** Paths the change under review touches: evidence for renames. */
  changedFiles: string[];
  progress: Progress;
}

/** All that a run found out, as far as it came. */
export interface Outcome {
  verdict: Verdict;
  head?: Recording;
  baseline?: Baseline & { relation: string };
  comparison?: ReturnType<typeof compareSides>;
  differences: ReturnType<typeof differencesBetween>;
  warnings: string[];
}

const READY_TIMEOUT_MS = 5 * 60_000;

/**
 * The whole job: invoke the deployed function, collect the profiles its instances publish, merge them into a recording
 * of this commit, compare it with the base commit's recording, and judge. A measurement that breaks becomes the
 * verdict `error`; what was found until then is in the outcome.
 */
export async function gate(commit: string, settings: Settings, services: Services): Promise<Outcome> {
  const { lambda, s3, clock, run, progress } = services;
  const outcome: Partial<Outcome> & Pick<Outcome, 'differences' | 'warnings'> = { differences: [], warnings: [] };
  try {
    progress.step(`Resolve ${settings.function.name}`);
    const target = await resolveTarget(lambda, settings.function, services.region, clock, READY_TIMEOUT_MS);

    // Invoke and collect.
    const payloads = parsePayloads(settings.payload, 'the input payload', seededRandom(settings.payload));
    const source = {
      bucket: settings.bucket,
      prefix: settings.prefix,
      stack: settings.stack,
      types: settings.profileTypes,
    };
    const plan = { ...settings, payloads, source, run, commit };
    const measurement = await measure(target, plan, createInvoke(lambda, target, clock), s3, clock, progress);
    await assertUnchanged(lambda, target);

    // Merge.
    progress.step('Merge the snapshots');
    const measuredAt = new Date(clock.nowMs()).toISOString();
    const head = createRecording({ tool: TOOL, target, key: settings.key, commit, run, measuredAt, ...measurement });
    outcome.head = head;
    outcome.warnings.push(...measurement.skipped.map(({ key, reason }) => `Skipped ${key}: ${reason}.`));

    // Compare with the base commit's recording.
    progress.step('Find the baseline');
    const place = {
      bucket: settings.bucket,
      prefix: settings.baselinePrefix,
      functionName: target.functionName,
      key: settings.key,
    };
    const { relation, commits } = await services.fetchBaselineCommits();
    const baseline = await fetchBaseline(s3, place, commits);
    if (baseline) {
      progress.step(`Compare with ${baseline.recording.manifest.commit.slice(0, 7)}`);
      const base = sideOf(baseline.recording);
      const side = sideOf(head);
      outcome.warnings.push(...base.warnings, ...side.warnings);
      outcome.baseline = { ...baseline, relation };
      outcome.differences = differencesBetween(baseline.recording.manifest, head.manifest);
      outcome.comparison = compareSides(base.side, side.side, {
        seed: `${baseline.recording.manifest.commit} ${commit}`,
        alpha: defaultPolicy.alpha,
        minRegression: settings.warnThreshold,
        changedFiles: services.changedFiles,
      });
    }

    // Judge, and keep what was measured whatever the judgement: a baseline that waits for good news gets stale.
    const functionName = target.functionName;
    const verdict = outcome.comparison
      ? judge(
          outcome.comparison,
          { ...defaultPolicy, ...settings },
          {
            functionName,
            differences: outcome.differences,
            baselineInterleaved: false,
            memoryMb: target.memoryMb,
          },
        )
      : noBaseline({ functionName, baseBranch: services.baseBranch, recorded: settings.updateBaseline });
    outcome.verdict = verdict;
    if (settings.updateBaseline) {
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
