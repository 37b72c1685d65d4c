/** Comments, labels and events of a pull request, which is an issue too. */

import { ApiError, type Call, notFound, type Reply, type Route, validationFailed } from '../http.ts';
import { addLabel, removeLabel } from '../issues.ts';
import { paginate } from '../pagination.ts';
import { renderComment, renderIssueEvent } from '../render/issues.ts';
import { renderLabels } from '../render/pulls.ts';
import type { Comment, Pull } from '../repository.ts';

/** GitHub counts characters (code points), not bytes. */
const MAX_BODY_CHARACTERS = 65536;

function findIssue({ repository, path }: Call): Pull {
  const pull = repository.pulls.get(Number(path.issue_number));
  if (pull === undefined) throw notFound();
  return pull;
}

function findComment({ repository, path }: Call): Comment {
  const comment = repository.comments.get(Number(path.comment_id));
  if (comment === undefined) throw notFound();
  return comment;
}

function bodyOf(call: Call): string {
  const { body } = call.body as { body: string };
  const reject = (message: string) =>
    validationFailed({ resource: 'IssueComment', code: 'unprocessable', field: 'data', message });
  if (body.trim() === '') throw reject('Body cannot be blank');
  if ([...body].length > MAX_BODY_CHARACTERS) {
    throw reject(`Body is too long (maximum is ${MAX_BODY_CHARACTERS} characters)`);
  }
  return body;
}

function listComments(call: Call): Reply {
  const { repository, query } = call;
  const { number } = findIssue(call);
  const since = query.since === undefined ? undefined : new Date(query.since);
  const comments = [...repository.comments.values()].filter(
    (comment) => comment.number === number && (since === undefined || comment.updatedAt >= since),
  );
  const { page, headers } = paginate(call, comments);
  return { status: 200, headers, body: page.map((comment) => renderComment(repository, comment)) };
}

function createComment(call: Call): Reply {
  const { repository, actor } = call;
  const { number } = findIssue(call);
  const body = bodyOf(call);
  const now = repository.now();
  const comment: Comment = { id: repository.nextId(), number, author: actor!, body, createdAt: now, updatedAt: now };
  repository.comments.set(comment.id, comment);
  const rendered = renderComment(repository, comment);
  return { status: 201, body: rendered, headers: { location: rendered.url } };
}

function getComment(call: Call): Reply {
  return { status: 200, body: renderComment(call.repository, findComment(call)) };
}

function updateComment(call: Call): Reply {
  const comment = findComment(call);
  comment.body = bodyOf(call);
  comment.updatedAt = call.repository.now();
  return { status: 200, body: renderComment(call.repository, comment) };
}

function deleteComment(call: Call): Reply {
  call.repository.comments.delete(findComment(call).id);
  return { status: 204 };
}

function listLabels(call: Call): Reply {
  const { page, headers } = paginate(call, renderLabels(call.repository, findIssue(call)));
  return { status: 200, headers, body: page };
}

function addLabels(call: Call): Reply {
  const { repository, actor } = call;
  const pull = findIssue(call);
  const { labels = [] } = call.body as { labels?: (string | { name: string })[] };
  for (const label of labels) addLabel(repository, pull, typeof label === 'string' ? label : label.name, actor!);
  return { status: 200, body: renderLabels(repository, pull) };
}

function removeOneLabel(call: Call): Reply {
  const { repository, actor, path } = call;
  const pull = findIssue(call);
  if (!removeLabel(repository, pull, path.name!, actor!)) throw new ApiError(404, 'Label does not exist');
  return { status: 200, body: renderLabels(repository, pull) };
}

function listEvents(call: Call): Reply {
  const { repository } = call;
  const { number } = findIssue(call);
  const { page, headers } = paginate(
    call,
    repository.events.filter((event) => event.number === number),
  );
  return { status: 200, headers, body: page.map((event) => renderIssueEvent(repository, event)) };
}

export const issueRoutes: Readonly<Record<string, Route>> = {
  'issues/list-comments': listComments,
  'issues/create-comment': createComment,
  'issues/get-comment': getComment,
  'issues/update-comment': updateComment,
  'issues/delete-comment': deleteComment,
  'issues/list-labels-on-issue': listLabels,
  'issues/add-labels': addLabels,
  'issues/remove-label': removeOneLabel,
  'issues/list-events': listEvents,
};
