/** How labels come to and go from a pull request. */
import type { Account, IssueEvent, Pull, Repository } from './repository.ts';

/** The colour GitHub gives a label that is created by being used. */
const DEFAULT_COLOR = 'ededed';

/** The label of a name, whose case does not matter. */
function findLabel({ labels }: Repository, name: string) {
  return [...labels.values()].find((label) => label.name.toLowerCase() === name.toLowerCase());
}

function record(repository: Repository, pull: Pull, event: Omit<IssueEvent, 'id' | 'number' | 'createdAt'>): void {
  const createdAt = repository.now();
  pull.updatedAt = createdAt;
  repository.events.push({ ...event, id: repository.nextId(), number: pull.number, createdAt });
}

/** Adds a label, created when the repository has none of that name; adding it twice does nothing. */
export function addLabel(repository: Repository, pull: Pull, name: string, actor: Account): void {
  const label = findLabel(repository, name) ?? { id: repository.nextId(), name, color: DEFAULT_COLOR };
  repository.labels.set(label.name, label);
  if (pull.labels.includes(label.name)) return;
  pull.labels.push(label.name);
  record(repository, pull, { event: 'labeled', label, actor });
}

/** @returns false when the pull request has no such label */
export function removeLabel(repository: Repository, pull: Pull, name: string, actor: Account): boolean {
  const label = findLabel(repository, name);
  if (label === undefined || !pull.labels.includes(label.name)) return false;
  pull.labels = pull.labels.filter((other) => other !== label.name);
  record(repository, pull, { event: 'unlabeled', label, actor });
  return true;
}
