/** Three-way merge of whole trees. */
import { mergeBase } from './history.ts';
import { type Files, getCommit, type ObjectStore, readTree, type TreeEntry } from './objects.ts';

export interface MergedFiles {
  files: Map<string, TreeEntry>;
  /** Paths that both sides changed, differently. Unlike git, two edits of one file are always a conflict. */
  conflicts: string[];
}

const same = (a: TreeEntry | undefined, b: TreeEntry | undefined) => a?.sha === b?.sha && a?.mode === b?.mode;

/** Merges two descendants of a base, file by file; of a conflict, `files` keeps our side. */
export function mergeFiles(base: Files, ours: Files, theirs: Files): MergedFiles {
  const files = new Map(ours);
  const conflicts: string[] = [];
  for (const path of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const [before, left, right] = [base.get(path), ours.get(path), theirs.get(path)];
    if (same(left, right) || same(before, right)) continue;
    if (!same(before, left)) conflicts.push(path);
    else if (right === undefined) files.delete(path);
    else files.set(path, right);
  }
  return { files, conflicts };
}

/** Merges the trees of two commits over their merge base (an empty tree for unrelated histories). */
export function mergeCommits(store: ObjectStore, ours: string, theirs: string): MergedFiles {
  const filesOf = (sha: string) => readTree(store, getCommit(store, sha).tree);
  const base = mergeBase(store, ours, theirs);
  return mergeFiles(base === undefined ? new Map() : filesOf(base), filesOf(ours), filesOf(theirs));
}
