import type { S3Client } from '@aws-sdk/client-s3';
import type { Recording } from './recording.ts';
import { fetchManifest, fetchRecording, type RecordingPlace } from './store.ts';

/** The recording compared with, and how far it is from the commit that was wanted. */
export interface Baseline {
  recording: Recording;
  /** 0: the very commit; n: n first-parent commits before it. */
  distance: number;
}

const LOOKUPS_AT_ONCE = 10;

/**
 * The recording of the first of `commits` that has one: the wanted commit first, then its first-parent ancestors.
 * @param commits newest first
 */
export async function fetchBaseline(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace,
  commits: string[],
): Promise<Baseline | undefined> {
  for (let from = 0; from < commits.length; from += LOOKUPS_AT_ONCE) {
    const some = commits.slice(from, from + LOOKUPS_AT_ONCE);
    const found = await Promise.all(some.map((commit) => fetchManifest(s3, place, commit)));
    const at = found.findIndex((manifest) => manifest !== undefined);
    if (at < 0) continue;
    const recording = await fetchRecording(s3, place, some[at]!);
    if (recording) return { recording, distance: from + at };
  }
  return undefined;
}
