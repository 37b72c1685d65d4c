import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import type { Check } from './compare/verdict.ts';
import { MeasurementError } from './errors.ts';
import { flushInstances } from './lambda/flush.ts';
import type { Invocation, Invoke } from './lambda/invoke.ts';
import { countColdStarts, type LoadProgress, runLoad } from './lambda/load.ts';
import { type Payloads, payloadAt } from './lambda/payloads.ts';
import type { FlushReply } from './lambda/run-protocol.ts';
import type { Target } from './lambda/target.ts';
import {
  awaitSnapshots,
  type Collected,
  collectSnapshots,
  listSnapshots,
  type SkippedObject,
  type SnapshotSource,
} from './snapshots/collect.ts';
import { snapshotPrefix } from './snapshots/layout.ts';
import type { Snapshot } from './snapshots/window.ts';

export interface MeasurementPlan {
  payloads: Payloads;
  invocations: number;
  warmupInvocations: number;
  concurrency: number;
  source: SnapshotSource;
  waitTimeoutMs: number;
  run: string;
  commit: string;
}

/** Everything one run of the load left behind. */
export interface Measurement {
  invocations: Invocation[];
  snapshots: Snapshot[];
  skipped: SkippedObject[];
}

/** What the measurement tells while it goes on. */
export interface MeasurementProgress {
  step(name: string): void;
  load(progress: LoadProgress): void;
}

const MAX_LOAD_MS = 15 * 60_000;

/**
 * Invokes the target, has its instances publish, and collects what they published.
 * @throws MeasurementError when there is nothing to decide on: no agent, no permission, no usable snapshot
 */
export async function measure(
  target: Target,
  plan: MeasurementPlan,
  invoke: Invoke,
  s3: Pick<S3Client, 'send'>,
  clock: Clock,
  progress: MeasurementProgress,
): Promise<Measurement> {
  const { source, run, commit } = plan;
  const label = `${target.functionName}:${target.version}`;

  const before = await listSnapshots(s3, source);

  progress.step(`Invoke ${label}`);
  const load = { ...plan, label, maxDurationMs: MAX_LOAD_MS };
  const invocations = await runLoad(invoke, load, clock, (state) => progress.load(state));

  progress.step('Flush the instances');
  const ran = invocations.filter(({ op, status }) => op === 'invoke' && status !== 'throttled').length;
  const instances = Math.max(Math.min(plan.concurrency, ran), countColdStarts(invocations));
  const payload = payloadAt(plan.payloads, 0);
  const { replies } = await flushInstances(invoke, { payload, run, commit, instances, invocations: ran });
  refuseFailedPublishing(replies, target, source);

  progress.step('Collect the snapshots');
  const wanted = { source, before, run, functionName: target.functionName };
  const pulse = (): Promise<unknown> =>
    Promise.all(Array.from({ length: plan.concurrency }, () => invoke(payload, { op: 'invoke', run, commit })));
  const collected =
    replies.length > 0
      ? await collectSnapshots(s3, wanted)
      : await awaitSnapshots(s3, { ...wanted, instances, timeoutMs: plan.waitTimeoutMs }, pulse, clock);
  refuseNothing(collected, replies, before.length, plan, label, ran);
  return { invocations, ...collected };
}

/** Agents that answered but could not publish know why: nobody should have to guess. */
function refuseFailedPublishing(replies: FlushReply[], target: Target, source: SnapshotSource): void {
  const failures = replies.flatMap((reply) => reply.failures);
  if (failures.length === 0 || replies.some(({ published }) => published.length > 0)) return;
  const { code } = failures[0]!;
  const place = `s3://${source.bucket}/${snapshotPrefix(source.prefix, source.stack)}`;
  const denied = /denied|forbidden|403/i.test(code);
  throw new MeasurementError(
    `Cannot collect profiles of ${target.functionName}: its agent could not write to ${place} (${code.replace(/[^\w .-]/g, '?').slice(0, 80)}).`,
    denied
      ? 'Add s3:PutObject on that path to the role of the function, as in docs/iam.md.'
      : 'Check LAMBDA_PROFILE_BUCKET of the function, and that it reaches S3 (in a VPC, through a gateway endpoint).',
    [
      { what: 'Agent inside the function', state: 'ok', found: `${replies.length} instances answered the flush` },
      { what: `Publish to ${place}`, state: 'failed', found: code },
    ],
  );
}

function refuseNothing(
  { snapshots, skipped }: Collected,
  replies: FlushReply[],
  knownBefore: number,
  plan: MeasurementPlan,
  label: string,
  ran: number,
): void {
  if (snapshots.length > 0) return;
  const { source, waitTimeoutMs } = plan;
  const place = `s3://${source.bucket}/${snapshotPrefix(source.prefix, source.stack)}`;
  const published = replies.reduce((sum, reply) => sum + reply.published.length, 0);
  const checks: Check[] = [
    { what: `Invoke ${label}`, state: 'ok', found: `${ran} invocations ran` },
    replies.length > 0
      ? {
          what: 'Agent inside the function',
          state: 'ok',
          found: `${replies.length} flushes were answered, ${published} snapshots published`,
        }
      : {
          what: 'Agent inside the function',
          state: 'failed',
          found: 'no answer to the flush: not installed or switched off',
        },
    {
      what: `Snapshots (${source.types.join(', ')}) in ${place}`,
      state: 'failed',
      found: `none of this run, ${knownBefore} from before, ${skipped.length} unreadable`,
    },
    ...skipped.slice(0, 5).map(({ key, reason }): Check => ({ what: key, state: 'failed', found: reason })),
  ];
  if (skipped.length > 0)
    throw new MeasurementError(
      `Cannot use any of the ${skipped.length} snapshots of ${label}: ${skipped[0]!.reason}.`,
      'Check what else writes to that path; the keys are listed in the report.',
      checks,
    );
  if (replies.length > 0)
    throw new MeasurementError(
      `Cannot find the snapshots that ${label} published in ${place}.`,
      'Let s3-bucket, s3-prefix and stack name what LAMBDA_PROFILE_BUCKET, LAMBDA_PROFILE_PREFIX and LAMBDA_PROFILE_STACK of the function name.',
      checks,
    );
  throw new MeasurementError(
    `Cannot profile ${label}: no agent answered, and no snapshot appeared in ${place} within ${Math.round(waitTimeoutMs / 1000)} s.`,
    'Attach the agent layer and set AWS_LAMBDA_EXEC_WRAPPER and LAMBDA_PROFILE_BUCKET on this version of the function (docs/agent.md).',
    checks,
  );
}
