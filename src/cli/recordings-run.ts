import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError, MeasurementError } from '../errors.ts';
import type { Manifest } from '../recordings/recording.ts';
import { fetchManifest } from '../recordings/store.ts';
import { explainBucketError } from '../snapshots/collect.ts';
import { createS3 } from './aws.ts';
import { bucketOf, prefixOf } from './bucket-options.ts';
import type { PruneOptions, RecordingsOptions } from './recordings.ts';
import { counted, inert, type Shell } from './shell.ts';
import { formatAge, formatBytes, renderTable } from './table.ts';

/** The objects of one measured commit. */
export interface StoredRecording {
  /** Name of the function, with `.key` if it was measured in several ways. */
  folder: string;
  commit: string;
  keys: string[];
  bytes: number;
  /** When the last of them was written. */
  storedMs: number;
  /** Whether it has a manifest: without one it is the rest of a job that broke. */
  complete: boolean;
}

/** `recordings list` */
export async function listCommand(folder: string | undefined, options: RecordingsOptions, shell: Shell): Promise<void> {
  const { recordings } = await open(folder, options, shell);
  if (options.json) return shell.print(renderJson({ recordings: recordings.map(told) }));
  if (recordings.length === 0) return shell.say('There are no recordings.');
  shell.print(renderRecordings(recordings, shell.clock.nowMs()));
}

/** `recordings show` */
export async function showCommand(
  folder: string,
  commit: string,
  options: RecordingsOptions,
  shell: Shell,
): Promise<void> {
  const { s3, bucket, prefix, recordings } = await open(folder, options, shell);
  const [found, ...more] = recordings.filter((one) => one.complete && one.commit.startsWith(commit));
  if (found === undefined)
    throw new MeasurementError(
      `Cannot find a recording of ${commit} of ${folder} in s3://${bucket}/${prefix}/.`,
      `\`lambda-profile recordings list ${folder}\` lists those there are.`,
    );
  if (more.length > 0)
    throw new ConfigurationError(
      `Cannot tell which recording: ${counted(more.length + 1, 'commit')} begin with ${commit}.`,
    );
  const [functionName = '', ...key] = folder.split('.');
  const manifest = await fetchManifest(s3, { bucket, prefix, functionName, key: key.join('.') }, found.commit);
  if (manifest === undefined)
    throw new MeasurementError(
      `Cannot read the recording of ${commit}: it was deleted just now.`,
      'Run the command again.',
    );
  shell.print(options.json ? `${JSON.stringify(manifest, null, 2)}\n` : renderManifest(manifest, found));
}

/** `recordings prune` */
export async function pruneCommand(folder: string | undefined, options: PruneOptions, shell: Shell): Promise<void> {
  const rule = pruneRule(options);
  const { s3, bucket, recordings } = await open(folder, options, shell);
  const doomed = chooseDoomed(recordings, rule, shell.clock.nowMs());
  const bytes = doomed.reduce((sum, recording) => sum + recording.bytes, 0);
  const what = `${doomed.length} of ${counted(recordings.length, 'recording')} (${formatBytes(bytes)})`;
  if (options.yes)
    // The manifest first: without it, a recording is not there at all, not broken.
    for (const { keys } of doomed)
      for (const key of keys.toSorted((a) => (a.endsWith('/recording.json') ? -1 : 1)))
        await deleteObject(s3, bucket, key);
  if (options.json) {
    shell.print(renderJson({ deleted: options.yes === true, recordings: doomed.map(told) }));
    return;
  }
  if (doomed.length > 0) shell.print(renderRecordings(doomed, shell.clock.nowMs()));
  if (options.yes) shell.say(`Deleted ${what}.`);
  else shell.say(`Would delete ${what}. ${doomed.length > 0 ? 'Give --yes to delete them.' : ''}`.trimEnd());
}

export interface PruneRule {
  olderThanMs: number;
  keep: number;
}

/** @throws ConfigurationError without a limit, or with one that cannot be understood */
export function pruneRule({ olderThan, keep }: PruneOptions): PruneRule {
  if (olderThan === undefined && keep === undefined)
    throw new ConfigurationError('Cannot tell what to delete: give --older-than, --keep, or both.');
  const age = olderThan === undefined ? ['', '0', 'd'] : /^(\d{1,5})([hd])$/.exec(olderThan);
  if (age === null)
    throw new ConfigurationError(
      `Cannot use --older-than ${JSON.stringify(olderThan)}: it must be such as 90d or 12h.`,
    );
  if (keep !== undefined && !/^\d{1,6}$/.test(keep))
    throw new ConfigurationError(`Cannot use --keep ${JSON.stringify(keep)}: it must be a whole number.`);
  return { olderThanMs: Number(age[1]) * (age[2] === 'h' ? 3_600_000 : 86_400_000), keep: Number(keep ?? 1) };
}

const UNFINISHED_MS = 24 * 3_600_000;

/**
 * Those that are older than the limit and not among the newest of their function; and what jobs left behind that broke
 * more than a day ago.
 * @param recordings newest first
 */
export function chooseDoomed(
  recordings: StoredRecording[],
  { olderThanMs, keep }: PruneRule,
  nowMs: number,
): StoredRecording[] {
  const kept = new Map<string, number>();
  return recordings.filter(({ folder, storedMs, complete }) => {
    if (!complete) return nowMs - storedMs > UNFINISHED_MS;
    const newer = kept.get(folder) ?? 0;
    if (newer >= keep && nowMs - storedMs >= olderThanMs) return true;
    kept.set(folder, newer + 1);
    return false;
  });
}

async function open(folder: string | undefined, options: RecordingsOptions, shell: Shell) {
  const bucket = bucketOf(options, shell);
  const prefix = prefixOf('--baseline-prefix', options.baselinePrefix);
  const s3 = await createS3(shell);
  const all = await listRecordings(s3, bucket, prefix, folder);
  return { s3, bucket, prefix, recordings: all };
}

const OBJECT = /^([a-zA-Z0-9_-]{1,64}(?:\.[\w-][\w.-]{0,63})?)\/([0-9a-f]{40}|[0-9a-f]{64})\/([\w.-]{1,100})$/;

/** All recordings below the prefix, newest first. Keys that are no recording's are passed over. */
export async function listRecordings(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  prefix: string,
  folder?: string,
): Promise<StoredRecording[]> {
  const found = new Map<string, StoredRecording>();
  const root = `${prefix}/${folder === undefined ? '' : `${folder}/`}`;
  let token: string | undefined;
  do {
    const page = await s3
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: root, ...(token && { ContinuationToken: token }) }))
      .catch((error: unknown) => {
        throw explainBucketError(error, `list s3://${bucket}/${root}`, 's3:ListBucket', bucket);
      });
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      const match = OBJECT.exec(Key.slice(prefix.length + 1));
      if (match === null) continue;
      const [, name, commit, file] = match as unknown as [string, string, string, string];
      const id = `${name}/${commit}`;
      const known = found.get(id) ?? { folder: name, commit, keys: [], bytes: 0, storedMs: 0, complete: false };
      known.keys.push(Key);
      known.bytes += Size;
      known.storedMs = Math.max(known.storedMs, LastModified?.getTime() ?? 0);
      known.complete ||= file === 'recording.json';
      found.set(id, known);
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token);
  return [...found.values()].sort((a, b) => b.storedMs - a.storedMs || (a.commit < b.commit ? -1 : 1));
}

async function deleteObject(s3: Pick<S3Client, 'send'>, bucket: string, key: string): Promise<void> {
  try {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    throw explainBucketError(error, `delete s3://${bucket}/${key}`, 's3:DeleteObject', bucket);
  }
}

function told({ folder, commit, keys, bytes, storedMs, complete }: StoredRecording) {
  return { function: folder, commit, stored: new Date(storedMs).toISOString(), bytes, objects: keys.length, complete };
}

function renderJson(content: Record<string, unknown>): string {
  return `${JSON.stringify({ schemaVersion: 1, ...content }, null, 2)}\n`;
}

function renderRecordings(recordings: StoredRecording[], nowMs: number): string {
  const rows = recordings.map(({ folder, commit, storedMs, bytes, complete }) => [
    folder,
    commit.slice(0, 12),
    formatAge(nowMs - storedMs),
    formatBytes(bytes),
    complete ? '' : 'unfinished',
  ]);
  return renderTable(['function', 'commit', 'age', 'size', ''], rows, ['age', 'size']);
}

function renderManifest(manifest: Manifest, { bytes, keys }: StoredRecording): string {
  const { fingerprint, load, instances, profiles } = manifest;
  const invocations = instances.reduce((sum, instance) => sum + instance.invocations, 0);
  const cpuMs = instances.reduce((sum, { cpuMs }) => sum + (cpuMs ?? 0), 0);
  const lines: [string, string][] = [
    ['Commit', manifest.commit],
    ['Function', `${manifest.functionName}:${manifest.functionVersion}`],
    ['Measured', `${manifest.measuredAt} by ${manifest.tool}`],
    [
      'Environment',
      `${fingerprint.runtime}, ${fingerprint.architecture}, ${fingerprint.memoryMb} MB, ${fingerprint.region}`,
    ],
    ['Agent', fingerprint.agent ? `${fingerprint.agent}, ${fingerprint.intervalUs} µs between samples` : 'none'],
    ['Load', `${counted(load.sent, 'invocation')}, ${load.failed} failed, ${load.throttled} throttled`],
    ['Instances', `${instances.length}, with ${counted(invocations, 'invocation')}`],
    ['CPU', invocations > 0 && cpuMs > 0 ? `${(cpuMs / invocations).toFixed(2)} ms per invocation` : 'not known'],
    ['Profiles', profiles.map(({ type, bytes }) => `${type} (${formatBytes(bytes)})`).join(', ')],
    ['Verdict', manifest.verdict],
    ['Stored', `${formatBytes(bytes)} in ${counted(keys.length, 'object')}`],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(13)}${inert(value)}\n`).join('');
}
