import protobuf from 'protobufjs/minimal.js';

/** Numbers from 0 to 1, the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface GenerateOptions {
  /** Columns in lines: google/pprof ignores those of inlined frames. */
  columns?: boolean;
  /** Some profiles without a time: google/pprof then forgets the time of the others. */
  timeless?: boolean;
}

/**
 * A set of profiles of one imaginary program, as bytes, with everything that profile.proto allows: any order of fields and
 * tables, sparse 64-bit ids, packed and unpacked numbers, unknown fields, shifted mappings, inlined frames, labels of all
 * kinds, equal samples, zero, negative and very large values, names that are not ASCII.
 */
export function generateProfiles(seed: number, options: GenerateOptions = {}): Uint8Array[] {
  const random = randomNumbers(seed);
  const upTo = (n: number) => Math.floor(random() * n);
  const types = TYPES.slice(0, 1 + upTo(TYPES.length));
  const program = Array.from({ length: 2 + upTo(12) }, (_, i) => ({
    name: pick(random, NAMES) + (random() < 0.7 ? i : ''),
    file: pick(random, FILES),
    startLine: random() < 0.7 ? 1 + upTo(300) : 0,
  }));
  const sites = Array.from({ length: 3 + upTo(20) }, () => ({
    mapping: random() < 0.05 ? -1 : upTo(MAPPINGS.length),
    offset: BigInt(upTo(0x8000)),
    folded: random() < 0.1,
    lines: Array.from({ length: random() < 0.1 ? 0 : random() < 0.7 ? 1 : 1 + upTo(3) }, () => ({
      fn: upTo(program.length),
      line: random() < 0.05 ? 2n ** 40n + BigInt(upTo(9)) : BigInt(upTo(500)),
      column: options.columns && random() < 0.5 ? BigInt(upTo(80)) : 0n,
    })),
  }));
  // The same again, but for the column of the innermost line.
  if (options.columns)
    for (const site of sites.slice(0, 5))
      sites.push({
        ...site,
        lines: site.lines.map((line, i) => ({ ...line, column: line.column + (i === 0 ? 1n : 0n) })),
      });
  return Array.from({ length: 1 + upTo(4) }, () => new Generator(random, options, types, program, sites).bytes());
}

const TYPES = [
  ['samples', 'count'],
  ['cpu', 'nanoseconds'],
  ['alloc_space', 'bytes'],
] as const;
const NAMES = [
  'main.run',
  'main.(*Server).Serve',
  'λ',
  '日本.語',
  'std::vector<int>::push_back',
  '__proto__',
  'a b',
  '',
];
const FILES = ['main.go', '/src/λ/x.go', 'internal/pricing.mjs', '', '/usr/lib/libc.so'];
const MAPPINGS = [
  { size: 0x10000n, offset: 0n, file: '/var/task/bootstrap', buildId: 'abc' },
  { size: 0x9f01n, offset: 0x1000n, file: '/usr/lib/libc.so', buildId: '' },
  { size: 0x8000n, offset: 0n, file: '[vdso]', buildId: '' },
];

function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

interface Site {
  mapping: number;
  offset: bigint;
  folded: boolean;
  lines: { fn: number; line: bigint; column: bigint }[];
}

class Generator {
  readonly #random: () => number;
  readonly #options: GenerateOptions;
  readonly #types: readonly (readonly [string, string])[];
  readonly #program: { name: string; file: string; startLine: number }[];
  readonly #sites: Site[];
  readonly #strings: string[] = [''];
  readonly #sparse: boolean;
  readonly #packed: boolean;
  readonly #shift: bigint;

  constructor(
    random: () => number,
    options: GenerateOptions,
    types: readonly (readonly [string, string])[],
    program: { name: string; file: string; startLine: number }[],
    sites: Site[],
  ) {
    this.#random = random;
    this.#options = options;
    this.#types = types;
    this.#program = program;
    this.#sites = sites;
    this.#sparse = random() < 0.4;
    this.#packed = random() < 0.5;
    this.#shift = BigInt(Math.floor(random() * 16)) << 32n;
  }

  bytes(): Uint8Array {
    const fields: ((out: protobuf.Writer) => void)[] = [];
    const text = (value: string) => this.#text(value);
    const time = this.#options.timeless && this.#random() < 0.5 ? 0n : 1_700_000_000_000_000_000n + this.#big(1e9);
    // Sample types keep their order; anything else may come in any order.
    const types = (out: protobuf.Writer) => {
      for (const [type, unit] of this.#types) message(out, 1, (m) => numbers(m, [1, text(type)], [2, text(unit)]));
    };
    fields.push(types);
    for (let i = this.#upTo(30); i > 0; i--) fields.push(this.#sample());
    for (const i of MAPPINGS.keys()) fields.push(this.#mapping(i));
    for (const [i, site] of this.#sites.entries()) fields.push(this.#location(i, site));
    for (const i of this.#program.keys()) fields.push(this.#function(i));
    fields.push((out) => wide(out, 9, time));
    fields.push((out) => wide(out, 10, this.#big(1e12)));
    fields.push((out) => message(out, 11, (m) => numbers(m, [1, text('cpu')], [2, text('nanoseconds')])));
    fields.push((out) => wide(out, 12, 10_000_000n + BigInt(this.#upTo(3))));
    for (const comment of ['one', 'two', 'λ'])
      if (this.#random() < 0.3) fields.push((out) => numbers(out, [13, text(comment)]));
    if (this.#random() < 0.3) fields.push((out) => numbers(out, [14, text(this.#types[0]![0])]));
    if (this.#random() < 0.2) fields.push((out) => numbers(out, [99, 7]));
    if (this.#random() < 0.2) fields.push((out) => out.uint32(98 * 8 + 1).fixed64(3));
    const mappings = fields.filter((field) => MAPPING_FIELDS.has(field));
    const others = this.#shuffled(fields.filter((field) => !MAPPING_FIELDS.has(field)));
    // Mappings keep their order: the first is the main binary.
    const out = new protobuf.Writer();
    for (const field of this.#random() < 0.5 ? [...mappings, ...others] : [...others, ...mappings]) field(out);
    for (const value of this.#strings) out.uint32(6 * 8 + 2).string(value);
    return out.finish();
  }

  #sample(): (out: protobuf.Writer) => void {
    const stack = Array.from({ length: this.#upTo(6) }, () => this.#id(this.#upTo(this.#sites.length)));
    const values = this.#types.map(() => this.#value());
    const labels = Array.from({ length: this.#random() < 0.5 ? 0 : this.#upTo(4) }, () => this.#label());
    const parts = this.#shuffled([
      (m: protobuf.Writer) => this.#list(m, 1, stack),
      (m: protobuf.Writer) => this.#list(m, 2, values),
      ...labels,
    ]);
    return (out) =>
      message(out, 2, (m) => {
        for (const part of parts) part(m);
      });
  }

  #value(): bigint {
    const kind = this.#random();
    if (kind < 0.2) return 0n;
    if (kind < 0.3) return -this.#big(1e6);
    if (kind < 0.4) return 2n ** 53n + this.#big(1e9);
    return this.#big(1e6);
  }

  #label(): (out: protobuf.Writer) => void {
    const key = this.#text(pick(this.#random, ['thread', 'bytes', 'ключ']));
    if (this.#random() < 0.5) {
      const value = this.#text(pick(this.#random, ['a', 'b', 'λ']));
      return (out) => message(out, 3, (m) => numbers(m, [1, key], [2, value]));
    }
    const value = 1n + this.#big(5);
    return (out) =>
      message(out, 3, (m) => {
        numbers(m, [1, key]);
        wide(m, 3, value);
      });
  }

  #mapping(i: number): (out: protobuf.Writer) => void {
    const { size, offset, file, buildId } = MAPPINGS[i]!;
    const start = this.#start(i);
    const field = (out: protobuf.Writer) =>
      message(out, 3, (m) => {
        wide(m, 1, this.#id(i));
        wide(m, 2, start);
        wide(m, 3, start + size);
        wide(m, 4, offset);
        numbers(m, [5, this.#text(file)], [6, this.#text(buildId)], [7, 1]);
      });
    MAPPING_FIELDS.add(field);
    return field;
  }

  #location(i: number, { mapping, offset, folded, lines }: Site): (out: protobuf.Writer) => void {
    return (out) =>
      message(out, 4, (m) => {
        wide(m, 1, this.#id(i));
        if (mapping >= 0) wide(m, 2, this.#id(mapping));
        wide(m, 3, (mapping < 0 ? 0n : this.#start(mapping)) + offset);
        for (const { fn, line, column } of lines)
          message(m, 4, (l) => {
            wide(l, 1, this.#id(fn));
            wide(l, 2, line);
            wide(l, 3, column);
          });
        if (folded) numbers(m, [5, 1]);
      });
  }

  #function(i: number): (out: protobuf.Writer) => void {
    const { name, file, startLine } = this.#program[i]!;
    return (out) =>
      message(out, 5, (m) => {
        wide(m, 1, this.#id(i));
        numbers(m, [2, this.#text(name)], [3, this.#text(name)], [4, this.#text(file)], [5, startLine]);
      });
  }

  #start(mapping: number): bigint {
    return 0x400000n + this.#shift + (BigInt(mapping) << 24n);
  }

  // Sparse ids are hashes of 64 bits.
  #id(number: number): bigint {
    return this.#sparse ? BigInt.asUintN(64, (BigInt(number) + 1n) * 0x9e3779b97f4a7c15n) : BigInt(number + 1);
  }

  #text(value: string): number {
    const known = this.#strings.indexOf(value);
    return known >= 0 ? known : this.#strings.push(value) - 1;
  }

  #list(out: protobuf.Writer, field: number, values: bigint[]): void {
    if (!this.#packed) for (const value of values) wide(out, field, value);
    else
      message(out, field, (m) => {
        for (const value of values) varint(m, value);
      });
  }

  #shuffled<T>(list: T[]): T[] {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.#upTo(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }

  #upTo(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #big(n: number): bigint {
    return BigInt(this.#upTo(n));
  }
}

const MAPPING_FIELDS = new WeakSet<object>();

function message(out: protobuf.Writer, field: number, write: (out: protobuf.Writer) => void): void {
  out.uint32(field * 8 + 2).fork();
  write(out);
  out.ldelim();
}

function numbers(out: protobuf.Writer, ...fields: [number, number][]): void {
  for (const [field, value] of fields) out.uint32(field * 8).uint32(value);
}

function wide(out: protobuf.Writer, field: number, value: bigint): void {
  out.uint32(field * 8);
  varint(out, value);
}

function varint(out: protobuf.Writer, value: bigint): void {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  out.raw(Uint8Array.from([...bytes, Number(rest)]));
}
