import type { Header, ValueType } from './columns.ts';
import { ProfileError, quoted } from './limits.ts';

/** @throws ProfileError if the columns of two profiles do not mean the same. */
export function requireSameTypes(a: Header, b: Header): void {
  requireEqual('sample types', a.sampleTypes, b.sampleTypes);
  requireEqual('period types', [a.periodType], [b.periodType]);
}

/** The header of a merge of one profile. */
export function copyHeader(header: Header): Header {
  return { ...header, comments: distinct(header.comments) };
}

/**
 * The header of a merge: the earliest time, the sum of durations, the largest period, all different comments, the first
 * default sample type and URL there are, and the patterns of frames to drop and keep of the first profile.
 */
export function joinHeaders(a: Header, b: Header): Header {
  return {
    ...a,
    timeNanos: earlier(a.timeNanos, b.timeNanos),
    durationNanos: clamped(a.durationNanos + b.durationNanos),
    period: larger(a.period, b.period),
    comments: distinct([...a.comments, ...b.comments]),
    defaultSampleType: a.defaultSampleType || b.defaultSampleType,
    docUrl: a.docUrl || b.docUrl,
  };
}

/** The earlier of two times, of which 0 is none. */
function earlier(a: bigint, b: bigint): bigint {
  if (a === 0n || b === 0n) return a + b;
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function clamped(value: bigint): bigint {
  const largest = 2n ** 63n - 1n;
  return value > largest ? largest : value < -largest ? -largest : value;
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)];
}

function requireEqual(what: string, expected: ValueType[], found: ValueType[]): void {
  const show = (types: ValueType[]) => types.map(({ type, unit }) => quoted(`${type}/${unit}`)).join(', ');
  const equal =
    expected.length === found.length &&
    expected.every(({ type, unit }, i) => type === found[i]!.type && unit === found[i]!.unit);
  if (!equal)
    throw new ProfileError(`Cannot merge profiles of different ${what}: ${show(expected)} and ${show(found)}.`);
}
