import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Output } from '../../src/pprof/wire.ts';
import { randomNumbers } from '../../test/conformance/generate.ts';

/** The shape of a set of snapshots of one program. */
export interface Shape {
  snapshots: number;
  /** Stacks of each snapshot, and how many different ones there are in all. */
  stacks: number;
  pool: number;
  functions: number;
  depth: number;
  /** The program. */
  seed: number;
  /** Which stacks the snapshots hold; two recordings of one program differ in it. */
  sampling: number;
}

/** Writes CPU profiles as Go's runtime lays them out: fields interleaved, value before locations, ids in order of use. */
export function writeSynthetic(directory: string, shape: Shape): string[] {
  mkdirSync(directory, { recursive: true });
  const program = newProgram(shape);
  const random = randomNumbers(shape.sampling);
  return Array.from({ length: shape.snapshots }, (_, i) => {
    const file = join(directory, `${String(i).padStart(4, '0')}.pb.gz`);
    writeFileSync(file, gzipSync(snapshot(program, shape, random, i), { level: 1 }));
    return file;
  });
}

interface Program {
  names: string[];
  files: string[];
  startLines: number[];
  /** Locations, leaf first; location l is line `l % SITES` of function `l / SITES`. */
  stacks: number[][];
}

/** Call sites of a function. */
const SITES = 4;

function newProgram({ pool, functions, depth, seed }: Shape): Program {
  const random = randomNumbers(seed);
  const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)]!;
  const packages = Array.from(
    { length: Math.ceil(functions / 60) },
    (_, i) => `github.com/octo-org/orders/internal/${pick(WORDS)}/${pick(WORDS)}${i}`,
  );
  const names: string[] = [];
  const files: string[] = [];
  for (let i = 0; i < functions; i++) {
    const number = Math.floor(random() * packages.length);
    const path = packages[number]!;
    const method = random() < 0.6 ? `(*${capital(pick(WORDS))}${capital(pick(WORDS))}).` : '';
    names.push(`${path}.${method}${pick(WORDS)}${capital(pick(WORDS))}${i}${random() < 0.15 ? '.func1' : ''}`);
    files.push(`/home/runner/work/orders/${path}/${WORDS[(number * 7 + (i % 6)) % WORDS.length]}.go`);
  }
  // A function calls a few others, so that stacks share what is near the root.
  const callee = (fn: number, choice: number) => Math.abs(Math.imul(fn * 7 + choice + 1, 0x9e3779b1)) % functions;
  const stacks = Array.from({ length: pool }, () => {
    const length = Math.max(3, Math.round(depth + (random() - 0.5) * depth * 0.8));
    const stack: number[] = [];
    for (let fn = 0, i = 0; i < length; i++) {
      const choice = Math.floor(random() ** 9 * SITES);
      stack.push(fn * SITES + choice);
      fn = callee(fn, choice);
    }
    return stack.reverse();
  });
  return { names, files, startLines: names.map(() => 10 + Math.floor(random() * 900)), stacks };
}

const WORDS =
  'account basket cache catalog checkout codec customer decode delivery discount encode event flush format handler index invoice item ledger loader lookup mapper message metric order packet parser payment price query reader record refund render request resolver response router schema session shipment stock stream table tariff token tracker upload validate voucher window worker writer'.split(
    ' ',
  );

function capital(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

function snapshot(program: Program, { stacks, pool }: Shape, random: () => number, number: number): Uint8Array {
  const out = new Output();
  const strings = new Map([['', 0]]);
  const text = (value: string) => {
    if (!strings.has(value)) strings.set(value, strings.size);
    return strings.get(value)!;
  };
  const message = (field: number, write: () => void) => {
    out.uint32(field * 8 + 2).fork();
    write();
    out.ldelim();
  };
  const valueType = (field: number, type: string, unit: string) =>
    message(field, () => {
      out.field(1, text(type));
      out.field(2, text(unit));
    });
  out.optionalBigint(9, 1_700_000_000_000_000_000n + BigInt(number) * 10_000_000_000n);
  valueType(1, 'samples', 'count');
  valueType(1, 'cpu', 'nanoseconds');
  out.optionalBigint(10, 10_000_000_000n);
  valueType(11, 'cpu', 'nanoseconds');
  out.field(12, 10_000_000);
  const locationIds = new Map<number, number>();
  const functionIds = new Map<number, number>();
  const functionId = (fn: number) => {
    const known = functionIds.get(fn);
    if (known !== undefined) return known;
    functionIds.set(fn, functionIds.size + 1);
    message(5, () => {
      out.field(1, functionIds.size);
      out.field(2, text(program.names[fn]!));
      out.field(3, text(program.names[fn]!));
      out.field(4, text(program.files[fn]!));
      out.field(5, program.startLines[fn]!);
    });
    return functionIds.size;
  };
  const locationId = (location: number) => {
    const known = locationIds.get(location);
    if (known !== undefined) return known;
    const fn = Math.floor(location / SITES);
    const id = functionId(fn);
    locationIds.set(location, locationIds.size + 1);
    message(4, () => {
      out.field(1, locationIds.size);
      out.field(3, 0x401000 + location * 0x40);
      message(4, () => {
        out.field(1, id);
        out.field(2, program.startLines[fn]! + (location % SITES) * 3 + 1);
      });
      out.field(2, 1);
    });
    return locationIds.size;
  };
  const chosen = new Set<number>();
  while (chosen.size < Math.min(stacks, pool)) chosen.add(Math.floor(random() ** 2.2 * pool));
  for (const number of chosen) {
    const count = 1 + Math.floor(random() ** 4 * 20);
    const ids = program.stacks[number]!.map(locationId);
    message(2, () => {
      out.field(2, count);
      out.field(2, count * 10_000_000);
      message(1, () => {
        for (const id of ids) out.uint32(id);
      });
    });
  }
  message(3, () => {
    out.field(1, 1);
    out.field(2, 0x400000);
    out.field(3, 0x2400000);
    out.field(5, text('/var/task/bootstrap'));
    out.field(7, 1);
  });
  for (const value of strings.keys()) out.uint32(0x32).string(value);
  return out.finish();
}
