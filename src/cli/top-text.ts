import type { Profile } from '../pprof/columns.ts';
import type { Filter } from '../pprof/filter.ts';
import { formatPercentage, formatQuantity, scaleQuantity, tableUnit } from '../pprof/quantity.ts';
import { MIN_FUNCTION, share, type Top, type TopRow } from '../pprof/top.ts';
import { inert } from './shell.ts';

/** The table of `go tool pprof -top`, line by line: what the profile is, what is shown of it, the functions. */
export function renderTop(top: Top, filter: Filter): string {
  const { profile, rows, total } = top;
  const { type, unit } = profile.sampleTypes[top.column]!;
  const shownUnit = rows.length === 0 ? 'minimum' : tableUnit(smallest(rows), total, unit);
  const format = (value: bigint): string => formatQuantity(value, unit, shownUnit);
  const shown = rows.reduce((sum, { self }) => sum + self, 0n);
  const lines = [
    ...aboutProfile(profile, type, unit, total, format),
    ...aboutFilter(filter),
    `Showing nodes accounting for ${format(shown)}, ${formatPercentage(shown, total).trim()} of ${format(total)} total`,
  ];
  if (top.dropped > 0 && total !== 0n)
    lines.push(
      `Dropped ${top.dropped} node${top.dropped > 1 ? 's' : ''} (cum <= ${format(share(total, MIN_FUNCTION))})`,
    );
  lines.push('      flat  flat%   sum%        cum   cum%');
  let sum = 0n;
  for (const row of rows) {
    sum += row.self;
    lines.push(renderRow(row, sum, total, format));
  }
  return lines.map((line) => `${inert(line)}\n`).join('');
}

function renderRow(row: TopRow, sum: bigint, total: bigint, format: (value: bigint) => string): string {
  const mark = { no: '', partly: ' (partial-inline)', always: ' (inline)' }[row.inlined];
  const percent = (value: bigint): string => formatPercentage(value, total);
  return `${format(row.self).padStart(10)} ${percent(row.self)} ${percent(sum)} ${format(row.total).padStart(10)} ${percent(row.total)}  ${row.name}${mark}`;
}

function smallest(rows: TopRow[]): bigint {
  let least = 0n;
  for (const { self, total } of rows) {
    const value = self || total;
    const size = value < 0n ? -value : value;
    if (size > 0n && (least === 0n || size < least)) least = size;
  }
  return least;
}

function aboutProfile(
  profile: Profile,
  type: string,
  unit: string,
  total: bigint,
  format: (value: bigint) => string,
): string[] {
  const lines: string[] = [];
  const [main] = profile.mappings;
  const file = main && profile.text(main.file);
  if (file) lines.push(`File: ${file.slice(file.lastIndexOf('/') + 1)}`);
  const buildId = main && profile.text(main.buildId);
  if (buildId) lines.push(`Build ID: ${buildId}`);
  lines.push(...profile.comments.filter((comment) => !comment.startsWith('#')));
  if (type !== '') lines.push(`Type: ${type}`);
  if (profile.header.docUrl !== '') lines.push(`Doc: ${profile.header.docUrl}`);
  if (profile.timeNanos !== 0n) lines.push(`Time: ${renderTime(profile.timeNanos)}`);
  if (profile.durationNanos !== 0n) {
    const nanos = scaleQuantity(total, unit, 'nanoseconds');
    const busy =
      nanos.unit === 'ns' && nanos.value !== 0
        ? `(${formatPercentage(BigInt(Math.trunc(nanos.value)), profile.durationNanos)})`
        : '';
    const duration = formatQuantity(profile.durationNanos, 'nanoseconds', 'minimum');
    lines.push(`Duration: ${duration}, Total samples = ${format(total)} ${busy}`);
  }
  return lines;
}

/** `2026-11-20 16:07:24 CET`, in the time zone of the reader. */
function renderTime(nanos: bigint): string {
  const time = new Date(Number(nanos / 1_000_000n));
  if (Number.isNaN(time.getTime())) return `${nanos} ns since 1970`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${String(time.getFullYear()).padStart(4, '0')}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
    .formatToParts(time)
    .find((part) => part.type === 'timeZoneName')?.value;
  return `${date} ${clock} ${zone ?? ''}`.trimEnd();
}

/** Patterns are shown so far. */
const MAX_PATTERN = 80;

function aboutFilter(filter: Filter): string[] {
  const order = ['focus', 'ignore', 'hide', 'show', 'tagfocus', 'tagignore'] as const;
  const active = order.filter((name) => filter[name]).map((name) => `${name}=${filter[name]}`);
  if (active.length === 0) return [];
  return [
    'Active filters:',
    ...active.map((text) => `   ${text.length > MAX_PATTERN ? `${text.slice(0, MAX_PATTERN)}…` : text}`),
  ];
}
