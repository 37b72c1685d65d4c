/**
 * The model of a profile: columns of 32-bit words instead of a graph of objects.
 *
 * Everything in a profile is a sequence of words that refer to sequences of the column above it, by number:
 *
 *     strings     [ length in bytes | bytes, four to a word ... ]                              number 0 is ''
 *     functions   [ name | system name | file | start line (2) ]                               numbers of strings
 *     mappings    a few objects; number 0 of the list is the main binary
 *     locations   [ mapping * 2 + folded | address (2) | ( function | line (2) | column (2) ) ... ]
 *                   mapping is 0 for none, else its number + 1; the address is relative to the mapping's start, so that
 *                   it does not depend on where the binary was loaded; the first line is the innermost inlined one
 *     label sets  [ ( key | text | number (2) | unit ) ... ]          text 0: a numeric label; number 0 is the empty set
 *     stacks      [ label set | location | location ... ]                                      leaf first
 *     values      [ stack 0: type 0 (2), type 1 (2) ... | stack 1: ... ]
 *
 * "(2)" is a 64-bit integer as two words, low word first: exact, and without an object or a BigInt in a loop. A sample is
 * the stack and the values of one number. One class, Interner, gives equal sequences one number; that is all a merge does
 * with strings, functions, locations, label sets and stacks. A profile that was read and a profile that was merged have the
 * same columns (in the one that was read, equal sequences may still have several numbers).
 */

import { ProfileError } from './limits.ts';

/** Words of a function. */
export const FUNCTION_WORDS = 5;
/** Words of a location before its lines, and of each line. */
export const LOCATION_WORDS = 3;
export const LINE_WORDS = 5;
/** Words of a label. */
export const LABEL_WORDS = 5;

/** What one column of values counts, as `cpu` in `nanoseconds`. */
export interface ValueType {
  type: string;
  unit: string;
}

/** A range of addresses that a binary or a library occupies. `file` and `buildId` are numbers of strings. */
export interface Mapping {
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: number;
  buildId: number;
  /** has_functions 1, has_filenames 2, has_line_numbers 4, has_inline_frames 8. */
  flags: number;
}

/** What a profile says of itself as a whole. */
export interface Header {
  sampleTypes: ValueType[];
  periodType: ValueType;
  period: bigint;
  /** Start of the profile, nanoseconds since 1970; 0 if unknown. */
  timeNanos: bigint;
  durationNanos: bigint;
  comments: string[];
  defaultSampleType: string;
  /** Regular expressions of functions that producers want hidden; carried along, never applied. */
  dropFrames: string;
  keepFrames: string;
  docUrl: string;
}

/** The header of a profile that says nothing. */
export function emptyHeader(): Header {
  return {
    sampleTypes: [],
    periodType: { type: '', unit: '' },
    period: 0n,
    timeNanos: 0n,
    durationNanos: 0n,
    comments: [],
    defaultSampleType: '',
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
  };
}

/** Words on the heap of this process, so that they may be seen as bytes too. */
export type Words = Int32Array<ArrayBuffer>;

/** A list of word sequences, end to end in one array: sequence i is words[starts[i]] up to words[starts[i + 1]]. */
export class Sequences {
  size = 0;
  words: Words = new Int32Array(64);
  starts: Words = new Int32Array(64);

  /** Where the next sequence begins; up to `length` words may be written from there before `close`. */
  open(length: number): number {
    const start = this.starts[this.size]!;
    if (start + length > this.words.length) this.words = grown(this.words, start + length);
    if (this.size + 2 > this.starts.length) this.starts = grown(this.starts, this.size + 2);
    return start;
  }

  /** Ends the sequence that `open` began. @returns its number. */
  close(end: number): number {
    this.starts[this.size + 1] = end;
    return this.size++;
  }

  /** Appends a copy of words[from] up to words[to]. @returns its number. */
  append(words: Int32Array, from: number, to: number): number {
    const start = this.open(to - from);
    this.words.set(words.subarray(from, to), start);
    return this.close(start + to - from);
  }

  clear(): void {
    this.size = 0;
  }
}

/** Sequences that are looked up together; what they touch fits the first cache. */
const BLOCK = 128;
/** Words of a cache line. */
const CACHE_LINE = 16;
/** Slots of a table that are looked at for one sequence. By chance it takes a few, rarely hundreds. */
const MAX_PROBES = 2048;

/** Sequences without repetition: equal sequences have one number, counted from 0. */
export class Interner extends Sequences {
  // Open addressing with two words a slot: number + 1 (0 is empty) and hash, which rules out nearly all others unseen.
  #table = new Int32Array(512);
  readonly #hashes = new Int32Array(BLOCK);
  readonly #candidates = new Int32Array(BLOCK);
  /** Of what was read ahead, so that reading is not left out. */
  touched = 0;

  /**
   * The number of the sequence words[from] up to words[to], which is copied if it is new.
   * @throws ProfileError if the sequences were made to have equal hashes, which would take hours.
   */
  intern(words: Int32Array, from: number, to: number): number {
    return this.#find(hash(words, from, to), words, from, to);
  }

  /**
   * Puts the number of each sequence of a list into `numbers`. Looking one up is mostly waiting for memory, three times in
   * a row (table, start, words): here a block of them waits together.
   */
  internAll({ words, starts, size }: Sequences, numbers: Int32Array): void {
    const hashes = this.#hashes;
    for (let first = 0; first < size; first += BLOCK) {
      const end = Math.min(size, first + BLOCK);
      for (let i = first; i < end; i++) hashes[i - first] = hash(words, starts[i]!, starts[i + 1]!);
      this.#touch(end - first);
      for (let i = first; i < end; i++) numbers[i] = this.#find(hashes[i - first]!, words, starts[i]!, starts[i + 1]!);
    }
  }

  /** Reads what looking up the first hashes is going to read. */
  #touch(count: number): void {
    const hashes = this.#hashes;
    const candidates = this.#candidates;
    const { starts, words } = this;
    for (let i = 0; i < count; i++) candidates[i] = this.#candidate(hashes[i]!);
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= starts[candidates[i]!]!;
    for (let i = 0; i < count; i++) {
      if (candidates[i] === 0) continue;
      const end = starts[candidates[i]!]!;
      for (let at = starts[candidates[i]! - 1]!; at < end; at += CACHE_LINE) touched ^= words[at]!;
    }
    this.touched = touched;
  }

  /** The first number + 1 with this hash, or 0. */
  #candidate(hash: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let slot = (hash << 1) & mask;
    while (table[slot] !== 0 && table[slot + 1] !== hash) slot = (slot + 2) & mask;
    return table[slot]!;
  }

  #find(hash: number, words: Int32Array, from: number, to: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let slot = (hash << 1) & mask;
    let probes = 0;
    for (let found = table[slot]!; found !== 0; found = table[slot]!) {
      if (table[slot + 1] === hash && this.#equals(found - 1, words, from, to)) return found - 1;
      slot = (slot + 2) & mask;
      if (++probes > MAX_PROBES) throw new ProfileError('Cannot read the profile: it was made to take very long.');
    }
    table[slot] = this.size + 1;
    table[slot + 1] = hash;
    const number = this.#copy(words, from, to);
    if (this.size * 8 > table.length * 3) this.#rehash();
    return number;
  }

  override clear(): void {
    super.clear();
    this.#table.fill(0);
  }

  #equals(number: number, words: Int32Array, from: number, to: number): boolean {
    const known = this.words;
    let at = this.starts[number]!;
    if (this.starts[number + 1]! - at !== to - from) return false;
    for (let i = from; i < to; i++, at++) if (known[at] !== words[i]) return false;
    return true;
  }

  #copy(words: Int32Array, from: number, to: number): number {
    let at = this.open(to - from);
    const known = this.words;
    for (let i = from; i < to; i++, at++) known[at] = words[i]!;
    return this.close(at);
  }

  #rehash(): void {
    const old = this.#table;
    const table = new Int32Array(old.length * 2);
    const mask = table.length - 1;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue;
      let slot = (old[from + 1]! << 1) & mask;
      while (table[slot] !== 0) slot = (slot + 2) & mask;
      table[slot] = old[from]!;
      table[slot + 1] = old[from + 1]!;
    }
    this.#table = table;
  }
}

function hash(words: Int32Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ words[i]!, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

/** Above so many words (64 MB), arrays grow by a quarter: half of what has been doubled may be empty. */
const LARGE = 2 ** 24;

/** `words` in an array of at least `length`, and so much longer that growing again and again stays linear. */
export function grown(words: Int32Array, length: number): Words {
  const factor = words.length < LARGE ? 2 : 1.25;
  const larger = new Int32Array(Math.max(Math.ceil(words.length * factor), length));
  larger.set(words);
  return larger;
}

/** A profile: what it says of itself, and its columns. */
export class Profile {
  header: Header = emptyHeader();
  mappings: Mapping[] = [];
  strings: Sequences = new Sequences();
  functions: Sequences = new Sequences();
  locations: Sequences = new Sequences();
  labelSets: Sequences = new Sequences();
  stacks: Sequences = new Sequences();
  values: Words = new Int32Array(64);

  get sampleTypes(): ValueType[] {
    return this.header.sampleTypes;
  }
  get periodType(): ValueType {
    return this.header.periodType;
  }
  get period(): bigint {
    return this.header.period;
  }
  get timeNanos(): bigint {
    return this.header.timeNanos;
  }
  get durationNanos(): bigint {
    return this.header.durationNanos;
  }
  get comments(): string[] {
    return this.header.comments;
  }
  /** The sample type that viewers show first; '' if the profile names none (then it is the last). */
  get defaultSampleType(): string {
    return this.header.defaultSampleType;
  }
  get sampleCount(): number {
    return this.stacks.size;
  }

  /** The text of a string. Bytes that are not UTF-8 become U+FFFD. */
  text(string: number): string {
    return decoder.decode(stringBytes(this.strings, string));
  }

  /** The value of a sample for the sample type at `type`, exact. */
  value(sample: number, type: number): bigint {
    const at = (sample * this.header.sampleTypes.length + type) * 2;
    return (BigInt(this.values[at + 1]!) << 32n) | BigInt(this.values[at]! >>> 0);
  }

  /** The labels of a sample, in the order of the profile. */
  labels(sample: number): Label[] {
    return labelsOf(this, this.stacks.words[this.stacks.starts[sample]!]!);
  }
}

/** A label of a sample: text, or a number with an optional unit. */
export type Label = { key: string; text: string } | { key: string; number: bigint; unit: string };

/** The labels of a label set. */
export function labelsOf(profile: Profile, labelSet: number): Label[] {
  const { words, starts } = profile.labelSets;
  const labels: Label[] = [];
  for (let at = starts[labelSet]!; at < starts[labelSet + 1]!; at += LABEL_WORDS) {
    const key = profile.text(words[at]!);
    if (words[at + 1] !== 0) labels.push({ key, text: profile.text(words[at + 1]!) });
    else labels.push({ key, number: wide(words, at + 2), unit: profile.text(words[at + 4]!) });
  }
  return labels;
}

/** The int64 at words[at] and words[at + 1]. */
export function wide(words: Int32Array, at: number): bigint {
  return (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]! >>> 0);
}

/** The int64 at words[at] and words[at + 1] as a double, exact up to 2^53. */
export function wideNumber(words: Int32Array, at: number): number {
  return words[at + 1]! * 4294967296 + (words[at]! >>> 0);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes of a string: a view of the column, not a copy. */
export function stringBytes(strings: Sequences, string: number): Uint8Array {
  const at = strings.starts[string]!;
  return new Uint8Array(strings.words.buffer, strings.words.byteOffset + (at + 1) * 4, strings.words[at]!);
}

/** Appends a string, given as the bytes of a view from `from` up to `to`. @returns its number. */
export function appendString(strings: Sequences, bytes: DataView, from: number, to: number): number {
  const length = to - from;
  const at = strings.open(1 + ((length + 3) >>> 2));
  strings.words[at] = length;
  return strings.close(packBytes(strings.words, at + 1, bytes, from, to));
}

// Little-endian, the rest of the last word zero: equal strings are equal words.
function packBytes(words: Int32Array, into: number, bytes: DataView, from: number, to: number): number {
  let at = from;
  for (; at + 3 < to; at += 4) words[into++] = bytes.getInt32(at, true);
  if (at < to) {
    let last = 0;
    for (let shift = 0; at < to; at++, shift += 8) last |= bytes.getUint8(at) << shift;
    words[into++] = last;
  }
  return into;
}

/** Appends a text. @returns its number. */
export function appendText(strings: Sequences, text: string): number {
  const bytes = new TextEncoder().encode(text);
  return appendString(strings, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
}
