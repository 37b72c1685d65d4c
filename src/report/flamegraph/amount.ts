/** Values of a call tree for people: the unit of a profile type, turned into one of `format.ts`. */
import { formatCount, formatDelta, formatPair, formatValue, type Unit } from '../../compare/format.ts';

const timeUnits: Record<string, number> = { nanoseconds: 1e-6, microseconds: 1e-3, milliseconds: 1, seconds: 1e3 };

/** A value with its unit: `1.90 ms`, `1.82 MB`, `1,204`. */
export function formatAmount(value: number, unit: string): string {
  const known = unitOf(unit);
  return known === undefined ? countOf(value) : formatValue(value * known.factor, known.unit);
}

/** What was added, with its sign. */
export function formatAmountDelta(base: number, head: number, unit: string): string {
  const known = unitOf(unit);
  if (known !== undefined) return formatDelta(base * known.factor, head * known.factor, known.unit);
  const delta = head - base;
  return `${delta < 0 ? '−' : delta > 0 ? '+' : '±'}${countOf(Math.abs(delta))}`;
}

/** Both sides: `0.53 → 2.43 ms`. */
export function formatAmountPair(base: number, head: number, unit: string): string {
  const known = unitOf(unit);
  if (known !== undefined) return formatPair(base * known.factor, head * known.factor, known.unit);
  return `${countOf(base)} → ${countOf(head)}`;
}

function unitOf(unit: string): { unit: Unit; factor: number } | undefined {
  if (unit === 'bytes') return { unit: 'bytes', factor: 1 };
  const factor = Object.hasOwn(timeUnits, unit) ? timeUnits[unit] : undefined;
  return factor === undefined ? undefined : { unit: 'ms', factor };
}

/** Objects per invocation are often fractions. */
function countOf(value: number): string {
  if (!Number.isFinite(value)) return 'n/a';
  return value >= 100 || Number.isInteger(value) ? formatCount(value) : Number(value.toPrecision(3)).toString();
}
