/**
 * Which vanished function is which appeared one. Evidence: the pull request's renamed files, what a function calls,
 * who calls it, its name and its file; never its cost. The rules follow LLVM's matching of stale profiles
 * (callees at least 80 % alike, three call anchors): only mutual best candidates with a score of at least 0.8.
 */
import type { Owner } from '../pprof/owners.ts';
import { createTouched, isRenamedFile } from './touched.ts';

export interface FileRename {
  from: string;
  to: string;
}

export interface RenameSide {
  /** Functions that exist on this side only. */
  candidates: readonly { owner: Owner; nanos: number }[];
  totalNanos: number;
}

/** Functions below this share of their side's CPU are not paired: they cannot be gated either. */
const minShare = 0.005;
/** Largest functions considered on each side, which bounds the pairs scored. */
const maxCandidates = 200;
const minScore = 0.8;

/** Base key -> head key of the functions that were renamed or moved. */
export function pairRenamed(
  base: RenameSide,
  head: RenameSide,
  evidence: { changedFiles?: readonly string[]; renames?: readonly FileRename[] },
): Map<string, string> {
  const vanishedOwners = relevant(base);
  const appearedOwners = relevant(head);
  // Neighbours that vanished or appeared themselves say nothing about their neighbours.
  const unstable = new Set([...vanishedOwners, ...appearedOwners].map(({ key }) => key));
  const vanished = vanishedOwners.map((owner) => traitsOf(owner, unstable));
  const appeared = appearedOwners.map((owner) => traitsOf(owner, unstable));
  const isTouched = createTouched(evidence.changedFiles ?? []);
  const { renames = [] } = evidence;
  const scores = vanished.map((before) => appeared.map((after) => scoreOf(before, after, isTouched, renames)));
  const pairs = new Map<string, string>();
  vanished.forEach((before, i) => {
    const best = bestOf(scores[i]!);
    if (best < 0 || bestOf(scores.map((row) => row[best]!)) !== i) return;
    pairs.set(before.owner.key, appeared[best]!.owner.key);
  });
  return pairs;
}

function relevant({ candidates, totalNanos }: RenameSide): Owner[] {
  return candidates
    .filter(({ owner, nanos }) => (owner.kind === 'own' || owner.kind === 'library') && nanos >= minShare * totalNanos)
    .sort((a, b) => b.nanos - a.nanos || (a.owner.key < b.owner.key ? -1 : 1))
    .slice(0, maxCandidates)
    .map(({ owner }) => owner);
}

/** Index of the one score that is high enough and higher than all others; -1 when there is none or a tie. */
function bestOf(scores: readonly number[]): number {
  const best = Math.max(minScore, ...scores);
  const first = scores.indexOf(best);
  return first >= 0 && scores.lastIndexOf(best) === first ? first : -1;
}

/** What is compared of a function. */
interface Traits {
  owner: Owner;
  /** Last part of the name. */
  name: string;
  /** Neighbour -> its share of all calls in that direction; empty when none is known. */
  callers: Map<string, number>;
  callees: Map<string, number>;
}

function traitsOf(owner: Owner, unstable: ReadonlySet<string>): Traits {
  const shares = (neighbours: ReadonlyMap<string, number>) => {
    const stable = [...neighbours].filter(([key]) => !unstable.has(key));
    const total = stable.reduce((sum, [, weight]) => sum + weight, 0);
    return new Map(total === 0 ? [] : stable.map(([key, weight]) => [key, weight / total]));
  };
  return { owner, name: lastName(owner.display), callers: shares(owner.callers), callees: shares(owner.callees) };
}

function scoreOf(
  { owner: before, ...old }: Traits,
  { owner: after, ...now }: Traits,
  isTouched: (file: string) => boolean,
  renames: readonly FileRename[],
): number {
  if (before.kind !== after.kind) return 0;
  const name = nameSimilarity(old.name, now.name);
  if (name === 1 && isRenamedFile(before.file, after.file, renames)) return 1;
  const callees = overlap(old.callees, now.callees);
  const callers = overlap(old.callers, now.callers);
  const calleesAgree = callees.anchors > 0 && callees.similarity >= 0.8;
  if (name < 0.4 && !calleesAgree) return 0;
  const calleeWeight = callees.known ? (callees.anchors >= 3 ? 0.5 : 0.25) : 0;
  const callerWeight = callers.known ? 0.3 : 0;
  if (calleeWeight + callerWeight === 0) return 0;
  const nameWeight = 0.2;
  const alike =
    (calleeWeight * callees.similarity + callerWeight * callers.similarity + nameWeight * name) /
    (calleeWeight + callerWeight + nameWeight);
  const sameFile = before.file !== '' && before.file === after.file ? 0.1 : 0;
  const touched = isTouched(before.file) || isTouched(after.file) ? 0.05 : 0;
  return Math.min(1, alike + sameFile + touched);
}

/** How much of their weight two sets of neighbours share, 0..1, and through how many of them. */
function overlap(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): { known: boolean; similarity: number; anchors: number } {
  let similarity = 0;
  let anchors = 0;
  for (const [key, share] of a) {
    const other = b.get(key);
    if (other === undefined) continue;
    anchors++;
    similarity += Math.min(share, other);
  }
  return { known: a.size > 0 || b.size > 0, similarity, anchors };
}

/** `orders.(*Engine).Apply` -> `Apply`: the part of a name that a move between packages or classes keeps. */
function lastName(display: string): string {
  return display.slice(Math.max(display.lastIndexOf('.'), display.lastIndexOf('/')) + 1).slice(0, 60);
}

/** 1 for equal names, 0 for names that have nothing in common: by edit distance or common beginning. */
function nameSimilarity(a: string, b: string): number {
  const longest = Math.max(a.length, b.length);
  if (longest === 0) return 0;
  let prefix = 0;
  while (prefix < Math.min(a.length, b.length) && a[prefix] === b[prefix]) prefix++;
  return Math.max(prefix / longest, 1 - editDistance(a, b) / longest);
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length]!;
}
