/** A value against its limits, so that no number stands without its budget. */
import { isReviewable, type MetricChange } from '../compare/comparison.ts';
import { formatThreshold, formatValue } from '../compare/format.ts';
import { surelyAtLeast } from '../compare/limits.ts';
import type { Report } from './report.ts';
import type { FunctionRow } from './rows.ts';

export interface BudgetMark {
  /** `over` failed the check (or was accepted), `warned` only warns, `none` is not judged. */
  state: 'over' | 'warned' | 'within' | 'none';
  /** `over +10%`, `within noise`; '' when there is nothing to say. */
  text: string;
}

/** Signs of the states: emoji for Markdown, characters for everything else. */
export const budgetSigns: Record<BudgetMark['state'], { emoji: string; sign: string }> = {
  over: { emoji: '❌', sign: '✗' },
  warned: { emoji: '⚠️', sign: '!' },
  within: { emoji: '✅', sign: '✓' },
  none: { emoji: '', sign: '' },
};

const unjudged: BudgetMark = { state: 'none', text: '' };

/** A metric against the limits, as facts: which of them gates is the verdict's business. */
export function budgetOfMetric(report: Report, metric: MetricChange): BudgetMark {
  const { minDeltaMs, metrics = {} } = report.budget;
  const most = metrics[metric.id]?.most;
  // Billed duration goes by the limits of duration.
  const own = metrics[metric.id === 'billed' ? 'duration' : metric.id];
  const { fail, warn } = own ?? { fail: report.budget.failThreshold, warn: report.budget.warnThreshold };
  if (most !== undefined && surelyAtLeast(metric) > most) {
    const broken = isFatal(report) && !(metric.base > most);
    return { state: broken ? 'over' : 'warned', text: `over ${formatValue(most, metric.unit)}` };
  }
  if (metric.id === 'cost')
    return most === undefined ? unjudged : { state: 'within', text: `within ${formatValue(most, metric.unit)}` };
  const limit = formatThreshold(fail);
  const relative = metric.head / metric.base - 1;
  if (metric.unit === 'share' || Number.isNaN(relative) || report.verdict.kind === 'inconclusive') return unjudged;
  if (relative < warn || metric.change === 'less') return { state: 'within', text: `within ${limit}` };
  if (metric.change !== 'more') return { state: 'within', text: 'within noise' };
  if (metric.id === 'cpu' && metric.head - metric.base < minDeltaMs)
    return { state: 'within', text: `under ${formatValue(minDeltaMs, 'ms')}` };
  if (relative < fail) return { state: 'warned', text: `over ${formatThreshold(warn)}` };
  // Against a stored baseline the totals only warn: machines differ from day to day.
  const gated = metric.id === 'allocated' || metric.id === 'memory' || report.comparison?.method.confirmed === true;
  return { state: gated && isFatal(report) ? 'over' : 'warned', text: `over ${limit}${gated ? '' : ', not gated'}` };
}

/** A function against the limits that hold for it: the verdict says whether it is over them, this says which. */
export function budgetOfFunction(report: Report, { changed }: FunctionRow): BudgetMark {
  const { key } = changed;
  const { functions = {}, failThreshold, warnThreshold, minDeltaMs } = report.budget;
  const own = Object.hasOwn(functions, key) ? functions[key] : undefined;
  const { fail, warn, least } = own ?? { fail: failThreshold, warn: warnThreshold, least: minDeltaMs };
  const failed = report.verdict.regressed.includes(key);
  if (failed || report.verdict.warned.includes(key)) {
    const reached = failed || changed.ratio >= 1 + fail ? fail : warn;
    const limit = changed.presence === 'new' ? formatValue(least, 'ms') : formatThreshold(reached);
    return { state: failed && isFatal(report) ? 'over' : 'warned', text: `over ${limit}` };
  }
  if (report.verdict.kind === 'inconclusive' || changed.change === 'moved' || changed.change === 'unchanged')
    return unjudged;
  if (changed.change === 'faster') return { state: 'within', text: 'less' };
  return isReviewable(changed) ? { state: 'within', text: 'below the limits' } : { state: 'none', text: 'not gated' };
}

function isFatal({ verdict }: Report): boolean {
  return verdict.kind === 'fail' || verdict.kind === 'accepted';
}
