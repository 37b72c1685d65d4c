/** What changed between two trees, with unified patches. */
import { type Files, type ObjectStore, readTree, type TreeEntry } from './objects.ts';

export interface FileChange {
  path: string;
  status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed';
  /** Of the blob after the change, before it for a removed file. */
  sha: string;
  previousPath?: string;
  additions: number;
  deletions: number;
  /** Hunks without the `---`/`+++` header; absent for binary files and for changes of the name or the mode alone. */
  patch?: string;
}

interface Edit {
  kind: ' ' | '-' | '+';
  line: string;
}

const CONTEXT_LINES = 3;
/** Bounds time and memory, which grow with the square; beyond it the differing region is replaced as a whole. */
const MAX_EDITS = 1000;

/**
 * A shortest edit script between two lists of lines.
 * Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), the greedy form.
 */
export function diffLines(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const rest = Math.min(before.length, after.length) - start;
  while (end < rest && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const asEdits = (lines: readonly string[], kind: Edit['kind']) => lines.map((line) => ({ kind, line }));
  return [
    ...asEdits(before.slice(0, start), ' '),
    ...diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...asEdits(before.slice(before.length - end), ' '),
  ];
}

function diffMiddle(before: readonly string[], after: readonly string[]): Edit[] {
  const traces: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(MAX_EDITS, before.length + after.length); edits++) {
    traces.push(furthest);
    furthest = new Map(furthest);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = comesFromAbove(furthest, diagonal, edits) ? furthest.get(diagonal + 1)! : furthest.get(diagonal - 1)! + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      furthest.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return backtrack(traces, before, after);
    }
  }
  return [
    ...before.map((line) => ({ kind: '-' as const, line })),
    ...after.map((line) => ({ kind: '+' as const, line })),
  ];
}

function comesFromAbove(furthest: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  return diagonal === -edits || (diagonal !== edits && furthest.get(diagonal - 1)! < furthest.get(diagonal + 1)!);
}

function backtrack(
  traces: readonly Map<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Edit[] {
  const script: Edit[] = [];
  let x = before.length;
  let y = after.length;
  for (let edits = traces.length - 1; edits >= 0; edits--) {
    const furthest = traces[edits]!;
    const above = comesFromAbove(furthest, x - y, edits);
    const previousDiagonal = above ? x - y + 1 : x - y - 1;
    const previousX = furthest.get(previousDiagonal)!;
    const previousY = previousX - previousDiagonal;
    while (x > previousX && y > previousY && x > 0 && y > 0) {
      script.push({ kind: ' ', line: before[--x]! });
      y--;
    }
    if (edits === 0) break;
    script.push(above ? { kind: '+', line: after[--y]! } : { kind: '-', line: before[--x]! });
  }
  return script.reverse();
}

function splitLines(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop()!;
  // The marker belongs to the line, so that gaining a final newline is a change of that line.
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

function hunkRange(firstLine: number, count: number): string {
  return count === 1 ? `${firstLine}` : `${count === 0 ? firstLine - 1 : firstLine},${count}`;
}

/** A unified diff of two texts without file header, and how many lines it adds and deletes. */
export function diffTexts(before: string, after: string): { patch: string; additions: number; deletions: number } {
  const edits = diffLines(splitLines(before), splitLines(after));
  const changed = edits.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]));
  const hunks: string[] = [];
  let beforeLine = 1;
  let afterLine = 1;
  let done = 0;
  for (let first = 0; first < changed.length; ) {
    let last = first;
    while (last + 1 < changed.length && changed[last + 1]! - changed[last]! <= 2 * CONTEXT_LINES + 1) last++;
    const from = Math.max(0, changed[first]! - CONTEXT_LINES);
    const to = Math.min(edits.length, changed[last]! + CONTEXT_LINES + 1);
    // Between hunks every line is common to both sides.
    beforeLine += from - done;
    afterLine += from - done;
    const hunk = edits.slice(from, to);
    const deleted = hunk.filter(({ kind }) => kind !== '+').length;
    const added = hunk.filter(({ kind }) => kind !== '-').length;
    hunks.push(
      `@@ -${hunkRange(beforeLine, deleted)} +${hunkRange(afterLine, added)} @@`,
      ...hunk.map(({ kind, line }) => kind + line),
    );
    beforeLine += deleted;
    afterLine += added;
    done = to;
    first = last + 1;
  }
  return {
    patch: hunks.join('\n'),
    additions: edits.filter(({ kind }) => kind === '+').length,
    deletions: edits.filter(({ kind }) => kind === '-').length,
  };
}

/** Git's own rule: a file with a NUL byte near its start is binary. */
const isBinary = (content: Buffer) => content.subarray(0, 8000).includes(0);

function changeOf(store: ObjectStore, path: string, before?: TreeEntry, after?: TreeEntry): FileChange {
  const status = before === undefined ? 'added' : after === undefined ? 'removed' : 'modified';
  const change: FileChange = { path, status, sha: (after ?? before)!.sha, additions: 0, deletions: 0 };
  if (before?.sha === after?.sha) return { ...change, status: 'changed' };
  const contentOf = (entry?: TreeEntry) => (entry && store.blobs.get(entry.sha)) ?? Buffer.alloc(0);
  const [old, current] = [contentOf(before), contentOf(after)];
  if (isBinary(old) || isBinary(current)) return change;
  const { patch, ...counts } = diffTexts(old.toString(), current.toString());
  return { ...change, ...counts, ...(patch === '' ? {} : { patch }) };
}

/**
 * The files that differ between two trees, in the order of their paths. A removed and an added file of the same
 * content are one renamed file; unlike git, a file renamed and edited is reported as removed and added.
 */
export function diffTrees(store: ObjectStore, beforeTree: string, afterTree: string): FileChange[] {
  const before: Files = readTree(store, beforeTree);
  const after: Files = readTree(store, afterTree);
  const removed = [...before].filter(([path]) => !after.has(path));
  const changes: FileChange[] = [];
  for (const [path, entry] of after) {
    const old = before.get(path);
    if (old !== undefined) {
      if (old.sha !== entry.sha || old.mode !== entry.mode) changes.push(changeOf(store, path, old, entry));
      continue;
    }
    const source = removed.findIndex(([, { sha }]) => sha === entry.sha);
    if (source < 0) {
      changes.push(changeOf(store, path, undefined, entry));
    } else {
      const [previousPath] = removed.splice(source, 1)[0]!;
      changes.push({ path, previousPath, status: 'renamed', sha: entry.sha, additions: 0, deletions: 0 });
    }
  }
  for (const [path, entry] of removed) changes.push(changeOf(store, path, entry, undefined));
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
