import * as z from 'zod';
import { ConfigurationError } from '../errors.ts';
import type { Repository } from '../report/report.ts';

/** What the runner says of the job, from its environment and the event that started it. */
export interface GitHubContext {
  eventName: string;
  repository: Repository;
  apiUrl: string;
  /**
   * The commit the workflow is about: of a pull request, GitHub's test merge commit; of `workflow_run` and
   * `pull_request_target`, whose GITHUB_SHA is the base branch's, the head that started them.
   */
  sha: string;
  /** `sha` is the merge of a pull request into its base, made by GitHub to test it. */
  testMerge: boolean;
  defaultBranch: string;
  /** Branch or commit whose files decide about this run: never one that is under review. */
  trustedRef: string;
  run: { id: number; attempt: number; url: string };
  pullRequest?: {
    number: number;
    headSha: string;
    baseRef: string;
    /** The head lives in another repository: no secrets, no OIDC, a read-only token. */
    fork: boolean;
  };
  /** The queue tests these pull requests on top of this commit, which may itself be waiting in the queue. */
  mergeGroup?: { baseSha: string };
  /** What started a `workflow_run`: branch and owner of the head, for the event names no pull request of a fork. */
  startedBy?: {
    headSha: string;
    headBranch: string;
    headOwner: string;
    run: { id: number; attempt: number; url: string };
  };
}

const repositorySchema = z.object({ full_name: z.string() }).nullish();
const eventSchema = z.object({
  repository: z.object({ default_branch: z.string().optional() }).optional(),
  pull_request: z
    .object({
      number: z.number().int(),
      head: z.object({ sha: z.string(), repo: repositorySchema }),
      base: z.object({ ref: z.string(), repo: repositorySchema }),
    })
    .optional(),
  merge_group: z.object({ base_sha: z.string(), base_ref: z.string() }).optional(),
  workflow_run: z
    .object({
      id: z.number().int(),
      run_attempt: z.number().int().default(1),
      head_sha: z.string(),
      head_branch: z.string().nullable(),
      head_repository: z.object({ owner: z.object({ login: z.string() }) }).nullish(),
    })
    .optional(),
});

/** Events whose GITHUB_SHA is the test merge of the pull request. */
const TEST_MERGE_EVENTS = new Set(['pull_request', 'pull_request_review', 'pull_request_review_comment']);

/**
 * @param env the environment of the job (GITHUB_*)
 * @param event the parsed file at GITHUB_EVENT_PATH
 * @throws ConfigurationError outside GitHub Actions
 */
export function readContext(env: Record<string, string | undefined>, event: unknown): GitHubContext {
  const need = (name: string): string => {
    const value = env[name];
    if (!value)
      throw new ConfigurationError(
        `Cannot run as an Action: ${name} is not set. Outside GitHub Actions, use the command line: npx lambda-profile gate.`,
      );
    return value;
  };
  const [owner, name] = need('GITHUB_REPOSITORY').split('/');
  if (!owner || !name) throw new ConfigurationError('Cannot run as an Action: GITHUB_REPOSITORY must be owner/name.');
  const serverUrl = env.GITHUB_SERVER_URL ?? 'https://github.com';
  const eventName = need('GITHUB_EVENT_NAME');
  const { repository, pull_request: pull, merge_group: group, workflow_run: started } = eventSchema.parse(event ?? {});
  const testMerge = pull !== undefined && TEST_MERGE_EVENTS.has(eventName);
  const sha = need('GITHUB_SHA');
  // A scheduled run has no repository in its event; it runs on the default branch.
  const scheduledOn = eventName === 'schedule' ? env.GITHUB_REF_NAME : undefined;
  const defaultBranch = repository?.default_branch ?? scheduledOn ?? 'main';
  const runOf = (id: number, attempt: number) => ({
    id,
    attempt,
    url: `${serverUrl}/${owner}/${name}/actions/runs/${id}`,
  });
  return {
    eventName,
    repository: { serverUrl, owner, name },
    apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
    sha: testMerge ? sha : (pull?.head.sha ?? started?.head_sha ?? sha),
    testMerge,
    defaultBranch,
    trustedRef: pull?.base.ref ?? group?.base_sha ?? (started ? defaultBranch : sha),
    run: runOf(Number(need('GITHUB_RUN_ID')), Number(env.GITHUB_RUN_ATTEMPT ?? 1)),
    ...(pull && {
      pullRequest: {
        number: pull.number,
        headSha: pull.head.sha,
        baseRef: pull.base.ref,
        fork: pull.head.repo?.full_name !== pull.base.repo?.full_name,
      },
    }),
    ...(group && { mergeGroup: { baseSha: group.base_sha } }),
    ...(started && {
      startedBy: {
        headSha: started.head_sha,
        headBranch: started.head_branch ?? '',
        headOwner: started.head_repository?.owner.login ?? '',
        run: runOf(started.id, started.run_attempt),
      },
    }),
  };
}
