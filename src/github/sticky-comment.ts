import { parseCommentMarker } from '../report/comment.ts';
import type { Repository } from '../report/report.ts';
import { type GitHub, statusOf } from './client.ts';

export interface StickyComment {
  pullRequest: number;
  /** Which of our comments: the marker's key. */
  key: string;
  run: { id: number; attempt: number };
  body: string;
  /** `on-change` creates no comment for a result that asks for nothing, but updates one that exists. */
  create: boolean;
}

export type CommentResult =
  | { outcome: 'created' | 'updated'; url: string }
  | { outcome: 'newer-exists' | 'not-needed'; url: string }
  /** Not permitted or not possible: a warning, never a verdict. */
  | { outcome: 'failed'; message: string };

/**
 * Creates or updates our one comment for the key. Ours is a comment whose marker carries the key *and* whose author is
 * the owner of the token: anybody can write a marker. A late, older run never overwrites the result of a newer one.
 */
export async function publishStickyComment(
  github: GitHub,
  { owner, name }: Repository,
  comment: StickyComment,
): Promise<CommentResult> {
  try {
    const own = await findOwn(github, owner, name, comment);
    const [first, ...repeated] = own;
    if (first && isNewer(first.marker, comment.run)) return { outcome: 'newer-exists', url: first.url };
    for (const { id } of repeated) await github.rest.issues.deleteComment({ owner, repo: name, comment_id: id });
    if (first) {
      const { data } = await github.rest.issues.updateComment({
        owner,
        repo: name,
        comment_id: first.id,
        body: comment.body,
      });
      return { outcome: 'updated', url: data.html_url };
    }
    if (!comment.create) return { outcome: 'not-needed', url: '' };
    const { data } = await github.rest.issues.createComment({
      owner,
      repo: name,
      issue_number: comment.pullRequest,
      body: comment.body,
    });
    return { outcome: 'created', url: data.html_url };
  } catch (error) {
    return { outcome: 'failed', message: explain(error, comment.pullRequest) };
  }
}

interface OwnComment {
  id: number;
  url: string;
  marker: { run: number; attempt: number };
}

async function findOwn(
  github: GitHub,
  owner: string,
  repo: string,
  { pullRequest, key }: StickyComment,
): Promise<OwnComment[]> {
  const login = await fetchLogin(github);
  const comments = await github.paginate(github.rest.issues.listComments, {
    owner,
    repo,
    issue_number: pullRequest,
    per_page: 100,
  });
  return comments
    .flatMap(({ id, body, user, html_url }) => {
      const marker = parseCommentMarker(body ?? '');
      return marker?.key === key && user && sameLogin(user.login, login) ? [{ id, url: html_url, marker }] : [];
    })
    .sort((a, b) => a.id - b.id);
}

/** GraphQL tells who a token is for users and apps alike; REST refuses to tell the token of a workflow. */
async function fetchLogin(github: GitHub): Promise<string> {
  try {
    const { viewer } = await github.graphql<{ viewer: { login: string } }>('query { viewer { login } }');
    return viewer.login;
  } catch {
    return 'github-actions[bot]';
  }
}

function sameLogin(a: string, b: string): boolean {
  const bare = (login: string): string => login.replace(/\[bot\]$/, '').toLowerCase();
  return bare(a) === bare(b);
}

function isNewer(marker: { run: number; attempt: number }, run: { id: number; attempt: number }): boolean {
  return marker.run > run.id || (marker.run === run.id && marker.attempt > run.attempt);
}

function explain(error: unknown, pullRequest: number): string {
  const status = statusOf(error);
  if (status === 403)
    return 'Cannot comment on the pull request: the token lacks the permission. Add `permissions: pull-requests: write` to the job. The verdict does not change.';
  if (status === 404)
    return `Cannot comment on pull request ${pullRequest}: it is not there, or the token may not see it. Add \`permissions: pull-requests: write\` to the job. The verdict does not change.`;
  if (status === 401)
    return 'Cannot comment on the pull request: GitHub does not accept the token. Check the input github-token. The verdict does not change.';
  if (status === 422)
    return 'Cannot comment on the pull request: GitHub does not accept the text. The whole report is in the job summary.';
  return `Cannot comment on the pull request: ${status ? `GitHub answered ${status}` : 'GitHub did not answer'}. The whole report is in the job summary.`;
}
