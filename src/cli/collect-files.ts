import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MeasurementError } from '../errors.ts';
import { decodeProfile, ProfileError } from '../pprof/decode.ts';
import {
  fetchSnapshotBytes,
  type ListedSnapshot,
  listSnapshots,
  type SkippedObject,
  type SnapshotSource,
} from '../snapshots/collect.ts';
import { snapshotPrefix } from '../snapshots/layout.ts';
import { parseWindow, type Window } from '../snapshots/window.ts';
import { createS3 } from './aws.ts';
import type { CollectOptions } from './collect.ts';
import { counted, inert, type Shell } from './shell.ts';
import { formatAge, formatBytes, renderTable } from './table.ts';

/** A snapshot that was written to a file. */
interface CollectedFile extends ListedSnapshot {
  file: string;
  window: Window | undefined;
}

const DOWNLOADS_AT_ONCE = 8;

/**
 * Downloads snapshots into `options.output/{type}/` and says what they are.
 * @throws MeasurementError if there is none
 */
export async function collectFiles(source: SnapshotSource, options: CollectOptions, shell: Shell): Promise<void> {
  const s3 = await createS3(shell);
  const listed = await listSnapshots(s3, source);
  const collected: CollectedFile[] = [];
  const skipped: SkippedObject[] = [];
  const queue = [...listed];
  const worker = async (): Promise<void> => {
    for (let object = queue.shift(); object; object = queue.shift()) {
      try {
        const bytes = await fetchSnapshotBytes(s3, source.bucket, object);
        if ('reason' in bytes) {
          skipped.push(bytes);
          continue;
        }
        const window = parseWindow(decodeProfile(bytes).comments);
        if (!isWanted(window, options)) continue;
        const folder = join(options.output, object.type);
        const file = join(folder, fileName(object));
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, bytes);
        collected.push({ ...object, file, window });
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        skipped.push({ key: object.key, reason: error.message });
      }
    }
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, worker));
  if (skipped.length > 0) {
    shell.say(`Skipped ${skipped.length} of ${counted(listed.length, 'snapshot')}:`);
    for (const { key, reason } of skipped) shell.say(`  ${inert(key)}: ${inert(reason)}`);
  }
  if (collected.length === 0) throw nothingFound(source, listed.length, options);
  collected.sort((a, b) => (a.key < b.key ? -1 : 1));
  shell.say(`Wrote ${counted(collected.length, 'snapshot')} to ${options.output}.`);
  shell.print(options.json ? renderJson(source, collected, skipped) : renderFiles(collected, shell.clock.nowMs()));
}

function isWanted(window: Window | undefined, { run, function: name }: CollectOptions): boolean {
  return (run === undefined || window?.run === run) && (name === undefined || window?.function === name);
}

/** The end of the key, without what a file system or a shell may take for something else. */
function fileName({ slot, type, instance }: ListedSnapshot): string {
  return `${slot}-${type}.${instance.replace(/[^\p{L}\p{N}._-]/gu, '_')}.profile`;
}

function nothingFound(
  source: SnapshotSource,
  listed: number,
  { run, function: name }: CollectOptions,
): MeasurementError {
  const place = `s3://${source.bucket}/${snapshotPrefix(source.prefix, source.stack)}`;
  const of = [run && `run ${run}`, name && `function ${name}`].filter(Boolean).join(' and ');
  return new MeasurementError(
    `Cannot find a snapshot${of ? ` of ${of}` : ''} in ${place}: ${counted(listed, 'object')} of the wanted types.`,
    'Check the stack, --s3-prefix and --profile-types; `lambda-profile doctor FUNCTION` tells why a function publishes nothing.',
  );
}

function renderFiles(files: CollectedFile[], nowMs: number): string {
  const rows = files.map(({ file, bytes, lastModifiedMs, window }) => [
    file,
    formatBytes(bytes),
    formatAge(nowMs - lastModifiedMs),
    window ? `${window.function}:${window.functionVersion}` : '',
    window ? String(window.invocations.n) : '',
    window?.run ?? '',
  ]);
  return renderTable(['file', 'size', 'age', 'function', 'invocations', 'run'], rows, ['size', 'age', 'invocations']);
}

function renderJson(
  { bucket, prefix, stack }: SnapshotSource,
  files: CollectedFile[],
  skipped: SkippedObject[],
): string {
  const snapshots = files.map(({ file, key, type, slot, instance, etag, bytes, lastModifiedMs, window }) => ({
    ...{ file, key, type, slot, instance, etag, bytes },
    lastModified: new Date(lastModifiedMs).toISOString(),
    ...(window && { window }),
  }));
  return `${JSON.stringify({ schemaVersion: 1, bucket, prefix, stack, snapshots, skipped }, null, 2)}\n`;
}
