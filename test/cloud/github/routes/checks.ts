/** Check runs: https://docs.github.com/rest/checks/runs */
import { ApiError, type Call, notFound, type Reply, type Route } from '../http.ts';
import { paginate } from '../pagination.ts';
import { renderCheckRun } from '../render/checks.ts';
import { type Annotation, type CheckRun, numericId, type Repository, resolveCommit } from '../repository.ts';

interface CheckRunFields {
  name?: string;
  head_sha?: string;
  details_url?: string;
  external_id?: string;
  status?: string;
  started_at?: string;
  conclusion?: string;
  completed_at?: string;
  output?: { title?: string; summary: string; text?: string; annotations?: Annotation[] };
}

function find({ repository, path }: Call): CheckRun {
  const run = repository.checkRuns.get(Number(path.check_run_id));
  if (run === undefined) throw notFound();
  return run;
}

function requireApp({ actor }: Call) {
  if (actor?.type !== 'Bot') throw new ApiError(403, 'You must authenticate via a GitHub App.');
  return actor;
}

/** Applies what a request says of a run. Output replaces output, but annotations add up over requests. */
function apply(repository: Repository, run: CheckRun, fields: CheckRunFields): void {
  const { output } = fields;
  if (fields.status === 'completed' && fields.conclusion === undefined) {
    throw new ApiError(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.');
  }
  if (fields.conclusion === 'stale')
    throw new ApiError(422, 'Invalid request.\n\nOnly GitHub can mark a check run stale.');
  run.name = fields.name ?? run.name;
  run.detailsUrl = fields.details_url ?? run.detailsUrl;
  run.externalId = fields.external_id ?? run.externalId;
  if (fields.started_at !== undefined) run.startedAt = new Date(fields.started_at);
  if (output !== undefined) {
    run.output = {
      title: output.title ?? run.output.title,
      summary: output.summary,
      text: output.text ?? run.output.text,
      annotations: [...run.output.annotations, ...(output.annotations ?? [])],
    };
  }
  if (fields.conclusion !== undefined) {
    // A conclusion completes the run, whatever its status was.
    run.status = 'completed';
    run.conclusion = fields.conclusion;
    run.completedAt = fields.completed_at === undefined ? repository.now() : new Date(fields.completed_at);
  } else if (fields.status !== undefined) {
    run.status = fields.status;
    run.conclusion = null;
    run.completedAt = null;
  }
}

function createCheckRun(call: Call): Reply {
  const { repository } = call;
  const app = requireApp(call);
  const fields = call.body as CheckRunFields & { name: string; head_sha: string };
  const headSha = fields.head_sha;
  if (!repository.objects.commits.has(headSha)) throw new ApiError(422, `No commit found for SHA: ${headSha}`);
  const run: CheckRun = {
    id: repository.nextId(),
    name: fields.name,
    headSha,
    app,
    status: 'queued',
    conclusion: null,
    detailsUrl: null,
    externalId: null,
    startedAt: repository.now(),
    completedAt: null,
    output: { title: null, summary: null, text: null, annotations: [] },
  };
  apply(repository, run, fields);
  repository.checkRuns.set(run.id, run);
  const rendered = renderCheckRun(repository, run);
  return { status: 201, body: rendered, headers: { location: rendered.url } };
}

function updateCheckRun(call: Call): Reply {
  const app = requireApp(call);
  const run = find(call);
  if (run.app.login !== app.login) {
    const message = `Invalid app_id \`${numericId(app.login)}\` - check run can only be modified by the GitHub App that created it.`;
    throw new ApiError(403, message);
  }
  apply(call.repository, run, call.body as CheckRunFields);
  return { status: 200, body: renderCheckRun(call.repository, run) };
}

function getCheckRun(call: Call): Reply {
  return { status: 200, body: renderCheckRun(call.repository, find(call)) };
}

function listForRef(call: Call): Reply {
  const { repository, path, query } = call;
  const sha = resolveCommit(repository, path.ref!);
  if (sha === undefined) throw new ApiError(422, `No commit found for SHA: ${path.ref}`);
  const newestFirst = [...repository.checkRuns.values()].reverse();
  const seen = new Set<string>();
  const runs = newestFirst.filter((run) => {
    if (run.headSha !== sha) return false;
    if (query.check_name !== undefined && run.name !== query.check_name) return false;
    if (query.app_id !== undefined && numericId(run.app.login.replace(/\[bot\]$/, '')) !== Number(query.app_id))
      return false;
    const key = `${run.app.login} ${run.name}`;
    const isLatest = !seen.has(key);
    seen.add(key);
    if (query.status !== undefined && run.status !== query.status) return false;
    return query.filter === 'all' || isLatest;
  });
  const { page, headers } = paginate(call, runs);
  const body = { total_count: runs.length, check_runs: page.map((run) => renderCheckRun(repository, run)) };
  return { status: 200, headers, body };
}

export const checkRoutes: Readonly<Record<string, Route>> = {
  'checks/create': createCheckRun,
  'checks/update': updateCheckRun,
  'checks/get': getCheckRun,
  'checks/list-for-ref': listForRef,
};
