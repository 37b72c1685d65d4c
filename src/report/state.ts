/** What a reader sees first: a sign and a word for the outcome. Colour and emoji never stand alone. */
import { isReviewable } from '../compare/comparison.ts';
import { describeDifferences } from '../compare/wording.ts';
import type { Report } from './report.ts';

export type State =
  | 'regression'
  | 'warning'
  | 'pass'
  | 'improvement'
  | 'accepted'
  | 'inconclusive'
  | 'first-run'
  | 'skipped'
  | 'error';

/** The nine states of the texts: the verdict's kinds, with a pass that got faster told apart. */
export function stateOf(report: Report): State {
  switch (report.verdict.kind) {
    case 'fail':
      return 'regression';
    case 'warn':
      return 'warning';
    case 'no-baseline':
      return 'first-run';
    case 'pass':
      return isImprovement(report) ? 'improvement' : 'pass';
    default:
      return report.verdict.kind;
  }
}

/** Emoji for Markdown, sign for terminals, and the word that says the same. */
export const stateMarks: Record<State, { emoji: string; sign: string; word: string }> = {
  regression: { emoji: '❌', sign: '✗', word: 'Regression' },
  warning: { emoji: '⚠️', sign: '!', word: 'Warning' },
  pass: { emoji: '✅', sign: '✓', word: 'Pass' },
  improvement: { emoji: '🟢', sign: '✓', word: 'Improvement' },
  accepted: { emoji: '👁️', sign: '✓', word: 'Accepted regression' },
  inconclusive: { emoji: '❓', sign: '?', word: 'Inconclusive' },
  'first-run': { emoji: '🆕', sign: '+', word: 'First recording' },
  skipped: { emoji: '⏭️', sign: '-', word: 'Skipped' },
  error: { emoji: '🚫', sign: '!', word: 'Not measured' },
};

/** Whether the tables already say what the sentences explain: then those are folded with the method. */
export function foldsReasons(state: State): boolean {
  return state === 'regression' || state === 'warning' || state === 'accepted' || state === 'improvement';
}

/** What a reader must know: what differs between the sides, where no sentence of the verdict says so openly, and the rest. */
export function shownWarnings(report: Report): string[] {
  const differing = foldsReasons(stateOf(report)) ? describeDifferences(report.differences) : [];
  return [...differing, ...report.warnings];
}

function isImprovement(report: Report): boolean {
  const comparison = report.comparison;
  if (comparison === undefined) return false;
  const worse =
    comparison.functions.some((changed) => changed.change === 'slower' && isReviewable(changed)) ||
    comparison.metrics.some((metric) => metric.change === 'more');
  const better =
    comparison.functions.some((changed) => changed.change === 'faster' && isReviewable(changed)) ||
    comparison.metrics.some((metric) => metric.change === 'less');
  return better && !worse;
}
