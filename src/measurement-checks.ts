import type { Check } from './compare/verdict.ts';
import { MeasurementError } from './errors.ts';
import { countRan } from './lambda/account.ts';
import type { FlushReply } from './lambda/run-protocol.ts';
import type { Target } from './lambda/target.ts';
import type { MeasuredSide, MeasurementPlan } from './measurement.ts';
import type { SnapshotSource } from './snapshots/collect.ts';
import { snapshotPrefix } from './snapshots/layout.ts';
import { instanceOf } from './snapshots/window.ts';

/**
 * Agents that answered but could not publish know why: nobody should have to guess.
 * @throws MeasurementError when none of them published anything
 */
export function refuseFailedPublishing(replies: FlushReply[], target: Target, source: SnapshotSource): void {
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

/** For runs that meet the same instances. */
export const ONE_AT_A_TIME =
  'Let runs of one function wait for each other: give the workflow a `concurrency` group, without cancel-in-progress.';

/**
 * Nothing to decide on: says what was looked for, where, and what was found.
 * @throws MeasurementError unless there is a snapshot to use
 */
export function refuseNothing(
  side: MeasuredSide,
  { waitTimeoutMs, shards = 1 }: MeasurementPlan,
  interleaved: boolean,
): void {
  const { replies, label } = side;
  const { skipped } = side.collected;
  const { source, exclude } = side.version;
  const ran = countRan(side.account);
  const knownBefore = side.before.length;
  if (interleaved && side.collected.snapshots.length > 0 && side.collected.snapshots.every(({ window }) => !window))
    throw new MeasurementError(
      `Cannot measure two versions of ${side.version.target.functionName} at once: its snapshots do not say which version they are of.`,
      'Attach the agent layer to both versions, or measure without base-qualifier.',
    );
  if (side.collected.snapshots.some((snapshot) => !exclude?.has(instanceOf(snapshot)))) return;
  if (side.collected.snapshots.length > 0)
    throw new MeasurementError(
      `Cannot confirm on fresh instances of ${label}: all ${exclude?.size} that answered were measured before.`,
      'Raise the concurrency that the account or the function allows.',
    );
  // Another shard may have flushed every instance first: its recording has their windows.
  if (shards > 1 && replies.length > 0) return;
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
  if (side.collected.otherRuns.length > 0)
    throw new MeasurementError(
      `Cannot measure ${label}: another run measured it at the same time, and their snapshots took each other's place.`,
      ONE_AT_A_TIME,
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
