import { Function as Fn, Label, Line, Location, Mapping, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import type { Profile as Columns } from '../../src/pprof/columns.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';

/** A frame: `name`, `name@file`, `name@file:line`; several, innermost first, are inlined into one location. */
export type Frames = string | string[];

/** A profile in a few words. Stacks are leaf first. */
export interface Description {
  types?: string[];
  samples?: { stack: Frames[]; values: (number | bigint)[]; labels?: Record<string, string | number> }[];
  timeNanos?: bigint;
  durationNanos?: bigint;
  period?: number;
  comments?: string[];
  defaultSampleType?: string;
  /** Start of the binary in memory. */
  start?: number;
  buildId?: string;
  binary?: string;
}

/** The bytes of a profile, written by an independent encoder (pprof-format). */
export function profileBytes({
  types = ['samples/count', 'cpu/nanoseconds'],
  samples = [],
  timeNanos = 1_700_000_000_000_000_000n,
  durationNanos = 10_000_000_000n,
  period = 10_000_000,
  comments = [],
  defaultSampleType = '',
  start = 0x400000,
  buildId = '',
  binary = '/var/task/bootstrap',
}: Description): Uint8Array {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  const functions = new Map<string, Fn>();
  const locations = new Map<string, Location>();
  const functionOf = (frame: string) => {
    const [name, file = ''] = frame.split(/@|:(?=\d+$)/);
    const key = `${name}@${file}`;
    const known = functions.get(key);
    if (known !== undefined) return known;
    const fn = new Fn({ id: functions.size + 1, name: text(name!), systemName: text(name!), filename: text(file) });
    functions.set(key, fn);
    return fn;
  };
  const locationOf = (frames: Frames) => {
    const lines = [frames].flat();
    const key = JSON.stringify(lines);
    const known = locations.get(key);
    if (known !== undefined) return known;
    const location = new Location({
      id: locations.size + 1,
      mappingId: 1,
      address: start + hash(key),
      line: lines.map(
        (frame) => new Line({ functionId: functionOf(frame).id, line: Number(frame.split(':').at(-1)) || 0 }),
      ),
    });
    locations.set(key, location);
    return location;
  };
  const valueTypes = types.map((type) => {
    const [name, unit] = type.split('/');
    return new ValueType({ type: text(name!), unit: text(unit!) });
  });
  const written = samples.map(
    ({ stack, values, labels = {} }) =>
      new Sample({
        locationId: stack.map((frames) => locationOf(frames).id),
        value: values,
        label: Object.entries(labels).map(([key, value]) =>
          typeof value === 'string'
            ? new Label({ key: text(key), str: text(value) })
            : new Label({ key: text(key), num: value, numUnit: 0 }),
        ),
      }),
  );
  const mapping = new Mapping({
    ...{ id: 1, memoryStart: start, memoryLimit: start + 0x100000, fileOffset: 0, hasFunctions: true },
    ...{ filename: text(binary), buildId: text(buildId) },
  });
  return new Profile({
    sampleType: valueTypes,
    sample: written,
    mapping: [mapping],
    location: [...locations.values()],
    function: [...functions.values()],
    timeNanos,
    durationNanos,
    periodType: new ValueType({ type: text('cpu'), unit: text('nanoseconds') }),
    period,
    comment: comments.map(text),
    defaultSampleType: text(defaultSampleType),
    stringTable: strings,
  }).encode();
}

/** The same, read. */
export function profileOf(description: Description): Columns {
  return decodeProfile(profileBytes(description));
}

// An address for a frame, the same wherever it occurs.
function hash(text: string): number {
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) & 0xfffff;
  return hash;
}

/** Samples in a readable form: `leaf;caller;root {label=value} 1,10`, sorted. */
export function samplesOf(profile: Columns): string[] {
  const { words, starts } = profile.stacks;
  const rows: string[] = [];
  for (let i = 0; i < profile.sampleCount; i++) {
    const names: string[] = [];
    for (const location of words.subarray(starts[i]! + 1, starts[i + 1]!)) {
      const from = profile.locations.starts[location]!;
      for (let at = from + 3; at < profile.locations.starts[location + 1]!; at += 5)
        names.push(profile.text(profile.functions.words[profile.locations.words[at]! * 5]!));
    }
    const labels = profile.labels(i).map((label) => `${label.key}=${'text' in label ? label.text : label.number}`);
    const values = profile.sampleTypes.map((_, type) => profile.value(i, type));
    rows.push(`${names.join(';')} {${labels.join(',')}} ${values.join(',')}`);
  }
  return rows.sort();
}
