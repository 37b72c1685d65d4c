import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangedFile } from './commits.ts';

const MAX_FILES = 20_000;
const SKIPPED = new Set(['node_modules', '.git', 'vendor', 'dist', 'build', '.aws-sam', 'cdk.out', '.terraform']);

/** Repository-relative paths of the checkout's files, without dependencies and build output; bounded. */
export function listCheckout(workspace: string): string[] {
  const files: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined && files.length < MAX_FILES; folder = folders.pop()) {
    let entries: ReturnType<typeof readFolder>;
    try {
      entries = readFolder(join(workspace, folder));
    } catch {
      continue; // No checkout, or a folder nobody may read: its files get no links.
    }
    for (const entry of entries) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(path);
      else if (entry.isFile()) files.push(path);
    }
  }
  return files;
}

function readFolder(path: string) {
  return readdirSync(path, { withFileTypes: true });
}

/**
 * Paths of the repository on each side of a change, as far as they are known, and every path the change touches.
 * Without a checkout, the files of the change are all that is known.
 */
export function filesOfSides(
  checkout: string[],
  changes: ChangedFile[],
): { head: string[]; base: string[]; touched: string[] } {
  const onHead = new Set(changes.filter(({ on }) => on !== 'base').map(({ path }) => path));
  const onBase = new Set(
    changes.flatMap(({ path, previousPath, on }) => (on === 'head' ? (previousPath ?? []) : [path])),
  );
  const touched = new Set([...onHead, ...onBase]);
  const untouched = checkout.filter((path) => !touched.has(path));
  return { head: [...untouched, ...onHead], base: [...untouched, ...onBase], touched: [...touched] };
}

/**
 * Profile path -> repository path, for profile paths that name exactly one file: a function deployed from
 * `services/orders` has `src/tax.mjs` in its profile and `services/orders/src/tax.mjs` in the repository.
 * Files the change touches win over others of the same ending.
 */
export function matchSources(
  profilePaths: Iterable<string>,
  files: string[],
  changed: string[],
): Record<string, string> {
  const byName = new Map<string, string[]>();
  for (const file of files) {
    const name = baseName(file);
    byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  const touched = new Set(changed);
  const sources: [string, string][] = [];
  for (const path of new Set(profilePaths)) {
    const candidates = (byName.get(baseName(path)) ?? []).filter((file) => endsAlike(path, file));
    const best = candidates.length > 1 ? candidates.filter((file) => touched.has(file)) : candidates;
    if (best.length === 1) sources.push([path, best[0]!]);
  }
  return Object.fromEntries(sources);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether one path is the other with folders before it: build machines and task roots differ, endings do not. */
function endsAlike(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long === short || long.endsWith(`/${short}`);
}
