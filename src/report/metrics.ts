/** The metrics of a comparison, named for people. */
import type { MetricChange, MetricId } from '../compare/comparison.ts';
import type { Report } from './report.ts';

export const metricNames: Record<MetricId, string> = {
  cpu: 'CPU / invocation',
  duration: 'Duration',
  billed: 'Billed duration',
  cost: 'Cost / million',
  allocated: 'Allocated / invocation',
  memory: 'Peak memory',
  init: 'Init duration',
  errors: 'Failed invocations',
};

/** Only what was measured on at least one side. */
export function measuredMetrics(report: Report): MetricChange[] {
  return (report.comparison?.metrics ?? []).filter(
    (metric) => Number.isFinite(metric.base) || Number.isFinite(metric.head),
  );
}
