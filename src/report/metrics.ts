/** The metrics of a comparison, named for people. */
import type { MetricChange, MetricId, Resolution } from '../compare/comparison.ts';
import { formatShare, formatThreshold } from './format.ts';
import type { Report } from './report.ts';

export const metricNames: Record<MetricId, string> = {
  cpu: 'CPU / invocation',
  duration: 'Duration',
  billed: 'Billed duration',
  allocated: 'Allocated / invocation',
  memory: 'Peak memory',
  init: 'Init duration',
  errors: 'Failed invocations',
};

/** What this run could have found, as a sentence; '' when it is not known. */
export function resolutionSentence(resolution: Resolution[]): string {
  const seen = resolution
    .filter(({ detectable }) => Number.isFinite(detectable))
    .map(
      ({ share, detectable }) =>
        `${formatThreshold(Math.round(detectable * 100) / 100)} in functions above ${formatShare(share)} of the CPU`,
    );
  return seen.length === 0 ? '' : `This run could have seen (80% power): ${seen.join(', ')}.`;
}

/** Only what was measured on at least one side. */
export function measuredMetrics(report: Report): MetricChange[] {
  return (report.comparison?.metrics ?? []).filter(
    (metric) => Number.isFinite(metric.base) || Number.isFinite(metric.head),
  );
}
