import { Line, Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';

/** A CPU profile in profile.proto: stacks leaf first, frames as `name@file`, each with its CPU nanoseconds. */
export function profileOf(samples: [cpuNanos: number, stack: string[]][]): Uint8Array {
  const stringTable = new StringTable();
  const frames = [...new Set(samples.flatMap(([, stack]) => stack))];
  const numberOf = new Map(frames.map((frame, i) => [frame, i + 1]));
  const split = (frame: string): [string, string] => [
    frame.slice(0, frame.indexOf('@')),
    frame.slice(frame.indexOf('@') + 1),
  ];
  return new Profile({
    stringTable,
    sampleType: [
      new ValueType({ type: stringTable.dedup('samples'), unit: stringTable.dedup('count') }),
      new ValueType({ type: stringTable.dedup('cpu'), unit: stringTable.dedup('nanoseconds') }),
    ],
    function: frames.map((frame, i) => {
      const [name, file] = split(frame);
      return new PprofFunction({ id: i + 1, name: stringTable.dedup(name), filename: stringTable.dedup(file) });
    }),
    location: frames.map((_, i) => new Location({ id: i + 1, line: [new Line({ functionId: i + 1, line: 1 })] })),
    sample: samples.map(
      ([cpuNanos, stack]) =>
        new Sample({ locationId: stack.map((frame) => numberOf.get(frame)!), value: [1, cpuNanos] }),
    ),
  }).encode();
}
