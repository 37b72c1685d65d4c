import { gzipSync } from 'node:zlib';
import { Line, Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';

/** What is published without anything to say: the text Go 1.9 and before wrote for an empty contention profile. */
export const LEGACY_EMPTY = '--- contention:\ncycles/second=2799992448\n';

export interface ProfileText {
  /** `type/unit` of each column. */
  columns: string[];
  /** Function -> a value for each column. */
  samples: Record<string, number[]>;
  /** When it was taken; order of windows that say nothing else. */
  seconds?: number;
  comment?: object;
}

export const CPU = ['samples/count', 'cpu/nanoseconds'];
export const HEAP = ['alloc_objects/count', 'alloc_space/bytes', 'inuse_objects/count', 'inuse_space/bytes'];

/** A snapshot as a producer uploads it: gzip of profile.proto. */
export function snapshotBody({ columns, samples, seconds = 0, comment }: ProfileText): Uint8Array {
  const stringTable = new StringTable();
  const text = (value: string): number => stringTable.dedup(value);
  const names = Object.keys(samples);
  const profile = new Profile({
    stringTable,
    sampleType: columns.map((column) => {
      const [type, unit] = column.split('/');
      return new ValueType({ type: text(type!), unit: text(unit!) });
    }),
    function: names.map((name, i) => new PprofFunction({ id: i + 1, name: text(name) })),
    location: names.map((_, i) => new Location({ id: i + 1, line: [new Line({ functionId: i + 1, line: 1 })] })),
    sample: names.map((name, i) => new Sample({ locationId: [i + 1], value: samples[name]! })),
    timeNanos: BigInt(seconds) * 1_000_000_000n,
    ...(comment && { comment: [text(`lambda-profile:${JSON.stringify(comment)}`)] }),
  });
  return gzipSync(profile.encode());
}

/** The comment of an agent's snapshot. */
export const windowOf = (more: object = {}): object => ({
  v: 1,
  run: 'run-1',
  function: 'orders',
  functionVersion: '1',
  commit: '0123abc',
  instance: 'a1',
  sequence: 0,
  slot: 0,
  reason: 'flush',
  invocations: { n: 10, errors: 0, cold: 0 },
  time: { start: 0, end: 1, activeMs: 1, cpuMs: 1 },
  allocatedBytes: 0,
  memoryMb: 512,
  arch: 'x86_64',
  runtime: '',
  language: 'go 1.26',
  agent: 'lambda-profile-go/0.1.0',
  engine: 'runtime/pprof',
  intervalUs: 10_000,
  flags: [],
  kind: 'delta',
  ...more,
});
