import {
  appendText,
  emptyHeader,
  FUNCTION_WORDS,
  Interner,
  LABEL_WORDS,
  LINE_WORDS,
  LOCATION_WORDS,
  type Mapping,
  Profile,
  type ValueType,
} from './columns.ts';
import { ProfileError, quoted } from './limits.ts';
import { type MappedFile, mapAddresses, parseMemoryMap } from './memory-map.ts';

export interface LegacySample {
  /** Leaf first. */
  addresses: bigint[];
  values: bigint[];
  /** Size of an allocation; undefined if this is not a heap profile. */
  bytes?: bigint;
}

/** The function at an address. */
export interface LegacySymbol {
  name: string;
  file: string;
  line: bigint;
}

/** What a profile of an old format says. */
export interface LegacyProfile {
  sampleTypes: ValueType[];
  periodType: ValueType;
  period: bigint;
  durationNanos: bigint;
  samples: LegacySample[];
  mappings: MappedFile[];
  /** What is at an address; Go's formats do not say. */
  symbols?: Map<bigint, LegacySymbol>;
}

export const COUNT = 'count';
export const CPU: ValueType = { type: 'cpu', unit: 'nanoseconds' };
export const SPACE: ValueType = { type: 'space', unit: 'bytes' };
export const CONTENTIONS: ValueType = { type: 'contentions', unit: COUNT };

/** The lines of a text, trimmed, without blank and comment lines. */
export class Lines {
  readonly #lines: string[];
  #next = 0;

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  /** The next line; undefined at the end. */
  take(): string | undefined {
    while (this.#next < this.#lines.length) {
      const line = this.#lines[this.#next++]!.trim();
      if (line !== '' && !line.startsWith('#')) return line;
    }
    return undefined;
  }

  /** The mapped files, which follow a line that says so. */
  memoryMap(): MappedFile[] {
    const from = this.#lines.findIndex((line) => isMemoryMap(line));
    return from < 0 ? [] : parseMemoryMap(this.#lines.slice(from + 1));
  }

  malformed(line: string): ProfileError {
    return new ProfileError(`Cannot read the profile: line ${this.#next} is malformed: ${quoted(line)}.`);
  }
}

export function isMemoryMap(line: string): boolean {
  return line.includes('--- Memory map: ---') || line.includes('MAPPED_LIBRARIES:');
}

/** The hexadecimal numbers in a text. */
export function addressesIn(text: string): bigint[] {
  return (text.match(/0x[0-9a-f]{1,16}/g) ?? []).map(BigInt);
}

/** Divides by the probability that an allocation of this size is sampled, 1 - e^(-size / rate). */
export function unsampled(count: bigint, size: bigint, rate: bigint): { values: bigint[]; each: bigint | undefined } {
  if (count === 0n || size === 0n)
    return { values: rate > 0n ? [0n, 0n] : [count, size], each: count === 0n ? undefined : 0n };
  const each = size / count;
  if (rate <= 1n) return { values: [count, size], each };
  const scale = 1 / (1 - Math.exp(-(Number(size) / Number(count)) / Number(rate)));
  return { values: [int64(Number(count) * scale), int64(Number(size) * scale)], each };
}

const MAX_INT64 = 2n ** 63n - 1n;

/** The whole part of a number; beyond an int64, the int64 that is nearest. */
export function int64(value: number): bigint {
  if (Math.abs(value) < 2 ** 63) return BigInt(Math.trunc(value));
  return value > 0 ? MAX_INT64 : -MAX_INT64;
}

/** The profile in columns. A location with a symbol has no address, as what is at an address may move. */
export function toColumns(legacy: LegacyProfile): Profile {
  const { samples, sampleTypes, periodType, period, durationNanos, symbols } = legacy;
  const profile = new Profile();
  profile.header = { ...emptyHeader(), sampleTypes, periodType, period, durationNanos };
  const { strings, locations, stacks } = profile;
  const labelSets = new Interner();
  profile.labelSets = labelSets;
  appendText(strings, '');
  const key = appendText(strings, 'bytes');
  labelSets.intern(new Int32Array(), 0, 0);
  const numbers = new Map<bigint, number>();
  for (const { addresses } of samples)
    for (const address of addresses) if (!numbers.has(address)) numbers.set(address, numbers.size);
  const mapped = mapAddresses(
    [...numbers.keys()].map((address) => (symbols?.has(address) ? 0n : address)),
    legacy.mappings,
  );
  profile.mappings = mapped.mappings.map(
    ({ start, limit, offset, file, buildId }): Mapping => ({
      ...{ start, limit, offset, flags: 0 },
      ...{ file: appendText(strings, file), buildId: appendText(strings, buildId) },
    }),
  );
  const functions = new Map<string, number>();
  for (const [i, address] of [...numbers.keys()].entries()) {
    const symbol = symbols?.get(address);
    if (symbol !== undefined) {
      const line = [functionOf(profile, functions, symbol), ...twoWords(symbol.line), 0, 0];
      locations.append(Int32Array.of(0, 0, 0, ...line), 0, LOCATION_WORDS + LINE_WORDS);
      continue;
    }
    const mapping = mapped.ofAddress[i]!;
    const relative = mapping < 0 ? address : address - mapped.mappings[mapping]!.start;
    locations.append(Int32Array.of((mapping + 1) * 2, ...twoWords(relative)), 0, LOCATION_WORDS);
  }
  for (const { addresses, bytes } of samples) {
    const label = bytes === undefined || bytes === 0n ? [] : [key, 0, ...twoWords(bytes), 0];
    const labelSet = labelSets.intern(Int32Array.from(label), 0, label.length && LABEL_WORDS);
    const stack = Int32Array.from([labelSet, ...addresses.map((address) => numbers.get(address)!)]);
    stacks.append(stack, 0, stack.length);
  }
  profile.values = Int32Array.from(samples.flatMap(({ values }) => values.flatMap(twoWords)));
  return profile;
}

function twoWords(value: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

// Functions with the same name are one; the first says in which file it is.
function functionOf({ functions, strings }: Profile, numbers: Map<string, number>, symbol: LegacySymbol): number {
  const known = numbers.get(symbol.name);
  if (known !== undefined) return known;
  const name = appendText(strings, symbol.name);
  const words = Int32Array.of(name, name, appendText(strings, symbol.file), 0, 0);
  numbers.set(symbol.name, numbers.size);
  return functions.append(words, 0, FUNCTION_WORDS);
}
