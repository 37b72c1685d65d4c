import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from './clock.ts';
import { MeasurementError } from './errors.ts';
import {
  type Account,
  accountWarnings,
  addInvocation,
  assertBalanced,
  countRan,
  countSent,
  createAccount,
} from './lambda/account.ts';
import { flushInstances } from './lambda/flush.ts';
import {
  createPendingReports,
  type InstanceReports,
  noteAnswer,
  type PendingReports,
  reportsByInstance,
} from './lambda/instance-reports.ts';
import { bringUpInstances } from './lambda/instances.ts';
import type { Invoke } from './lambda/invoke.ts';
import { type Interruption, type LoadPlan, type LoadProgress, type LoadSide, runLoad } from './lambda/load.ts';
import { payloadAt } from './lambda/payloads.ts';
import type { FlushReply } from './lambda/run-protocol.ts';
import type { Target } from './lambda/target.ts';
import { ONE_AT_A_TIME, refuseFailedPublishing, refuseNothing } from './measurement-checks.ts';
import type { ShardBarrier } from './recordings/shard-barrier.ts';
import { settleAll } from './settle.ts';
import {
  awaitSnapshots,
  type Collected,
  collectSnapshots,
  type ListedSnapshot,
  listSnapshots,
  type SkippedObject,
  type SnapshotSource,
} from './snapshots/collect.ts';
import { instanceOf, type Snapshot } from './snapshots/window.ts';

/** One version to measure. */
export interface MeasuredVersion {
  target: Target;
  invoke: Invoke;
  source: SnapshotSource;
  commit: string;
  /** Instances that are known already and must not be in the result: others are brought up beside them. */
  exclude?: ReadonlySet<string>;
}

export interface MeasurementPlan extends Omit<LoadPlan, 'concurrency'> {
  /** Instances of a version to measure; so many calls are in flight, and more while others are excluded. */
  concurrency: number;
  waitTimeoutMs: number;
  run: string;
  /** CPU to sample of each version, in ms: after `invocations`, the load goes on until there is so much. */
  minCpuMs?: number;
  /**
   * Shards that measure this run at the same time. They share the run and its instances, so each takes the windows
   * that its own flushes made instances publish, and asks until no instance has any.
   */
  shards?: number;
  /** Where shards wait for each other before they flush. */
  barrier?: ShardBarrier;
}

/** Everything one run of the load left behind of one version. */
export interface Measurement {
  account: Account;
  snapshots: Snapshot[];
  skipped: SkippedObject[];
  /** Ids of all instances that took part, the excluded ones too: exclude them, and the next measurement has fresh ones. */
  instances: Set<string>;
  /** Invocations that excluded instances ran. */
  excludedInvocations: number;
  /** Instance -> largest memory of its process in MB. */
  maxMemoryMb: Map<string, number>;
  /** Instance -> what the platform reported of it. */
  instanceReports: Map<string, InstanceReports>;
  /** Sentences a reader must know. */
  warnings: string[];
  /** The job was cancelled before everything was sent. */
  interrupted: boolean;
}

/** What the measurement tells while it goes on. */
export interface MeasurementProgress {
  step(name: string): void;
  load(progress: LoadProgress): void;
}

/** An extension fills a further slot of every instance, and the agents keep three. */
const MAX_EXTENSIONS = 2;
/** An extension is this much longer than the CPU budget needs by what was seen: code gets faster as it warms up. */
const EXTENSION_MARGIN = 1.25;

/**
 * Invokes a version, has its instances publish, and collects what they published.
 * @param interruption ends the load early; what was measured until then is still published and collected
 * @throws MeasurementError when there is nothing to decide on: no agent, no permission, no usable snapshot
 */
export async function measure(
  version: MeasuredVersion,
  plan: MeasurementPlan,
  s3: Pick<S3Client, 'send'>,
  clock: Clock,
  progress: MeasurementProgress,
  interruption?: Interruption,
): Promise<Measurement> {
  return (await measureVersions([version], plan, s3, clock, progress, interruption))[0]!;
}

/**
 * Measures two versions of a function at the same time, call by call: the same payloads in the same order, neither
 * further ahead than a few calls. Whatever drifts, drifts for both.
 * @throws MeasurementError as `measure` does, and when the agent does not say which version a snapshot is of
 */
export async function measureInterleaved(
  base: MeasuredVersion,
  head: MeasuredVersion,
  plan: MeasurementPlan,
  s3: Pick<S3Client, 'send'>,
  clock: Clock,
  progress: MeasurementProgress,
  interruption?: Interruption,
): Promise<{ base: Measurement; head: Measurement }> {
  const [ofBase, ofHead] = await measureVersions([base, head], plan, s3, clock, progress, interruption);
  return { base: ofBase!, head: ofHead! };
}

/** A version while it is measured. */
export interface MeasuredSide extends LoadSide {
  version: MeasuredVersion;
  account: Account;
  census: Set<string>;
  before: ListedSnapshot[];
  replies: FlushReply[];
  collected: Collected;
  maxMemoryMb: Map<string, number>;
  reports: PendingReports;
  warnings: string[];
}

async function measureVersions(
  versions: readonly MeasuredVersion[],
  plan: MeasurementPlan,
  s3: Pick<S3Client, 'send'>,
  clock: Clock,
  progress: MeasurementProgress,
  interruption?: Interruption,
): Promise<Measurement[]> {
  const sides = await settleAll(
    versions.map(async (version, i): Promise<MeasuredSide> => {
      const account = createAccount();
      const reports = createPendingReports();
      return {
        version,
        label: `${version.target.functionName}:${version.target.version}`,
        async invoke(...call) {
          const answer = await version.invoke(...call);
          noteAnswer(reports, answer);
          return answer;
        },
        // Versions of one function share a stack: the run is what tells their windows apart.
        run: versions.length > 1 ? `${plan.run}.${i === 0 ? 'base' : 'head'}` : plan.run,
        commit: version.commit,
        sent: (op) => countSent(account, op),
        record: (invocation) => addInvocation(account, invocation),
        account,
        census: new Set(),
        before: await listSnapshots(s3, version.source),
        replies: [],
        collected: { snapshots: [], skipped: [], otherRuns: [], warnings: [] },
        maxMemoryMb: new Map(),
        reports,
        warnings: [],
      };
    }),
  );
  const labels = sides.map(({ label }) => label).join(' and ');
  const payload = payloadAt(plan.payloads, 0);

  progress.step(`Bring up ${plan.concurrency} instances of ${labels}`);
  await settleAll(
    sides.map(async (side) => {
      const census = await bringUpInstances(side, plan.concurrency, payload, side.version.exclude, interruption?.stop);
      side.census = census.ids;
      const fresh = [...census.ids].filter((id) => !side.version.exclude?.has(id)).length;
      if (census.ids.size > 0 && fresh < plan.concurrency && !interruption?.stop.aborted)
        side.warnings.push(
          `Only ${fresh} of ${plan.concurrency} instances of ${side.label} could be brought up${census.throttled > 0 ? `: Lambda throttled ${census.throttled} calls` : ''}.`,
        );
    }),
  );

  // Excluded instances take their share of the calls, so there are more calls: a fresh instance gets as many as ever.
  const alive = sides.map(({ census, version }) => [...census].filter((id) => version.exclude?.has(id)).length);
  const concurrency = plan.concurrency + Math.max(...alive);
  const scale = concurrency / plan.concurrency;

  await plan.barrier?.enter();
  const deadlineMs = clock.monotonicMs() + plan.maxDurationMs;
  let interrupted = false;
  for (let extension = 0, invocations = Math.ceil(plan.invocations * scale); ; extension++) {
    progress.step(extension === 0 ? `Invoke ${labels}` : `Invoke ${labels} further: too little CPU was sampled`);
    const load: LoadPlan = {
      ...plan,
      concurrency,
      invocations,
      ...(extension > 0 && { warmupInvocations: 0 }),
      maxDurationMs: deadlineMs - clock.monotonicMs(),
    };
    const end = await runLoad(sides, load, clock, (state) => progress.load(state), interruption);
    interrupted = end === 'interrupted';
    if (end === 'wall-cap' && extension === 0)
      for (const side of sides) side.warnings.push(wallCapWarning(side, invocations, plan.maxDurationMs));

    await plan.barrier?.leave();
    progress.step('Flush the instances');
    await settleAll(sides.map((side) => flush(side, plan, concurrency, payload, clock)));
    progress.step('Collect the snapshots');
    await settleAll(sides.map((side) => collect(side, plan, concurrency, payload, s3, clock, interruption?.stop)));

    const next = furtherInvocations(sides, plan.minCpuMs ?? 0);
    if (next === 0 || interrupted || end === 'wall-cap') break;
    if (extension === MAX_EXTENSIONS || clock.monotonicMs() >= deadlineMs) break;
    invocations = next;
  }
  return sides.map((side) => {
    assertBalanced(side.account);
    if (interrupted && countRan(side.account) === 0)
      throw new MeasurementError(
        `Cannot measure ${side.label}: the job was cancelled before anything was measured.`,
        'Run the job again.',
      );
    refuseNothing(side, plan, versions.length > 1);
    return resultOf(side, plan, versions.length > 1, interrupted);
  });
}

function wallCapWarning({ label, account }: MeasuredSide, invocations: number, maxDurationMs: number): string {
  return `Only ${countRan(account)} of ${invocations} invocations of ${label} were sent within max-duration (${Math.round(maxDurationMs / 1000)} s).`;
}

async function flush(
  side: MeasuredSide,
  plan: MeasurementPlan,
  concurrency: number,
  payload: Uint8Array,
  clock: Clock,
): Promise<void> {
  const { account, version } = side;
  const shards = plan.shards ?? 1;
  const ran = countRan(account) - side.replies.reduce((sum, { invocations }) => sum + invocations, 0);
  const alive = Math.max(Math.min(concurrency, countRan(account)), account.coldStarts, side.census.size) * shards;
  const invocations = shards > 1 ? Number.POSITIVE_INFINITY : ran;
  const { replies, maxMemoryMb } = await flushInstances(side, { payload, instances: alive, invocations }, clock);
  side.replies.push(...replies);
  for (const [instance, megabytes] of maxMemoryMb)
    side.maxMemoryMb.set(instance, Math.max(megabytes, side.maxMemoryMb.get(instance) ?? 0));
  refuseFailedPublishing(side.replies, version.target, version.source);
}

/** Adds what was published since the last time: slots are reused, so no window may wait for the end. */
async function collect(
  side: MeasuredSide,
  plan: MeasurementPlan,
  concurrency: number,
  payload: Uint8Array,
  s3: Pick<S3Client, 'send'>,
  clock: Clock,
  stop: AbortSignal | undefined,
): Promise<void> {
  const { version, run } = side;
  const { functionName, version: functionVersion } = version.target;
  const wanted = { source: version.source, before: side.before, run, functionName, functionVersion };
  const pulse = (): Promise<unknown> =>
    settleAll(
      Array.from({ length: concurrency }, async () => {
        const { invocation } = await side.invoke(payload, { op: 'invoke', run, commit: side.commit });
        side.record({ ...invocation, op: 'flush' });
      }),
    );
  const instances = Math.max(Math.min(concurrency, countRan(side.account)), side.account.coldStarts);
  const found =
    side.replies.length > 0
      ? await collectSnapshots(s3, wanted)
      : await awaitSnapshots(s3, { ...wanted, instances, timeoutMs: plan.waitTimeoutMs }, pulse, clock, stop);
  const published = new Set(side.replies.flatMap((reply) => reply.published.map(({ etag }) => unquoted(etag))));
  const isOurs = (etag: string): boolean => (plan.shards ?? 1) === 1 || published.has(unquoted(etag));
  const known = new Set(side.collected.snapshots.map(identityOf));
  side.collected.snapshots.push(
    ...found.snapshots.filter((snapshot) => !known.has(identityOf(snapshot)) && isOurs(snapshot.etag)),
  );
  side.collected.skipped = found.skipped;
  // The other version of an interleaved measurement has a run of the same name.
  side.collected.otherRuns = found.otherRuns.filter((other) => !other.startsWith(plan.run));
  side.warnings.push(...found.warnings);
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}

function identityOf({ key, etag }: Snapshot): string {
  return `${key} ${etag}`;
}

/** Invocations that are still needed of each side for the CPU budget; 0 when it is met, or CPU is not known. */
function furtherInvocations(sides: readonly MeasuredSide[], minCpuMs: number): number {
  const missing = sides.map(({ replies }) => {
    const cpuMs = replies.reduce((sum, reply) => sum + reply.cpuMs, 0);
    const ran = replies.reduce((sum, reply) => sum + reply.invocations, 0);
    return cpuMs >= minCpuMs || cpuMs === 0 ? 0 : Math.ceil(((minCpuMs - cpuMs) / (cpuMs / ran)) * EXTENSION_MARGIN);
  });
  return Math.max(...missing);
}

function resultOf(side: MeasuredSide, plan: MeasurementPlan, interleaved: boolean, interrupted: boolean): Measurement {
  const { account, census, collected, version, maxMemoryMb, label, warnings } = side;
  const isExcluded = (snapshot: Snapshot): boolean => version.exclude?.has(instanceOf(snapshot)) === true;
  const excludedWindows = new Map(
    collected.snapshots
      .filter(isExcluded)
      .flatMap((one) =>
        one.window ? [[`${one.window.instance} ${one.window.sequence}`, one.window.invocations.n]] : [],
      ),
  );
  const cpuMs = side.replies.reduce((sum, reply) => sum + reply.cpuMs, 0);
  if (plan.minCpuMs !== undefined && cpuMs < plan.minCpuMs && side.replies.length > 0)
    warnings.push(
      `${(cpuMs / 1000).toFixed(1)} s of CPU were sampled of ${label}, less than min-cpu-seconds (${plan.minCpuMs / 1000}). Raise invocations or max-duration.`,
    );
  const covered = new Map(
    collected.snapshots.flatMap(({ window }) =>
      window ? [[`${window.instance} ${window.sequence}`, Number(window.invocations.n)]] : [],
    ),
  );
  const told = [...covered.values()].reduce((sum, n) => sum + n, 0);
  if (collected.otherRuns.length > 0 && told < countRan(account))
    warnings.push(
      `Another run measured ${label} at the same time: the snapshots tell of ${told} of ${countRan(account)} invocations. ${ONE_AT_A_TIME}`,
    );
  if (interrupted)
    warnings.push(
      `The job was cancelled after ${countRan(account)} invocations of ${label}: this is what they showed.`,
    );
  return {
    account,
    snapshots: collected.snapshots.filter(
      (snapshot) => !isExcluded(snapshot) && (snapshot.window?.functionVersion || !interleaved),
    ),
    skipped: collected.skipped,
    instances: new Set([
      ...census,
      ...side.replies.map(({ instance }) => instance),
      ...collected.snapshots.map(instanceOf),
    ]),
    excludedInvocations: [...excludedWindows.values()].reduce<number>((sum, n) => sum + Number(n), 0),
    maxMemoryMb,
    instanceReports: reportsByInstance(side.reports),
    warnings: [...warnings, ...accountWarnings(account, label)],
    interrupted,
  };
}
