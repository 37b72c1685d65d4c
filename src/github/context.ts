import * as z from 'zod';
import { ConfigurationError } from '../errors.ts';
import type { Repository } from '../report/report.ts';

/** What the runner says of the job, from its environment and the event that started it. */
export interface GitHubContext {
  eventName: string;
  repository: Repository;
  apiUrl: string;
  /** The commit the workflow runs for: of a pull request, GitHub's test merge commit. */
  sha: string;
  defaultBranch: string;
  run: { id: number; attempt: number; url: string };
  pullRequest?: {
    number: number;
    headSha: string;
    baseRef: string;
    /** The head lives in another repository: no secrets, no OIDC, a read-only token. */
    fork: boolean;
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
});

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
  const { repository, pull_request: pull } = eventSchema.parse(event ?? {});
  const id = Number(need('GITHUB_RUN_ID'));
  const attempt = Number(env.GITHUB_RUN_ATTEMPT ?? 1);
  return {
    eventName: need('GITHUB_EVENT_NAME'),
    repository: { serverUrl, owner, name },
    apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
    sha: need('GITHUB_SHA'),
    defaultBranch: repository?.default_branch ?? 'main',
    run: { id, attempt, url: `${serverUrl}/${owner}/${name}/actions/runs/${id}` },
    ...(pull && {
      pullRequest: {
        number: pull.number,
        headSha: pull.head.sha,
        baseRef: pull.base.ref,
        fork: pull.head.repo?.full_name !== pull.base.repo?.full_name,
      },
    }),
  };
}
