import type { FingerprintDifference } from '../compare/comparison.ts';
import type { Fingerprint, Manifest } from './recording.ts';

/** Fields of a fingerprint as people call them. */
const NAMES: Record<keyof Fingerprint, string> = {
  memoryMb: 'memory size',
  architecture: 'architecture',
  runtime: 'runtime',
  region: 'region',
  language: 'language version',
  agent: 'agent version',
  engine: 'profiler',
  intervalUs: 'sampling interval',
  flags: 'runtime flags',
};

/** What differs between the environments of two recordings, field by field. Any difference caps the verdict. */
export function differencesBetween(
  base: Pick<Manifest, 'fingerprint'>,
  head: Pick<Manifest, 'fingerprint'>,
): FingerprintDifference[] {
  return (Object.keys(NAMES) as (keyof Fingerprint)[])
    .map((field) => ({
      field: NAMES[field],
      base: shown(field, base.fingerprint),
      head: shown(field, head.fingerprint),
    }))
    .filter((difference) => difference.base !== difference.head);
}

function shown(field: keyof Fingerprint, fingerprint: Fingerprint): string {
  const value = fingerprint[field];
  if (Array.isArray(value)) return value.join(' ');
  if (field === 'memoryMb') return `${value} MB`;
  if (field === 'intervalUs') return `${value} µs`;
  return String(value);
}
