/** Questions about the commit graph, answered as git answers them. */
import { type Commit, getCommit, lookUp, type ObjectStore } from './objects.ts';

/** A commit and everything it descends from. */
export function ancestors(store: ObjectStore, tip: string): Set<string> {
  const found = new Set([tip]);
  // A Set visits what is added while it is walked.
  for (const sha of found) for (const parent of getCommit(store, sha).parents) found.add(parent);
  return found;
}

/**
 * The best common ancestor of two commits, as `git merge-base`: one that no other common ancestor descends from,
 * the youngest when there are several; undefined for unrelated histories.
 */
export function mergeBase(store: ObjectStore, a: string, b: string): string | undefined {
  const ofB = ancestors(store, b);
  const common = new Set([...ancestors(store, a)].filter((sha) => ofB.has(sha)));
  const best = new Set(common);
  for (const sha of common) {
    if (!best.has(sha)) continue; // then its ancestors are gone too
    for (const parent of getCommit(store, sha).parents)
      for (const older of ancestors(store, parent)) best.delete(older);
  }
  const time = (sha: string) => getCommit(store, sha).committer.date.getTime();
  return [...best].sort((left, right) => time(right) - time(left))[0];
}

/**
 * The commits reachable from a tip in the order of `git log`: always the youngest commit that is next to one already
 * shown; at equal times, first parents first.
 *
 * @param excluded commits not to enter: `git log tip ^excluded`
 * @param path only commits that changed the path; a merge that took it from one parent unchanged is followed there
 */
export function log(
  store: ObjectStore,
  tip: string,
  { excluded = new Set(), path }: { excluded?: ReadonlySet<string>; path?: string } = {},
): Commit[] {
  const commits: Commit[] = [];
  const seen = new Set<string>(excluded);
  const next: Commit[] = [];
  const enter = (sha: string) => {
    if (seen.has(sha)) return;
    seen.add(sha);
    next.push(getCommit(store, sha));
  };
  const idOf = (commit: Commit) => (path === undefined ? commit.sha : lookUp(store, commit.tree, path)?.sha);

  enter(tip);
  while (next.length > 0) {
    let youngest = 0;
    for (const [index, { committer }] of next.entries()) {
      if (committer.date > next[youngest]!.committer.date) youngest = index;
    }
    const commit = next.splice(youngest, 1)[0]!;
    const unchanged =
      path === undefined ? undefined : commit.parents.find((sha) => idOf(getCommit(store, sha)) === idOf(commit));
    if (unchanged !== undefined) {
      enter(unchanged);
      continue;
    }
    const touched = path === undefined || commit.parents.length > 0 || idOf(commit) !== undefined;
    if (touched) commits.push(commit);
    for (const parent of commit.parents) enter(parent);
  }
  return commits;
}
