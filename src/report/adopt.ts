/** A report that another job wrote, with everything that a reader takes for ours replaced by what we know ourselves. */
import type { Report, Repository } from './report.ts';

export interface Adoption {
  repository: Repository;
  pullRequest: number;
  /** The change comes from another repository, whose workflow wrote the numbers or ran before them. */
  fork: boolean;
  /** Runs that may have measured: the one that started this one first, then this one. */
  runs: NonNullable<Report['run']>[];
  /** '' when nobody said. */
  pageUrl: string;
}

/**
 * Repository, pull request, run and page decide where links lead and which result is newer, so they are never the
 * report's own. Of the run it may only say which of ours it was.
 */
export function adoptReport(report: Report, { repository, pullRequest, fork, runs, pageUrl }: Adoption): Report {
  const { pageUrl: _theirs, ...rest } = report;
  return {
    ...rest,
    repository,
    pullRequest,
    run: runs.find(({ id }) => id === report.run?.id) ?? runs[0]!,
    ...(pageUrl !== '' && { pageUrl }),
    warnings: fork
      ? [...report.warnings, 'This change comes from a fork: read its code before you rely on its numbers.']
      : report.warnings,
  };
}
