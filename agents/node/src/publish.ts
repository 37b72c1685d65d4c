import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encodeCpuProfile, type InsideClocks } from './cpu-profile.ts';
import type { TimeProfile } from './cpu-sampler.ts';
import type { Roots } from './file-names.ts';
import { encodeHeapProfile } from './heap-profile.ts';
import type { AllocationNode } from './heap-sampler.ts';
import type { Failure, Published } from './protocol.ts';
import { createS3Writer, type S3Writer } from './s3.ts';
import type { ProfileType, Settings } from './settings.ts';
import { type SnapshotFacts, snapshotComment, snapshotKey, snapshotMetadata } from './snapshot.ts';
import type { Window } from './window.ts';

/** One profile of a window, not encoded yet. */
export type RawProfile =
  | { readonly type: 'cpu' | 'init'; readonly profile: TimeProfile; readonly facts: SnapshotFacts }
  | { readonly type: 'heap'; readonly profile: AllocationNode; readonly facts: SnapshotFacts };

/** What became of a publish; one entry per profile in one of the two lists. */
export interface PublishResult {
  readonly published: Published[];
  readonly failures: Failure[];
}

/** Encodes, compresses and stores the profiles of one window. Never rejects. */
export type Publish = (profiles: readonly RawProfile[], signal: AbortSignal) => Promise<PublishResult>;

/** The gate refuses larger objects. */
const MAX_BODY_BYTES = 8 << 20;

/** Everything a publish needs from this process; loaded at the first flush, because it is half of the agent's code. */
export function createPublish(
  settings: Settings,
  writer: S3Writer = createS3Writer(settings.bucket, settings.s3),
): Publish {
  const roots = findRoots(settings.function.taskRoot);
  return async (profiles, signal) => {
    const published: Published[] = [];
    const failures: Failure[] = [];
    const publishOne = async (raw: RawProfile): Promise<void> => {
      try {
        const body = gzipSync(encode(raw, settings, roots));
        if (body.byteLength > MAX_BODY_BYTES) {
          failures.push({
            type: raw.type,
            code: 'TooLarge',
            message: `The profile has ${body.byteLength} bytes, more than ${MAX_BODY_BYTES}. Invoke less often between flushes or raise the sampling interval.`,
          });
          return;
        }
        const key = snapshotKey(settings, raw.type, raw.facts.sequence);
        const { etag } = await writer.put(key, body, snapshotMetadata(settings, raw.facts), signal);
        published.push({ type: raw.type, key, etag, bytes: body.byteLength });
      } catch (error) {
        failures.push(describeFailure(raw.type, error, signal));
      }
    };
    await Promise.all(profiles.map(publishOne));
    return { published, failures };
  };
}

/** One failure of a publish in the words of the reply. */
function describeFailure(type: ProfileType, error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { type, code: 'Timeout', message: 'The time for publishing was over before S3 answered.' };
  const code = (error as { code?: unknown } | null)?.code;
  return {
    type,
    code: typeof code === 'string' ? code : 'InternalError',
    message: error instanceof Error ? error.message.slice(0, 500) : 'Unknown error.',
  };
}

function encode(raw: RawProfile, settings: Settings, roots: Roots): Uint8Array {
  const { window } = raw.facts;
  const header = {
    startMs: window.startMs,
    durationMs: window.activeMs,
    comment: snapshotComment(settings, raw.facts),
  };
  return raw.type === 'heap'
    ? encodeHeapProfile(raw.profile, settings.heapIntervalBytes, roots, header)
    : encodeCpuProfile(raw.profile, settings.intervalUs, roots, header, clocksOf(raw.facts.window));
}

/** CPU inside the window's invocations by the process's clocks. */
function clocksOf({ cpuMicros, threadCpuMicros }: Window): InsideClocks | null {
  if (threadCpuMicros === null) return null;
  return { threadNanos: threadCpuMicros * 1000, otherThreadsNanos: Math.max(0, cpuMicros - threadCpuMicros) * 1000 };
}

/** The layer is the directory that holds nodejs/lambda-profile; the runtime client is the program node was started with. */
function findRoots(taskRoot: string): Roots {
  const agent = path.dirname(fileURLToPath(import.meta.url));
  const layer = path.resolve(agent, '../..');
  const task = real(taskRoot);
  const runtime = process.argv[1] ? path.dirname(real(process.argv[1])) : '';
  return {
    agent,
    task,
    layer: agent.endsWith('/nodejs/lambda-profile') ? layer : '',
    runtime: runtime === task || runtime.startsWith(`${task}/`) ? '' : runtime,
  };
}

/** Scripts are named by their real path. */
function real(directory: string): string {
  if (directory === '') return '';
  try {
    return realpathSync(directory);
  } catch {
    return directory;
  }
}
