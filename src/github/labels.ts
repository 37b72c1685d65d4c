import type { Repository } from '../report/report.ts';
import type { GitHub } from './client.ts';

/** Who set the label that accepts the regressions of a pull request, and when. */
export interface Acceptance {
  label: string;
  /** '' when GitHub does not say. */
  login: string;
  /** ISO time, '' when GitHub does not say. */
  at: string;
}

/**
 * Whether the label is on the pull request *now*: the event that started a job is replayed as it was when the job runs
 * again, with the labels of that time. Names of labels differ by more than case.
 */
export async function fetchAcceptance(
  github: GitHub,
  { owner, name }: Repository,
  pullRequest: number,
  label: string,
): Promise<Acceptance | undefined> {
  const issue = { owner, repo: name, issue_number: pullRequest, per_page: 100 };
  const isIt = (other: string | undefined): boolean => other?.toLowerCase() === label.toLowerCase();
  const labels = await github.paginate(github.rest.issues.listLabelsOnIssue, issue);
  const found = labels.find((one) => isIt(one.name));
  if (!found) return undefined;
  const events = await github.paginate(github.rest.issues.listEvents, issue);
  const set = events.findLast((event) => event.event === 'labeled' && 'label' in event && isIt(event.label?.name));
  return { label: found.name, login: set?.actor?.login ?? '', at: set?.created_at ?? '' };
}
