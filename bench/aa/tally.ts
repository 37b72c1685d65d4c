/** What the runs say together: the confusion table and the goals. */
import { markdownTable } from 'markdown-table';
import type { Comparison } from '../../src/compare/comparison.ts';
import type { Verdict } from '../../src/compare/verdict.ts';
import type { Scenario } from './scenarios.ts';

/** One finished run, as it is kept. */
export interface Run {
  scenario: string;
  verdict: string;
  headline: string;
  state?: string;
  /** The screen found something that had to be measured again. */
  screened: boolean;
  seconds: number;
  comparison?: Comparison;
  reasons?: string[];
  warnings?: string[];
  timings?: { step: string; ms: number }[];
}

export interface Finished {
  scenario: Scenario;
  run: Run;
}

const VERDICTS = ['pass', 'warn', 'fail', 'inconclusive', 'error', 'broken'] as const;

/** A run in one line. */
export function rowOf({ name, baseline, noise }: Scenario, run: Run): string {
  const again = run.screened ? ', measured again' : '';
  return `${name} (${baseline}, ${noise}): ${run.verdict}${again}, ${run.seconds.toFixed(0)} s: ${run.headline}`;
}

/** Scenario x verdict, with the alarms of the screen and how often the right function or metric was named. */
export function confusionTable(finished: readonly Finished[]): string {
  const unchangedFirst = finished.toSorted(
    (a, b) => Number(b.scenario.kind === 'unchanged') - Number(a.scenario.kind === 'unchanged'),
  );
  const groups = Map.groupBy(unchangedFirst, ({ scenario }) => groupOf(scenario));
  return markdownTable(
    [
      ['pull request', 'runs', 'screen alarms', ...VERDICTS, 'right'],
      ...[...groups].map(([name, members]) => [
        name,
        String(members.length),
        String(members.filter(({ run }) => run.screened).length),
        ...VERDICTS.map((verdict) => String(members.filter(({ run }) => run.verdict === verdict).length)),
        String(members.filter(isRight).length),
      ]),
    ],
    { align: ['l', ...Array.from({ length: VERDICTS.length + 3 }, () => 'r')] },
  );
}

function groupOf({ kind, growth, name, baseline, noise }: Scenario): string {
  const language = name.includes('(Go)') ? ', Go' : '';
  if (kind === 'unchanged') return `unchanged, ${baseline}, ${noise === 'quiet' ? 'quiet' : 'beside noise'}${language}`;
  if (kind === 'slower') return `a function ${growth! * 100}% slower${language}`;
  if (kind === 'moved') return 'renamed, moved or split';
  return name;
}

/** Whether the verdict is what the change deserves, for the right reason. */
export function isRight({ scenario, run }: Finished): boolean {
  switch (scenario.kind) {
    case 'unchanged':
      return run.verdict === 'pass';
    case 'moved':
      return run.verdict !== 'fail' && run.comparison !== undefined;
    case 'slower':
    case 'small':
      return run.verdict === 'fail' && isNamed(run, scenario.culprit!);
    case 'moved and slower':
      return run.verdict === 'fail';
    case 'uniform':
      return isMore(run, 'cpu') && ['fail', 'warn'].includes(run.verdict);
    case 'allocation':
      return isMore(run, 'allocated') && run.verdict === 'fail';
    case 'init':
      return isMore(run, 'init') && run.verdict === 'warn';
  }
}

function isNamed({ comparison }: Run, name: string): boolean {
  return comparison!.functions.some(
    ({ display, change }) => change === 'slower' && (display === name || display.endsWith(`.${name}`)),
  );
}

function isMore({ comparison }: Run, metric: string): boolean {
  return comparison?.metrics.some(({ id, change }) => id === metric && change === 'more') === true;
}

/** A real regression that was called moved. */
function isWronglyExcused({ run }: Finished): boolean {
  return (
    run.verdict !== 'fail' &&
    run.comparison?.functions.some(({ change, partOf }) => change === 'moved' && !partOf) === true
  );
}

export interface Goal {
  what: string;
  goal: string;
  met: boolean;
  measured: string;
}

export function goals(finished: readonly Finished[]): Goal[] {
  const of = (test: (scenario: Scenario) => boolean) => finished.filter(({ scenario }) => test(scenario));
  const unchanged = of(({ kind }) => kind === 'unchanged');
  const count = (list: readonly Finished[], verdict: Verdict['kind']) =>
    list.filter(({ run }) => run.verdict === verdict).length;
  const failed = count(unchanged, 'fail');
  const warned = count(unchanged, 'warn');
  const praised = unchanged.filter(({ run }) => run.state === 'improvement').length;
  const screened = unchanged.filter(({ run }) => run.screened).length;
  const broken = finished.filter(({ run }) => ['broken', 'error', 'inconclusive'].includes(run.verdict)).length;
  const large = of(({ kind, growth = 0 }) => kind === 'slower' && growth >= 0.5);
  const found = large.filter(isRight).length;
  const moved = of(({ kind }) => kind === 'moved');
  const excused = moved.filter(isRight).length;
  const real = of(({ kind }) => ['slower', 'small', 'moved and slower'].includes(kind));
  const wrongly = real.filter(isWronglyExcused).length;
  const totals = of(({ kind }) => ['uniform', 'allocation', 'init'].includes(kind));
  const seen = totals.filter(isRight).length;
  return [
    {
      what: 'unchanged: failures after confirmation',
      goal: '0',
      met: failed === 0,
      measured: `${failed} of ${unchanged.length}; ${screened} before confirmation`,
    },
    {
      what: 'unchanged: warnings',
      goal: '<= 5%',
      met: warned <= 0.05 * unchanged.length,
      measured: `${warned} of ${unchanged.length}`,
    },
    {
      what: 'unchanged: improvements claimed',
      goal: '<= 5%',
      met: praised <= 0.05 * unchanged.length,
      measured: `${praised} of ${unchanged.length}`,
    },
    {
      what: 'slower by 50% or 100%: fails and names the function',
      goal: 'all',
      met: found === large.length,
      measured: `${found} of ${large.length}`,
    },
    {
      what: 'renamed, moved or split: excused',
      goal: '>= 90%',
      met: excused >= 0.9 * moved.length,
      measured: `${excused} of ${moved.length}, ${count(moved, 'warn')} with a warning`,
    },
    {
      what: 'slower: wrongly excused as moved',
      goal: '<= 2%',
      met: wrongly <= 0.02 * real.length,
      measured: `${wrongly} of ${real.length}`,
    },
    ...(totals.length === 0
      ? []
      : [
          {
            what: 'everything slower, more allocated, longer init: seen by its own metric',
            goal: 'all',
            met: seen === totals.length,
            measured: `${seen} of ${totals.length}`,
          },
        ]),
    { what: 'runs without a verdict', goal: '0', met: broken === 0, measured: `${broken} of ${finished.length}` },
  ];
}
