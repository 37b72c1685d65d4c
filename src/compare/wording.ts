/** The sentences of a verdict: plain text, every number with its budget and its noise. */

import type {
  Comparison,
  FingerprintDifference,
  FunctionChange,
  MetricChange,
  MetricId,
  Resolution,
} from './comparison.ts';
import {
  formatCount,
  formatInterval,
  formatPair,
  formatPercent,
  formatProbability,
  formatShare,
  formatThreshold,
  formatValue,
} from './format.ts';

/** Untrusted text as one line of at most `most` characters, without control characters. Renderers escape the rest. */
export function oneLine(text: string, most = 120): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  const characters = [...line.slice(0, most * 4)];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : line;
}

const metricWords: Record<MetricId, { name: string; per: string }> = {
  cpu: { name: 'CPU', per: ' per invocation' },
  duration: { name: 'duration', per: '' },
  billed: { name: 'billed duration', per: '' },
  cost: { name: 'cost', per: ' per million invocations' },
  allocated: { name: 'allocated memory', per: ' per invocation' },
  memory: { name: 'peak memory', per: '' },
  init: { name: 'init duration', per: '' },
  errors: { name: 'failed invocations', per: '' },
};

/** `parseOrder uses +18% CPU per invocation (4.1 → 4.9 ms), over the +10% budget` */
export function headlineOfFunction(worst: FunctionChange, others: number, limit: number, limitName: string): string {
  const also = others === 0 ? '' : ` and ${others} more ${others === 1 ? 'function' : 'functions'}`;
  if (worst.presence === 'new')
    return `${oneLine(worst.display)} is new and uses ${formatValue(worst.headNanosPerInvocation / 1e6, 'ms')} CPU per invocation (${formatShare(worst.share)} of the handler)${also}`;
  return `${oneLine(worst.display)} uses ${formatPercent(worst.ratio - 1)} CPU per invocation (${pairOf(worst)})${also}, over the ${formatThreshold(limit)} ${limitName}`;
}

/** `allocated memory +12.0% per invocation (1.82 → 2.04 MB), over the +10% limit` */
export function headlineOfMetric(metric: MetricChange, limit: number): string {
  if (metric.id === 'errors')
    return metric.base === 0
      ? `${formatShare(metric.head)} of the invocations fail, none did before`
      : `more invocations fail (${formatShare(metric.base)} → ${formatShare(metric.head)})`;
  const { name, per } = metricWords[metric.id];
  return `${name} ${formatPercent(metric.ratio - 1)}${per} (${formatPair(metric.base, metric.head, metric.unit)}), over the ${formatThreshold(limit)} limit`;
}

/** `CPU of 26.1 ms per invocation is over the budget of 25.0 ms` */
export function headlineOfBudget({ id, head, unit }: MetricChange, most: number): string {
  const { name, per } = metricWords[id];
  return `${name} of ${formatValue(head, unit)}${per} is over the budget of ${formatValue(most, unit)}`;
}

export function describeBudget(metric: MetricChange, most: number, wasOver: boolean): string {
  const before = formatValue(metric.base, metric.unit);
  const sentence = capitalised(headlineOfBudget(metric, most));
  return `${sentence}; it was ${before} before${wasOver ? ', over it as well, so this only warns' : ''}.`;
}

export function passHeadline({ metrics }: Comparison): string {
  const cpu = metrics.find(({ id }) => id === 'cpu');
  const found = 'no CPU regression found';
  if (cpu === undefined || !Number.isFinite(cpu.ratio)) return found;
  const noise = Number.isNaN(cpu.ratioLow) ? '' : `, 95% CI ${formatInterval(cpu.ratioLow, cpu.ratioHigh)}`;
  if (cpu.change === 'less')
    return `CPU per invocation ${formatPercent(cpu.ratio - 1)} (${formatPair(cpu.base, cpu.head, 'ms')}${noise}), no regression found`;
  return `${found} (${formatPair(cpu.base, cpu.head, 'ms')} per invocation, ${formatPercent(cpu.ratio - 1)}${noise})`;
}

/** `parseOrder: 4.1 → 4.9 ms, +18.0% (95% CI +9.1% … +27%), p = 0.002 (adjusted for 61 functions), 8 of 8 …` */
export function describeFunction(changed: FunctionChange, functionsTested: number): string {
  const calibrated =
    Math.abs(changed.ratio - changed.rawRatio) > 0.02 ? ' once the speed of the machines is taken out' : '';
  const change =
    changed.presence === 'new'
      ? `new, ${formatValue(changed.headNanosPerInvocation / 1e6, 'ms')} (${formatShare(changed.share)} of the handler)`
      : `${pairOf(changed)}, ${formatPercent(changed.ratio - 1)}${calibrated} (95% CI ${formatInterval(changed.ratioLow, changed.ratioHigh)})`;
  const p = formatProbability(changed.pSlower);
  return `${oneLine(changed.display)}: ${change}, p ${p.startsWith('<') ? p : `= ${p}`} (adjusted for ${formatCount(functionsTested)} ${functionsTested === 1 ? 'function' : 'functions'}), ${changed.headInstancesAbove} of ${changed.headInstances} head instances above the base median${describePath(changed)}.`;
}

/** `, called by handler → priceOrder`; '' for what nobody calls. */
function describePath({ callPath = [] }: FunctionChange): string {
  const callers = callPath.slice(0, -1).map((name) => oneLine(name, 60));
  return callers.length === 0 ? '' : `, called by ${callers.join(' → ')}`;
}

export function describeMetric(metric: MetricChange, mayFail: boolean): string {
  if (metric.id === 'errors') return 'Failed invocations are reported before anything is compared.';
  const { name, per } = metricWords[metric.id];
  const p = formatProbability(metric.pMore);
  const drift =
    !mayFail && (metric.id === 'cpu' || metric.id === 'duration' || metric.id === 'billed')
      ? ' Against a stored baseline this only warns, because machines differ from day to day.'
      : '';
  return `${capitalised(name)}${per}: ${formatPair(metric.base, metric.head, metric.unit)}, ${formatPercent(metric.ratio - 1)} (95% CI ${formatInterval(metric.ratioLow, metric.ratioHigh)}), p ${p.startsWith('<') ? p : `= ${p}`}.${drift}`;
}

export function describeDifferences(differences: readonly FingerprintDifference[]): string[] {
  if (differences.length === 0) return [];
  const list = differences.map(({ field, base, head }) => `${oneLine(field)} ${oneLine(base)} → ${oneLine(head)}`);
  return [`The environments differ (${list.join(', ')}), so nothing can fail.`];
}

/** What was flagged was flagged twice. */
export const confirmedSentence = 'Confirmed on fresh instances of both versions.';

export function describeStrictness(alpha: number, limit: number): string {
  return `Not confirmed against a live base, so a failure needs more: p at most ${alpha} and ${formatThreshold(limit)}.`;
}

/** What could have been seen; a change below the limit would not have been named, however clear. */
export function describeResolution(resolution: readonly Resolution[], limit: number): string {
  const seen = resolution
    .filter(({ detectable }) => detectable < 10)
    .map(
      ({ share, detectable }) =>
        `+${Math.round(Math.max(detectable, limit) * 100)}% in functions above ${formatShare(share)} of the CPU`,
    );
  return seen.length === 0
    ? 'This run could not have seen any change reliably.'
    : `This run could have seen (80% power): ${seen.join(', ')}.`;
}

function pairOf(changed: FunctionChange): string {
  return formatPair(changed.baseNanosPerInvocation / 1e6, changed.headNanosPerInvocation / 1e6, 'ms');
}

/** CPU added per invocation, in nanoseconds. */
export function addedNanos(changed: FunctionChange): number {
  return changed.headNanosPerInvocation - changed.baseNanosPerInvocation;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
