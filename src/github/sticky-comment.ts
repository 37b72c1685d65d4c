import { parseCommentMarker } from '../report/comment.ts';
import type { Repository } from '../report/report.ts';
import { adviceFor, describeFailure, type GitHub, statusOf } from './client.ts';

export interface StickyComment {
  pullRequest: number;
  /** Which of our comments: the marker's key. */
  key: string;
  run: Run;
  body: string;
  /** `on-change` creates no comment for a result that asks for nothing, but updates one that exists. */
  create: boolean;
}

export type CommentResult =
  | { outcome: 'created' | 'updated'; url: string }
  | { outcome: 'newer-exists' | 'not-needed'; url: string }
  /** Not permitted or not possible: a warning, never a verdict. */
  | { outcome: 'failed'; message: string };

/** Time and chance, between writers that know nothing of each other. */
export interface Jitter {
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Longer than it takes another writer from its list to its write. */
const VERIFY_AFTER_MS = 1_000;
const MAX_WRITES = 4;

/**
 * Creates or updates our one comment for the key. Ours is a comment whose marker carries the key *and* whose author is
 * the owner of the token: anybody can write a marker. A late, older run never overwrites the result of a newer one.
 *
 * GitHub has no compare-and-swap for comments, so writers converge: the comment with the lowest id is the one, what was
 * written is looked at again after a while, and repetitions are deleted only when the one is known to hold a result
 * that is at least as new as theirs.
 */
export async function publishStickyComment(
  github: GitHub,
  { owner, name }: Repository,
  comment: StickyComment,
  jitter: Jitter,
): Promise<CommentResult> {
  const place = { owner, repo: name };
  let written: { outcome: 'created' | 'updated'; url: string } | undefined;
  try {
    const login = await fetchLogin(github);
    for (let writes = 0; ; writes++) {
      const own = await findOwn(github, place, login, comment);
      const first = own[0];
      const newer = own.some(({ marker }) => compareRuns(marker, comment.run) > 0);
      const shown = first !== undefined && compareRuns(first.marker, comment.run) >= 0;
      if (written && shown)
        for (const { id, marker } of own.slice(1))
          if (compareRuns(marker, first.marker) <= 0) await deleteComment(github, place, id);
      if (newer) return { outcome: 'newer-exists', url: first!.url };
      if (written && shown) return { ...written, url: first.url };
      if (written && writes === MAX_WRITES) return written;
      if (!first && !written && !comment.create) return { outcome: 'not-needed', url: '' };
      const url = await write(github, place, comment, first?.id);
      if (url !== undefined) written = { outcome: written?.outcome ?? (first ? 'updated' : 'created'), url };
      else if (writes === MAX_WRITES) throw new Error('The comment is not there, however often it is written.');
      await jitter.sleep(VERIFY_AFTER_MS * (1 + jitter.random()));
    }
  } catch (error) {
    return { outcome: 'failed', message: explain(error) };
  }
}

/** @returns its address, or undefined when the comment to update was deleted meanwhile, or may not have been created */
async function write(
  github: GitHub,
  place: { owner: string; repo: string },
  { pullRequest, body }: StickyComment,
  id: number | undefined,
): Promise<string | undefined> {
  if (id === undefined) return create(github, { ...place, issue_number: pullRequest, body });
  try {
    return (await github.rest.issues.updateComment({ ...place, comment_id: id, body })).data.html_url;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return undefined;
  }
}

/**
 * Never sent twice: an answer that got lost may be that of a comment which is there now.
 * @returns undefined when nobody knows whether it was created: the next look tells
 */
async function create(
  github: GitHub,
  comment: { owner: string; repo: string; issue_number: number; body: string },
): Promise<string | undefined> {
  try {
    return (await github.rest.issues.createComment({ ...comment, request: { retries: 0 } })).data.html_url;
  } catch (error) {
    if (statusOf(error) > 0 && statusOf(error) < 500) throw error;
    return undefined;
  }
}

/** Another writer may have been faster. */
async function deleteComment(github: GitHub, place: { owner: string; repo: string }, id: number): Promise<void> {
  try {
    await github.rest.issues.deleteComment({ ...place, comment_id: id });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}

interface OwnComment {
  id: number;
  url: string;
  marker: Run;
}

interface Run {
  id: number;
  attempt: number;
}

async function findOwn(
  github: GitHub,
  place: { owner: string; repo: string },
  login: string,
  { pullRequest, key }: StickyComment,
): Promise<OwnComment[]> {
  const comments = await github.paginate(github.rest.issues.listComments, {
    ...place,
    issue_number: pullRequest,
    per_page: 100,
  });
  return comments
    .flatMap(({ id, body, user, html_url }) => {
      const marker = parseCommentMarker(body ?? '');
      if (marker?.key !== key || !user || !sameLogin(user.login, login)) return [];
      return [{ id, url: html_url, marker: { id: marker.run, attempt: marker.attempt } }];
    })
    .sort((a, b) => a.id - b.id);
}

/** GraphQL tells who a token is for users and apps alike; REST refuses to tell the token of a workflow. */
async function fetchLogin(github: GitHub): Promise<string> {
  try {
    const { viewer } = await github.graphql<{ viewer: { login: string } }>('query { viewer { login } }');
    return viewer.login;
  } catch (error) {
    if (statusOf(error) === 0) throw error;
    return 'github-actions[bot]';
  }
}

function sameLogin(a: string, b: string): boolean {
  const bare = (login: string): string => login.replace(/\[bot\]$/, '').toLowerCase();
  return bare(a) === bare(b);
}

/** Positive when `a` is the later run or attempt. */
function compareRuns(a: Run, b: Run): number {
  return a.id - b.id || a.attempt - b.attempt;
}

function explain(error: unknown): string {
  const status = statusOf(error);
  const what = 'Cannot comment on the pull request';
  const rest = 'The verdict does not change; the whole report is in the job summary.';
  if (status === 422) return `${what}: GitHub does not accept the text. ${rest}`;
  return `${what}: ${describeFailure(error)}. ${adviceFor(error, 'pull-requests: write')} ${rest}`;
}
