import type { Profile } from './columns.ts';
import { Decoder } from './decode.ts';
import { inflateAside } from './inflate.ts';
import { DEFAULT_LIMITS, type DecodeLimits, ProfileError } from './limits.ts';
import { Merge, mergeProfiles } from './merge.ts';

/** Where the bytes of a snapshot come from. */
export interface ProfileSource {
  /** How it is named in reports: a key or a path. */
  name: string;
  read(): Promise<Uint8Array>;
}

/** A snapshot that is not in the merge, and why. */
export interface BrokenProfile {
  name: string;
  reason: string;
}

/** Sources that are read and decompressed ahead of the merge. */
const AHEAD = 6;

/**
 * Merges snapshots as they arrive, holding one of them at a time: the next ones are read and decompressed meanwhile.
 * A snapshot that is not a profile is left out and named; an error of reading itself ends the merge.
 * @throws ProfileError if there is no profile at all, or if they cannot be merged.
 */
export async function gatherProfiles(
  sources: ProfileSource[],
  limits: DecodeLimits = DEFAULT_LIMITS,
): Promise<{ profile: Profile; broken: BrokenProfile[] }> {
  const decoder = new Decoder(limits);
  const merges = new Map<string, Merge>(); // by sample types; more than one is rare
  const broken: BrokenProfile[] = [];
  const ahead = sources.slice(0, AHEAD).map((source) => started(source, limits));
  for (const [i, { name }] of sources.entries()) {
    const bytes = await ahead[i]!;
    const next = sources[i + AHEAD];
    if (next !== undefined) ahead.push(started(next, limits));
    ahead[i] = Promise.resolve(new Uint8Array());
    try {
      if (bytes instanceof ProfileError) throw bytes;
      const profile = decoder.decode(bytes);
      mergeFor(merges, profile).add(profile);
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      broken.push({ name, reason: error.message });
    }
  }
  if (merges.size === 0) throw new ProfileError(noneReadable(sources.length, broken));
  const results = [...merges.values()].map((merge) => merge.result());
  return { profile: results.length === 1 ? results[0]! : mergeProfiles(results), broken };
}

// A promise that nobody awaits yet must not reject.
function started({ read }: ProfileSource, limits: DecodeLimits): Promise<Uint8Array | ProfileError> {
  const inflated = read().then((bytes) => inflateAside(bytes, limits));
  return inflated.catch((error: unknown) => {
    if (error instanceof ProfileError) return error;
    throw error;
  });
}

function mergeFor(merges: Map<string, Merge>, { sampleTypes, periodType }: Profile): Merge {
  const key = JSON.stringify([sampleTypes, periodType]);
  const merge = merges.get(key) ?? new Merge();
  merges.set(key, merge);
  return merge;
}

function noneReadable(count: number, broken: BrokenProfile[]): string {
  if (count === 0) return 'Cannot merge no profiles: at least one is needed.';
  return `Cannot merge: none of ${count} profiles can be read. The first, ${broken[0]!.name}: ${broken[0]!.reason}`;
}
