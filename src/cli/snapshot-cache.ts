import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../pprof/columns.ts';
import { decodeProfile } from '../pprof/decode.ts';
import { gzipProfile } from '../pprof/encode.ts';
import type { ListedSnapshot } from '../snapshots/collect.ts';
import type { ProfileType } from '../snapshots/layout.ts';

/** What was merged into a cached profile. */
export interface CachedFacts {
  schemaVersion: 2;
  downloadedMs: number;
  listed: number;
  merged: number;
  skipped: number;
  instances: number;
  /** Invocations in the windows; 0 when the producer does not say. */
  invocations: number;
  functions: string[];
  /** Function and version, as in `orders:7`. */
  versions: string[];
}

/** A profile of the snapshots of one type of a stack, merged on this machine. */
export interface CachedProfile {
  path: string;
  facts: CachedFacts;
  profile: Profile;
}

/** Where the snapshots of one type of a stack, of one function or version of it or of all, are kept. */
export interface CachePlace {
  root: string;
  bucket: string;
  prefix: string;
  stack: string;
  type: ProfileType;
  functionName: string;
  functionVersion: string;
}

function folderOf({ root, bucket, prefix, stack, type, functionName, functionVersion }: CachePlace): string {
  const place = createHash('sha256')
    .update(JSON.stringify([bucket, prefix, stack, functionName, functionVersion]))
    .digest('hex');
  return join(root, `${stack}.${place.slice(0, 12)}`, type);
}

/** The name of what was listed: other snapshots, or other content, are another one. */
export function cacheKey(listed: ListedSnapshot[]): string {
  const objects = listed.map(({ key, etag }) => [key, etag]).sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(objects)).digest('hex').slice(0, 24);
}

/** What is cached under a key; undefined when nothing is, or when it cannot be read. */
export function readCached(place: CachePlace, key: string): CachedProfile | undefined {
  const path = join(folderOf(place), `${key}.pb.gz`);
  try {
    const facts = JSON.parse(readFileSync(join(folderOf(place), `${key}.json`), 'utf8')) as CachedFacts;
    if (facts.schemaVersion !== 2) return undefined;
    return { path, facts, profile: decodeProfile(readFileSync(path)) };
  } catch {
    return undefined; // It is downloaded again.
  }
}

/** What was cached last of a place. */
export function latestCached(place: CachePlace): CachedProfile | undefined {
  const folder = folderOf(place);
  if (!existsSync(folder)) return undefined;
  const keys = readdirSync(folder).flatMap((name) => /^([0-9a-f]{24})\.json$/.exec(name)?.[1] ?? []);
  const cached = keys.flatMap((key) => readCached(place, key) ?? []);
  return cached.sort((a, b) => b.facts.downloadedMs - a.facts.downloadedMs)[0];
}

/** Keeps a profile; the facts come last, so that half of it is nothing. */
export function writeCached(place: CachePlace, key: string, profile: Profile, facts: CachedFacts): CachedProfile {
  const folder = folderOf(place);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${key}.pb.gz`);
  writeFileSync(path, gzipProfile(profile));
  writeFileSync(join(folder, `${key}.json`), `${JSON.stringify(facts)}\n`);
  return { path, facts, profile };
}
