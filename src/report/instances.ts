/** The instances of both sides, a row each: one that stands out shows. */
import { formatCount, formatValue } from '../compare/format.ts';
import { escapeCodeSpan } from './escape.ts';
import { type Block, unbroken } from './markdown.ts';
import type { MeasuredSide, Report } from './report.ts';

type Instance = MeasuredSide['instances'][number];

interface Column {
  name: string;
  show(instance: Instance): string;
  /** Whether it says anything; a column that says nothing for all instances is left out. */
  says?(instance: Instance): boolean;
}

const ms = (value: number | undefined) => formatValue(value ?? Number.NaN, 'ms');
const known = (value: number | undefined) => value !== undefined && Number.isFinite(value);

const columns: Column[] = [
  {
    name: 'Calls',
    show: ({ invocations, errors }) => `${formatCount(invocations)}${errors > 0 ? ` (❌ ${formatCount(errors)})` : ''}`,
  },
  { name: 'CPU', show: ({ cpuMsPerInvocation }) => ms(cpuMsPerInvocation) },
  { name: 'p50', show: ({ durationP50Ms }) => ms(durationP50Ms) },
  { name: 'p95', show: ({ durationP95Ms }) => ms(durationP95Ms), says: (one) => known(one.durationP95Ms) },
  { name: 'Billed', show: ({ billedMeanMs }) => ms(billedMeanMs), says: (one) => known(one.billedMeanMs) },
  { name: 'Init', show: ({ initMs }) => ms(initMs), says: (one) => known(one.initMs) },
  {
    name: 'Memory',
    show: ({ maxMemoryMb }) => formatValue(maxMemoryMb ?? Number.NaN, 'MB'),
    says: (one) => known(one.maxMemoryMb),
  },
  {
    name: 'Allocated',
    show: (one) => formatValue(one.allocatedBytesPerInvocation ?? Number.NaN, 'bytes'),
    says: (one) => known(one.allocatedBytesPerInvocation),
  },
];

/** One row per instance of each side, folded; none without instances. */
export function instancesBlock(report: Report): Block[] {
  const all = (['base', 'head'] as const).flatMap((side) =>
    (report[side]?.instances ?? []).map((instance) => ({ side, instance })),
  );
  if (all.length === 0) return [];
  const shown = columns.filter(({ says }) => says === undefined || all.some(({ instance }) => says(instance)));
  return [
    {
      kind: 'table',
      intro:
        'Calls (❌ failed); CPU, duration (p50, p95), billed time and allocation of one call; init and memory of the instance.',
      title: all.length === 1 ? 'The one instance' : `The ${formatCount(all.length)} instances`,
      header: ['Side', 'Instance', ...shown.map(({ name }) => name)],
      align: `ll${'r'.repeat(shown.length)}`,
      importance: 5,
      rows: all.map(({ side, instance }) => [
        side,
        escapeCodeSpan(instance.id, 11),
        ...shown.map(({ show }) => unbroken(show(instance))),
      ]),
    },
  ];
}
