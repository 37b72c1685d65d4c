/** Profile types the gate knows. No name may begin with another type's name: Sparta lists by `…/profiles/{type}`. */
export const PROFILE_TYPES = ['cpu', 'heap', 'allocs', 'goroutine', 'threadcreate', 'block', 'mutex', 'init'] as const;
export type ProfileType = (typeof PROFILE_TYPES)[number];

/** A snapshot's place, read from its key. The instance is opaque: `λ-…`, `i-…`, hex, anything. */
export interface SnapshotKey {
  key: string;
  stack: string;
  type: ProfileType;
  slot: number;
  instance: string;
}

const FILE = /^(\d{1,9})-([a-z]+)\.(.+)\.profile$/u;

/** Where the snapshots of a stack are: Sparta's layout, readable by and from Sparta. Ends with a slash. */
export function snapshotPrefix(prefix: string, stack: string): string {
  return `${prefix.replace(/^\/+|\/+$/g, '')}/${stack}/profiles/`;
}

/** Reads `{prefix}/{stack}/profiles/{type}/{slot}-{type}.{instance}.profile`; undefined for any other key. */
export function parseSnapshotKey(key: string, prefix: string, stack: string): SnapshotKey | undefined {
  const root = snapshotPrefix(prefix, stack);
  if (!key.startsWith(root)) return undefined;
  const [folder, file, ...rest] = key.slice(root.length).split('/');
  if (rest.length > 0 || !file || file.length > 300) return undefined;
  const match = FILE.exec(file);
  if (!match || match[2] !== folder) return undefined;
  const type = PROFILE_TYPES.find((known) => known === folder);
  return type && { key, stack, type, slot: Number(match[1]), instance: match[3]! };
}
