import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { randomNumbers } from '../../test/conformance/generate.ts';

/**
 * CPU profiles of one program as profile.proto, without gzip. The program has `functions` functions and eight times as
 * many different stacks of 20 to 60 frames, some of them far more frequent than others; a profile has `samples` samples
 * of these, and names only what it uses.
 */
export function* cpuProfiles(functions: number, samples: number): Generator<Uint8Array> {
  const random = randomNumbers(functions);
  const upTo = (n: number) => Math.floor(random() * n);
  const stacks = [[0]];
  while (stacks.length < functions * 8) {
    // Two stacks share what is above the place where they part.
    const known = stacks[upTo(stacks.length)]!;
    const stack = known.slice(0, 1 + upTo(known.length));
    const depth = 20 + upTo(40);
    while (stack.length < depth) stack.push((stack.at(-1)! * 7 + 1 + upTo(4)) % functions);
    stacks.push(stack);
  }
  for (;;) {
    const counts = new Map<number, number>();
    for (let i = 0; i < samples; i++) {
      const stack = Math.floor(stacks.length * random() ** 3);
      counts.set(stack, (counts.get(stack) ?? 0) + 1);
    }
    const used = [...new Set([...counts.keys()].flatMap((stack) => stacks[stack]!))];
    const idOf = new Map(used.map((fn, i) => [fn, i + 1]));
    const out = new protobuf.Writer();
    const message = (field: number, write: (m: protobuf.Writer) => void) => {
      out.uint32(field * 8 + 2).fork();
      write(out);
      out.ldelim();
    };
    const strings = ['', 'samples', 'count', 'cpu', 'nanoseconds'];
    message(1, (m) => m.uint32(8).uint32(1).uint32(16).uint32(2));
    message(1, (m) => m.uint32(8).uint32(3).uint32(16).uint32(4));
    for (const [stack, count] of counts)
      message(2, (m) => {
        m.uint32(0x0a).fork();
        for (const fn of stacks[stack]!.toReversed()) m.uint32(idOf.get(fn)!);
        m.ldelim();
        m.uint32(0x10)
          .uint32(count)
          .uint32(0x10)
          .uint32(count * 10_000_000);
      });
    for (const [fn, id] of idOf) {
      const name = strings.push(`example.com/orders/internal/pricing.(*Rules${fn % 97}).apply${fn}`) - 1;
      const file = strings.push(`internal/pricing/rules_${fn % 97}.go`) - 1;
      message(4, (m) => {
        m.uint32(8).uint32(id).uint32(0x22).fork();
        m.uint32(8)
          .uint32(id)
          .uint32(16)
          .uint32(10 + (fn % 500));
        m.ldelim();
      });
      message(5, (m) => m.uint32(8).uint32(id).uint32(16).uint32(name).uint32(24).uint32(name).uint32(32).uint32(file));
    }
    message(11, (m) => m.uint32(8).uint32(3).uint32(16).uint32(4));
    out.uint32(12 * 8).uint32(10_000_000);
    // The string that the next field names comes last: `published` appends it.
    for (const text of strings) out.uint32(6 * 8 + 2).string(text);
    out.uint32(13 * 8).uint32(strings.length);
    yield out.finish();
  }
}

/** A profile as an instance publishes it, with what the agent says of the window. */
export function published(profile: Uint8Array, instance: string, sequence: number): Uint8Array {
  const window = {
    ...{ v: 1, run: 'run-1', function: 'orders', functionVersion: '1', commit: '0123abc', instance, sequence },
    ...{ slot: sequence % 3, reason: 'flush', invocations: { n: 50, errors: 0, cold: 0 } },
    ...{ time: { start: 0, end: 1, activeMs: 5000, cpuMs: 4000 }, allocatedBytes: 0, memoryMb: 512, arch: 'x86_64' },
    ...{ runtime: '', language: 'go 1.26', agent: 'lambda-profile-go/0.1.0', engine: 'runtime/pprof' },
    ...{ intervalUs: 10_000, flags: [], kind: 'delta' },
  };
  const comment = new protobuf.Writer()
    .uint32(6 * 8 + 2)
    .string(`lambda-profile:${JSON.stringify(window)}`)
    .finish();
  return gzipSync(Buffer.concat([profile, comment]), { level: 1 });
}
