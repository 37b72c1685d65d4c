import { exitCodeOf } from '../compare/verdict.ts';
import { renderComment } from '../report/comment.ts';
import { visibleText } from '../report/escape.ts';
import type { Report, Repository } from '../report/report.ts';
import { adviceFor, describeFailure, type GitHub } from './client.ts';

export interface CheckResult {
  conclusion: 'success' | 'failure' | 'neutral';
  /** One line. */
  title: string;
  /** Markdown. */
  summary: string;
}

/** A check run in progress; completing it never throws. */
export interface CheckRun {
  complete(result: CheckResult): Promise<void>;
}

/** GitHub takes 65,535 bytes. */
const MAX_SUMMARY_BYTES = 60_000;

/** What a report says as a check: only what fails the job fails the check, and only what was judged succeeds. */
export function renderCheck(report: Report, settings: Parameters<typeof exitCodeOf>[1]): CheckResult {
  const { verdict } = report;
  const judged = verdict.kind === 'pass' || verdict.kind === 'accepted';
  const failed = exitCodeOf(verdict, settings) !== 0;
  const [, ...lines] = renderComment(report, MAX_SUMMARY_BYTES).split('\n');
  return {
    conclusion: failed ? 'failure' : judged ? 'success' : 'neutral',
    title: visibleText(verdict.headline, 250),
    summary: lines.join('\n'),
  };
}

/**
 * Starts a check run beside the job. GitHub shows it below whichever workflow it likes, so the job stays the gate.
 * @param headSha of the pull request: checks of its test merge commit are shown nowhere
 * @param warn gets one sentence when the token may not, and the run goes on without
 */
export async function startCheckRun(
  github: GitHub,
  { owner, name: repo }: Repository,
  check: { name: string; headSha: string; detailsUrl: string },
  warn: (message: string) => void,
): Promise<CheckRun | undefined> {
  try {
    const { data } = await github.rest.checks.create({
      owner,
      repo,
      name: check.name,
      head_sha: check.headSha,
      details_url: check.detailsUrl,
      status: 'in_progress',
    });
    return {
      async complete({ conclusion, title, summary }) {
        const run = { owner, repo, check_run_id: data.id };
        try {
          await github.rest.checks.update({ ...run, conclusion, output: { title, summary } });
        } catch (error) {
          warn(explain(`complete the check run ${check.name}`, error));
        }
      },
    };
  } catch (error) {
    warn(explain(`create the check run ${check.name}`, error));
    return undefined;
  }
}

function explain(what: string, error: unknown): string {
  return `Cannot ${what}: ${describeFailure(error)}. ${adviceFor(error, 'checks: write')} The verdict does not change.`;
}
