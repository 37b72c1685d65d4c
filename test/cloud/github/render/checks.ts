/** Check runs as the API shows them. */
import { timestamp } from '../http.ts';
import { openPulls } from '../pulls.ts';
import { type CheckRun, numericId, type Repository } from '../repository.ts';
import { nodeId, renderApp } from './accounts.ts';
import { renderMinimalPull } from './pulls.ts';
import { repositoryPage, repositoryUrl } from './repositories.ts';

/** `check-run`. Its pull requests are those of this repository whose head it judges; forks' never appear. */
export function renderCheckRun(repository: Repository, run: CheckRun) {
  const url = `${repositoryUrl(repository)}/check-runs/${run.id}`;
  const page = `${repositoryPage(repository)}/runs/${run.id}`;
  const { annotations, ...output } = run.output;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.headSha,
    external_id: run.externalId ?? '',
    url,
    html_url: page,
    details_url: run.detailsUrl ?? page,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt && timestamp(run.startedAt),
    completed_at: run.completedAt && timestamp(run.completedAt),
    output: { ...output, annotations_count: annotations.length, annotations_url: `${url}/annotations` },
    check_suite: { id: numericId(`${run.headSha} ${run.app.login}`) },
    app: renderApp(repository, run.app),
    pull_requests: openPulls(repository)
      .filter(({ head }) => head.sha === run.headSha && head.owner === repository.owner)
      .map((pull) => renderMinimalPull(repository, pull)),
  };
}
