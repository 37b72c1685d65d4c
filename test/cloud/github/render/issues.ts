/** Comments and events of issues as the API shows them. */
import { timestamp } from '../http.ts';
import type { Comment, IssueEvent, Repository } from '../repository.ts';
import { nodeId, renderAccount, renderApp } from './accounts.ts';
import { associationOf } from './pulls.ts';
import { repositoryPage, repositoryUrl } from './repositories.ts';

/** `issue-comment` */
export function renderComment(repository: Repository, comment: Comment) {
  const url = `${repositoryUrl(repository)}/issues`;
  const commentUrl = `${url}/comments/${comment.id}`;
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url: commentUrl,
    html_url: `${repositoryPage(repository)}/pull/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${url}/${comment.number}`,
    user: renderAccount(repository.site, comment.author),
    body: comment.body,
    created_at: timestamp(comment.createdAt),
    updated_at: timestamp(comment.updatedAt),
    author_association: associationOf(repository, comment.author.login),
    performed_via_github_app: renderApp(repository, comment.author),
    reactions: {
      url: `${commentUrl}/reactions`,
      total_count: 0,
      '+1': 0,
      '-1': 0,
      laugh: 0,
      hooray: 0,
      confused: 0,
      heart: 0,
      rocket: 0,
      eyes: 0,
    },
  };
}

/** `labeled-issue-event`, `unlabeled-issue-event` */
export function renderIssueEvent(repository: Repository, event: IssueEvent) {
  return {
    id: event.id,
    node_id: nodeId('IssueEvent', event.id),
    url: `${repositoryUrl(repository)}/issues/events/${event.id}`,
    actor: renderAccount(repository.site, event.actor),
    event: event.event,
    commit_id: null,
    commit_url: null,
    created_at: timestamp(event.createdAt),
    performed_via_github_app: renderApp(repository, event.actor),
    label: { name: event.label.name, color: event.label.color },
  };
}
