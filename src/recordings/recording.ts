import * as z from 'zod';
import { type Account, countRan } from '../lambda/account.ts';
import type { InstanceReports } from '../lambda/instance-reports.ts';
import type { Target } from '../lambda/target.ts';
import type { Profile } from '../pprof/columns.ts';
import { filterProfile } from '../pprof/filter.ts';
import { labelProfile, mergeProfiles, withComments } from '../pprof/merge.ts';
import { PROFILE_TYPES, type ProfileType } from '../snapshots/layout.ts';
import { foldSnapshots, instanceOf, type Snapshot, type Window } from '../snapshots/window.ts';
import { loadOf, loadSchema, reportsOf, reportsSchema } from './load-account.ts';

/** The label that tells which instance a sample came from: instances are the replicates of the statistics. */
export const INSTANCE_LABEL = 'lambda-profile.instance';

const text = z.string().max(512);
const quantity = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

const fingerprintSchema = z.object({
  memoryMb: quantity,
  architecture: text,
  runtime: text,
  region: text,
  language: text,
  agent: text,
  engine: text,
  intervalUs: quantity,
  flags: z.array(text).max(20),
});

/** Whatever must be equal for two recordings to be comparable. */
export type Fingerprint = z.infer<typeof fingerprintSchema>;

const instanceSchema = z.object({
  id: text,
  windows: quantity,
  invocations: quantity,
  errors: quantity,
  /** Cold starts inside the measured windows: their CPU is start-up, not the handler's. */
  cold: quantity,
  /** Of the process, inside invocations; null when the producer does not say. */
  cpuMs: quantity.nullable(),
  activeMs: quantity.nullable(),
  durationP50Ms: quantity.nullable(),
  durationP90Ms: quantity.nullable().optional(),
  durationP95Ms: quantity.nullable().optional(),
  /** Of the platform's reports: mean of the warm measured calls, and the start of the instance. */
  billedMeanMs: quantity.nullable().optional(),
  initMs: quantity.nullable().optional(),
  allocatedBytes: quantity.nullable(),
  /** Largest so far when the instance was flushed; it never shrinks. */
  maxMemoryMb: quantity.nullable().optional(),
});
export type InstanceAccount = z.infer<typeof instanceSchema>;

const declarationSchema = z.object({
  name: z.string().max(4096),
  file: z.string().max(4096),
  line: quantity,
  column: quantity,
});
/** A function as the deployed bundle has it, and as its source has it. */
export type MappedFunction = [from: z.infer<typeof declarationSchema>, to: z.infer<typeof declarationSchema>];

export const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  tool: text,
  functionName: text,
  key: text,
  commit: text,
  run: text,
  measuredAt: text,
  /** Immutable, so it can be invoked again; with the name, for the ARN holds an account id. */
  functionVersion: text,
  codeSha256: text,
  fingerprint: fingerprintSchema,
  profiles: z
    .array(
      z.object({
        type: z.enum(PROFILE_TYPES),
        file: z.string().regex(/^[\w.-]{1,100}$/),
        bytes: quantity,
        sha256: text,
      }),
    )
    .max(20),
  instances: z.array(instanceSchema).max(10_000),
  load: loadSchema,
  reports: reportsSchema,
  /** Functions that source maps found elsewhere than in the bundle: a later measurement of this version has no maps. */
  mapped: z
    .array(z.tuple([declarationSchema, declarationSchema]))
    .max(20_000)
    .optional(),
  verdict: text,
});

/** `recording.json`: all that is kept of one measured commit, but the profiles. */
export type Manifest = z.infer<typeof manifestSchema>;

/** All that is kept of one measured commit. */
export interface Recording {
  manifest: Manifest;
  /** One merged profile per type; every sample carries {@link INSTANCE_LABEL}. */
  profiles: Map<ProfileType, Profile>;
}

export interface RecordingInput {
  tool: string;
  target: Target;
  key: string;
  commit: string;
  run: string;
  /** ISO time. */
  measuredAt: string;
  snapshots: Snapshot[];
  account: Account;
  /** Invocations of instances that are left out. */
  excludedInvocations?: number;
  /** Instance -> largest memory of its process in MB. */
  maxMemoryMb?: ReadonlyMap<string, number>;
  /** Instance -> what the platform reported of it. */
  instanceReports?: ReadonlyMap<string, InstanceReports>;
}

/** What one run measured, as a recording: windows folded per instance, instances merged per type, calls accounted for. */
export function createRecording(input: RecordingInput): Recording {
  const { target, snapshots, account } = input;
  const profiles = new Map<ProfileType, Profile>();
  for (const type of PROFILE_TYPES) {
    const ofType = snapshots.filter((snapshot) => snapshot.type === type);
    if (ofType.length === 0) continue;
    // The windows' comments name runs and instances one by one; the manifest says it in one place.
    profiles.set(
      type,
      withComments(mergeProfiles(labelledInstances(ofType)), [`${input.tool} ${type} of ${input.commit}`]),
    );
  }
  const instances = accountInstances(snapshots, countRan(account), input);
  const counted = instances.reduce((sum, instance) => sum + instance.invocations, input.excludedInvocations ?? 0);
  const window = snapshots.find((snapshot) => snapshot.window)?.window;
  const manifest: Manifest = {
    schemaVersion: 1,
    tool: input.tool,
    functionName: target.functionName,
    key: input.key,
    commit: input.commit,
    run: input.run,
    measuredAt: input.measuredAt,
    functionVersion: target.version,
    codeSha256: target.codeSha256,
    fingerprint: fingerprintOf(target, window, profiles.get('cpu')),
    profiles: [],
    instances,
    load: loadOf(account, window ? counted : undefined),
    reports: reportsOf(account),
    verdict: '',
  };
  return { manifest, profiles };
}

/** Agents label what ran between invocations (the runtime waiting, start-up): it is not the handler's. */
function insideInvocations(profile: Profile): Profile {
  return filterProfile(profile, { tagignore: 'lambda-profile.phase=runtime' });
}

function fingerprintOf(target: Target, window: Window | undefined, cpu: Profile | undefined): Fingerprint {
  return {
    memoryMb: target.memoryMb,
    architecture: target.architecture,
    runtime: target.runtime,
    region: target.region,
    language: window?.language ?? '',
    agent: window?.agent ?? '',
    engine: window?.engine ?? '',
    intervalUs: window?.intervalUs ?? Number((cpu?.period ?? 0n) / 1000n),
    flags: window?.flags ?? [],
  };
}

function* labelledInstances(snapshots: Snapshot[]): Generator<Profile> {
  for (const folded of foldSnapshots(snapshots))
    yield labelProfile(insideInvocations(folded.profile), INSTANCE_LABEL, folded.instance);
}

/** What each instance did, from the windows of its snapshots; each window counts once, however many types it published. */
function accountInstances(
  snapshots: Snapshot[],
  invocationsRan: number,
  { maxMemoryMb, instanceReports }: Pick<RecordingInput, 'maxMemoryMb' | 'instanceReports'>,
): InstanceAccount[] {
  const windows = new Map<string, Map<string, Window | undefined>>();
  for (const snapshot of snapshots) {
    const id = instanceOf(snapshot);
    const known = windows.get(id) ?? new Map<string, Window | undefined>();
    const sequence = snapshot.window ? `sequence ${snapshot.window.sequence}` : snapshot.key;
    // What the cold start spent is published with the first window, and is of no invocation.
    const isCounted = (known.get(sequence)?.invocations.n ?? 0) > (snapshot.window?.invocations.n ?? 0);
    if (!isCounted) known.set(sequence, snapshot.window);
    windows.set(id, known);
  }
  const accounts = [...windows].map(([id, known]): InstanceAccount => {
    const told = [...known.values()].filter((window) => window !== undefined);
    const sum = (pick: (window: Window) => number): number => told.reduce((total, window) => total + pick(window), 0);
    if (told.length === 0)
      return {
        id,
        windows: known.size,
        // Nobody counted per instance: the best guess is an even share.
        invocations: Math.round(invocationsRan / windows.size),
        errors: 0,
        cold: 0,
        cpuMs: null,
        activeMs: null,
        durationP50Ms: null,
        durationP90Ms: null,
        durationP95Ms: null,
        billedMeanMs: null,
        initMs: null,
        allocatedBytes: null,
        maxMemoryMb: null,
      };
    const invocations = sum((window) => window.invocations.n);
    return {
      id,
      // Readings of counters before the first invocation are no window.
      windows: told.filter((window) => window.invocations.n > 0).length,
      invocations,
      errors: sum((window) => window.invocations.errors),
      cold: sum((window) => window.invocations.cold),
      cpuMs: sum((window) => window.time.cpuMs),
      activeMs: sum((window) => window.time.activeMs),
      durationP50Ms: weightedMean(told, (window) => window.time.p50Ms),
      durationP90Ms: weightedMean(told, (window) => window.time.p90Ms),
      durationP95Ms: weightedMean(told, (window) => window.time.p95Ms),
      billedMeanMs: instanceReports?.get(id)?.billedMeanMs ?? null,
      initMs: instanceReports?.get(id)?.initMs ?? null,
      allocatedBytes: told.every((window) => typeof window.allocatedBytes === 'number')
        ? sum((window) => window.allocatedBytes ?? 0)
        : null,
      maxMemoryMb: maxMemoryMb?.get(id) ?? null,
    };
  });
  return accounts.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function weightedMean(windows: Window[], pick: (window: Window) => number | undefined): number | null {
  let total = 0;
  let weight = 0;
  for (const window of windows) {
    const value = pick(window);
    if (value === undefined) continue;
    total += value * window.invocations.n;
    weight += window.invocations.n;
  }
  return weight > 0 ? total / weight : null;
}
