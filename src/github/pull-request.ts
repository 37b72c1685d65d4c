import { ConfigurationError } from '../errors.ts';
import type { Repository } from '../report/report.ts';
import { adviceFor, describeFailure, type GitHub, statusOf } from './client.ts';
import type { GitHubContext } from './context.ts';

type PullRequest = NonNullable<GitHubContext['pullRequest']>;

/** The context with the pull request that the event itself does not tell: one the user names, or that of a `workflow_run`. */
export async function withPullRequest(
  github: GitHub,
  context: GitHubContext,
  number: number | undefined,
): Promise<GitHubContext> {
  const { repository, startedBy } = context;
  if (number !== undefined && number !== context.pullRequest?.number) {
    const pull = { owner: repository.owner, repo: repository.name, pull_number: number };
    try {
      return withFound(context, describePull((await github.rest.pulls.get(pull)).data));
    } catch (error) {
      if (statusOf(error) !== 404)
        throw new ConfigurationError(
          `Cannot read pull request ${number}: ${describeFailure(error)}. ${adviceFor(error, 'pull-requests: read')}`,
        );
      throw new ConfigurationError(
        `Cannot find pull request ${number}: there is none of that number, or the token may not see it. Check pr-number, and add \`permissions: pull-requests: read\` to the job.`,
      );
    }
  }
  if (context.pullRequest || !startedBy) return context;
  const found = await findPullRequest(github, repository, startedBy).catch((error: unknown) => {
    throw new ConfigurationError(
      `Cannot find the pull request of this workflow run: ${describeFailure(error)}. ${adviceFor(error, 'pull-requests: read')}`,
    );
  });
  return found ? withFound(context, found) : context;
}

function withFound(context: GitHubContext, pullRequest: PullRequest): GitHubContext {
  return { ...context, pullRequest, trustedRef: pullRequest.baseRef };
}

/**
 * The open pull request of a branch at this very commit. `workflow_run.pull_requests` is empty for forks, and GitHub
 * knows no pull requests of a commit that only a fork has: the branch is what leads to it, and the commit what proves
 * that it is the one that was measured.
 */
export async function findPullRequest(
  github: GitHub,
  { owner, name }: Repository,
  head: NonNullable<GitHubContext['startedBy']>,
): Promise<PullRequest | undefined> {
  if (head.headBranch === '' || head.headOwner === '') return undefined;
  const pulls = await github.paginate(github.rest.pulls.list, {
    owner,
    repo: name,
    state: 'open',
    head: `${head.headOwner}:${head.headBranch}`,
    per_page: 100,
  });
  const found = pulls.find(({ head: { sha } }) => sha === head.headSha);
  return found && describePull(found);
}

interface Pull {
  number: number;
  head: { sha: string; repo: { full_name: string } | null };
  base: { ref: string; repo: { full_name: string } };
}

function describePull({ number, head, base }: Pull): PullRequest {
  return { number, headSha: head.sha, baseRef: base.ref, fork: head.repo?.full_name !== base.repo.full_name };
}
