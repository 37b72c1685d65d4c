import {
  emptyHeader,
  FUNCTION_WORDS,
  grown,
  type Header,
  Interner,
  LABEL_WORDS,
  LINE_WORDS,
  LOCATION_WORDS,
  type Mapping,
  Profile,
  Sequences,
  stringBytes,
  type Words,
  wideNumber,
} from './columns.ts';
import { ProfileError } from './limits.ts';
import { copyHeader, joinHeaders, requireSameTypes } from './merge-header.ts';
import { alignProfiles } from './sample-types.ts';

export { labelProfile, subtractProfile, withComments } from './edit.ts';
export { selectSampleTypes } from './sample-types.ts';

/**
 * One profile with the samples of all, with the semantics of google/pprof's Merge: samples with the same stack and labels
 * become one. Neither order nor grouping matter. Sample types that not all profiles have are left out, and units are made
 * equal (nanoseconds and milliseconds, for example).
 * @throws ProfileError if there is no profile, if the profiles have no sample type in common, or if a sum does not fit 64 bits.
 */
export function mergeProfiles(profiles: Iterable<Profile>): Profile {
  // One at a time, as they come; of other sample types there are few, if any.
  const merges = new Map<string, Merge>();
  for (const profile of profiles) {
    const key = JSON.stringify([profile.sampleTypes, profile.periodType]);
    const merge = merges.get(key) ?? new Merge();
    merges.set(key, merge);
    merge.add(profile);
  }
  const [first = new Merge(), ...others] = merges.values();
  if (others.length === 0) return first.result();
  const merge = new Merge();
  for (const profile of alignProfiles([first, ...others].map((one) => one.result()))) merge.add(profile);
  return merge.result();
}

/**
 * Adds up profiles, on one or more sides that share every stack but keep their own sums: a comparison is a merge with
 * two sides.
 *
 * What differs from google/pprof, on purpose: a profile without a time does not reset the time; columns of all lines belong
 * to a location; a sum that does not fit 64 bits is an error; and on different sides, mappings without a build id are
 * different mappings, because they come from different builds.
 */
export class Merge {
  readonly #sides: number;
  readonly #oneBuild: boolean;
  readonly #strings = new Interner();
  readonly #functions = new Interner();
  readonly #locations = new Interner();
  readonly #labelSets = new Interner();
  readonly #stacks = new Interner();
  readonly #mappings: Mapping[] = [];
  readonly #mappingNumbers = new Map<string, number>();
  readonly #described: boolean[] = []; // of mappings: whether the profile that describes it is settled
  #undescribed = 0;
  #headers: (Header | undefined)[];
  #sums = new Int32Array(1024); // [stack][side][type], two words each
  #width = 0; // words of a stack in #sums
  // Numbers in the merge by number in the profile that is being added.
  #stringOf = new Int32Array(1024);
  #functionOf = new Int32Array(1024);
  #locationOf = new Int32Array(1024);
  #labelSetOf = new Int32Array(64);
  // Of the samples that are not zero: the stack, and the number in the profile.
  #stackOf = new Int32Array(1024);
  #samples = new Int32Array(1024);
  readonly #mapped = new Sequences(); // a column of the profile in numbers of the merge
  #scratch = new Int32Array(1024);

  /** `oneBuild`: all sides are instances of one build. By default, every side is another build. */
  constructor(sides = 1, oneBuild: boolean = sides === 1) {
    this.#sides = sides;
    this.#oneBuild = oneBuild;
    this.#headers = new Array<Header | undefined>(sides).fill(undefined);
    this.#strings.intern(this.#scratch, 0, 1);
    this.#labelSets.intern(this.#scratch, 0, 0);
  }

  /**
   * Adds a profile, which is not changed. All profiles must have the same sample types and period type
   * (`mergeProfiles` and `alignProfiles` see to that).
   * @throws ProfileError if they differ, or if a sum does not fit 64 bits; the sums are then as before.
   */
  add(profile: Profile, side = 0): void {
    this.#requireSameTypes(profile.header);
    this.#mapStrings(profile.strings);
    this.#mapFunctions(profile.functions);
    this.#mapLocations(profile.locations, this.#mapMappings(profile, side));
    this.#mapLabelSets(profile.labelSets);
    const known = this.#stacks.size;
    this.#mapStacks(profile);
    if (this.#undescribed > 0) this.#describe(known, profile, side);
    this.#sum(profile, side);
    const header = this.#headers[side];
    this.#headers[side] = header === undefined ? copyHeader(profile.header) : joinHeaders(header, profile.header);
  }

  /** All stacks of all sides, without values: sample i of it has the values that `valuesOf` gives. */
  stacks(): Profile {
    const profile = this.#tables(this.#headers.find((header) => header !== undefined) ?? emptyHeader());
    profile.stacks = view(this.#stacks);
    return profile;
  }

  /** Puts the sums of a stack for one sample type into `into`, by side; doubles, exact up to 2^53. */
  valuesOf(stack: number, type: number, into: Float64Array): void {
    const types = this.#width / this.#sides;
    const from = stack * this.#width + type * 2;
    for (let side = 0, at = from; side < this.#sides; side++, at += types) into[side] = wideNumber(this.#sums, at);
  }

  /** The sum of one side. Adding more does not change it. @throws ProfileError if the side has no profile. */
  result(side = 0): Profile {
    const header = this.#headers[side];
    if (header === undefined) throw new ProfileError('Cannot merge no profiles: at least one is needed.');
    const result = this.#tables(header);
    this.#copySamples(result, side, header.sampleTypes.length * 2);
    return result;
  }

  #tables(header: Header): Profile {
    const profile = new Profile();
    profile.header = { ...header, sampleTypes: [...header.sampleTypes], comments: [...header.comments] };
    profile.mappings = this.#mappings.map((mapping) => ({ ...mapping }));
    profile.strings = view(this.#strings);
    profile.functions = view(this.#functions);
    profile.locations = view(this.#locations);
    profile.labelSets = view(this.#labelSets);
    return profile;
  }

  // Samples that add up to zero are left out.
  #copySamples(result: Profile, side: number, width: number): void {
    const { words, starts, size } = this.#stacks;
    const sums = this.#sums;
    result.values = new Int32Array(size * width);
    if (this.#hasNoZero(side, width)) {
      // Nothing to leave out, as nearly always: the stacks, by far the largest column, are not copied.
      result.stacks = view(this.#stacks);
      for (let i = 0, from = side * width; i < size; i++, from += this.#width)
        for (let j = 0; j < width; j++) result.values[i * width + j] = sums[from + j]!;
      return;
    }
    let kept = 0;
    for (let i = 0; i < size; i++) {
      const from = i * this.#width + side * width;
      if (isZero(sums, from, width)) continue;
      result.stacks.append(words, starts[i]!, starts[i + 1]!);
      for (let j = 0; j < width; j++) result.values[kept * width + j] = sums[from + j]!;
      kept++;
    }
  }

  #hasNoZero(side: number, width: number): boolean {
    for (let i = 0, from = side * width; i < this.#stacks.size; i++, from += this.#width)
      if (isZero(this.#sums, from, width)) return false;
    return true;
  }

  #requireSameTypes(header: Header): void {
    const first = this.#headers.find((known) => known !== undefined);
    if (first === undefined) this.#width = header.sampleTypes.length * 2 * this.#sides;
    else requireSameTypes(first, header);
  }

  #mapStrings(strings: Sequences): void {
    this.#stringOf = roomFor(this.#stringOf, strings.size);
    this.#strings.internAll(strings, this.#stringOf);
  }

  #mapFunctions({ words, size }: Sequences): void {
    this.#functionOf = roomFor(this.#functionOf, size);
    const strings = this.#stringOf;
    const mapped = this.#mapped;
    mapped.clear();
    for (let i = 0, at = 0; i < size; i++, at += FUNCTION_WORDS) {
      const into = mapped.open(FUNCTION_WORDS);
      mapped.words[into] = strings[words[at]!]!;
      mapped.words[into + 1] = strings[words[at + 1]!]!;
      mapped.words[into + 2] = strings[words[at + 2]!]!;
      mapped.words[into + 3] = words[at + 3]!;
      mapped.words[into + 4] = words[at + 4]!;
      mapped.close(into + FUNCTION_WORDS);
    }
    this.#functions.internAll(mapped, this.#functionOf);
  }

  /** Numbers of the profile's mappings in the merge, plus 1; 0 stays 0, none. */
  #mapMappings(profile: Profile, side: number): Int32Array {
    const numbers = new Int32Array(profile.mappings.length + 1);
    for (const [i, mapping] of profile.mappings.entries()) {
      const key = this.#mappingKey(mapping, side);
      let number = this.#mappingNumbers.get(key);
      if (number === undefined) {
        number = this.#mappings.push(this.#mapMapping(mapping)) - 1;
        this.#mappingNumbers.set(key, number);
        // The first mapping of all is the main binary; any other is described by the first profile that uses it.
        this.#described[number] = number === 0;
        if (number > 0) this.#undescribed++;
      }
      numbers[i + 1] = number + 1;
    }
    return numbers;
  }

  // Where a binary was loaded does not matter, and small differences of size do not either.
  #mappingKey({ start, limit, offset, file, buildId }: Mapping, side: number): string {
    const pages = (BigInt.asUintN(64, limit - start) + 0xfffn) >> 12n;
    const build = this.#stringOf[buildId]!;
    if (build !== 0) return `${pages} ${offset} ${build}`;
    return `${pages} ${offset} ${this.#stringOf[file]} ${this.#oneBuild ? '' : side}`;
  }

  #mapMapping(mapping: Mapping): Mapping {
    return { ...mapping, file: this.#stringOf[mapping.file]!, buildId: this.#stringOf[mapping.buildId]! };
  }

  #mapLocations({ words, starts, size }: Sequences, mappings: Int32Array): void {
    this.#locationOf = roomFor(this.#locationOf, size);
    this.#mapped.clear();
    for (let i = 0; i < size; i++) this.#mapLocation(words, starts[i]!, starts[i + 1]!, mappings);
    this.#locations.internAll(this.#mapped, this.#locationOf);
  }

  #mapLocation(words: Int32Array, from: number, to: number, mappings: Int32Array): void {
    const mapped = this.#mapped;
    const start = mapped.open(to - from);
    const functions = this.#functionOf;
    mapped.words[start] = (mappings[words[from]! >>> 1]! << 1) | (words[from]! & 1);
    let at = start + 1;
    for (let i = from + 1; i < to; i++, at++) mapped.words[at] = words[i]!;
    for (let i = start + LOCATION_WORDS; i < at; i += LINE_WORDS) mapped.words[i] = functions[mapped.words[i]!]!;
    mapped.close(at);
  }

  #mapLabelSets({ words, starts, size }: Sequences): void {
    this.#labelSetOf = roomFor(this.#labelSetOf, size);
    for (let i = 0; i < size; i++) this.#labelSetOf[i] = this.#mapLabelSet(words, starts[i]!, starts[i + 1]!);
  }

  // Labels belong to a sample in the order of google/pprof: text before numbers, then by key; values of one key as they came.
  #mapLabelSet(words: Int32Array, from: number, to: number): number {
    if (to - from > this.#scratch.length) this.#scratch = grown(this.#scratch, to - from);
    const scratch = this.#scratch;
    let end = 0;
    for (let at = from; at < to; at += LABEL_WORDS) {
      const key = this.#stringOf[words[at]!]!;
      const text = this.#stringOf[words[at + 1]!]!;
      if (text === 0 && words[at + 1] !== 0) continue; // an empty text
      let into = end;
      while (into > 0 && this.#labelBefore(key, text, into - LABEL_WORDS)) into -= LABEL_WORDS;
      scratch.copyWithin(into + LABEL_WORDS, into, end);
      scratch[into] = key;
      scratch[into + 1] = text;
      scratch[into + 2] = words[at + 2]!;
      scratch[into + 3] = words[at + 3]!;
      scratch[into + 4] = this.#stringOf[words[at + 4]!]!;
      end += LABEL_WORDS;
    }
    return this.#labelSets.intern(scratch, 0, end);
  }

  #labelBefore(key: number, text: number, at: number): boolean {
    const isNumber = text === 0;
    const otherIsNumber = this.#scratch[at + 1] === 0;
    if (isNumber !== otherIsNumber) return otherIsNumber;
    return compareStrings(this.#strings, key, this.#scratch[at]!) < 0;
  }

  #mapStacks(profile: Profile): void {
    const { words, starts, size } = profile.stacks;
    const { values } = profile;
    const width = profile.header.sampleTypes.length * 2;
    this.#mapped.clear();
    this.#samples = roomFor(this.#samples, size);
    for (let i = 0; i < size; i++)
      if (!isZero(values, i * width, width)) this.#samples[this.#mapStack(words, starts[i]!, starts[i + 1]!)] = i;
    this.#stackOf = roomFor(this.#stackOf, size);
    this.#stacks.internAll(this.#mapped, this.#stackOf);
  }

  #mapStack(words: Int32Array, from: number, to: number): number {
    const mapped = this.#mapped;
    const locations = this.#locationOf;
    let at = mapped.open(to - from);
    mapped.words[at++] = this.#labelSetOf[words[from]!]!;
    for (let i = from + 1; i < to; i++, at++) mapped.words[at] = locations[words[i]!]!;
    return mapped.close(at);
  }

  // A mapping may be listed before it is used: it is described as in the first profile with a sample in it.
  #describe(from: number, profile: Profile, side: number): void {
    const { words, starts, size } = this.#stacks;
    for (let at = starts[from]!, stack = from; stack < size; stack++)
      for (at = starts[stack]! + 1; at < starts[stack + 1]!; at++) {
        const number = (this.#locations.words[this.#locations.starts[words[at]!]!]! >>> 1) - 1;
        if (number < 0 || this.#described[number]) continue;
        const found = profile.mappings.find(
          (mapping) => this.#mappingNumbers.get(this.#mappingKey(mapping, side)) === number,
        );
        if (found !== undefined) this.#mappings[number] = this.#mapMapping(found);
        this.#described[number] = true;
        this.#undescribed--;
      }
  }

  #sum(profile: Profile, side: number): void {
    if (this.#stacks.size * this.#width > this.#sums.length)
      this.#sums = grown(this.#sums, this.#stacks.size * this.#width);
    if (this.#addValues(profile, side, addWide) >= 0) return;
    this.#addValues(profile, side, subtractWide); // what wrapped around, wraps back
    throw new ProfileError('Cannot add the profiles: a sum does not fit 64 bits.');
  }

  #addValues({ header, values }: Profile, side: number, add: typeof addWide): number {
    const width = header.sampleTypes.length * 2;
    let overflow = 0;
    for (let i = 0; i < this.#mapped.size; i++) {
      const at = this.#stackOf[i]! * this.#width + side * width;
      overflow |= add(this.#sums, at, values, this.#samples[i]! * width, width);
    }
    return overflow;
  }
}

/** Adds `length` words of int64 values to the sums. @returns a negative number if a sum overflowed. */
function addWide(sums: Int32Array, at: number, values: Int32Array, from: number, length: number): number {
  let overflow = 0;
  for (const end = at + length; at < end; at += 2, from += 2) {
    const a = sums[at]!;
    const b = values[from]!;
    const low = (a + b) | 0;
    const carry = ((a & b) | ((a | b) & ~low)) >>> 31;
    const aHigh = sums[at + 1]!;
    const bHigh = values[from + 1]!;
    const high = (aHigh + bHigh + carry) | 0;
    sums[at] = low;
    sums[at + 1] = high;
    overflow |= (aHigh ^ high) & (bHigh ^ high);
  }
  return overflow;
}

/** Undoes `addWide`. */
function subtractWide(sums: Int32Array, at: number, values: Int32Array, from: number, length: number): number {
  for (const end = at + length; at < end; at += 2, from += 2) {
    const borrow = sums[at]! >>> 0 < values[from]! >>> 0 ? 1 : 0;
    sums[at] = sums[at]! - values[from]!;
    sums[at + 1] = sums[at + 1]! - values[from + 1]! - borrow;
  }
  return 0;
}

function isZero(words: Int32Array, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) if (words[at] !== 0) return false;
  return true;
}

/** Orders strings by their bytes. */
function compareStrings(strings: Sequences, a: number, b: number): number {
  return a === b ? 0 : Buffer.compare(stringBytes(strings, a), stringBytes(strings, b));
}

/** The sequences as they are now; those appended later are not seen. */
function view(sequences: Sequences): Sequences {
  return Object.assign(new Sequences(), { size: sequences.size, words: sequences.words, starts: sequences.starts });
}

function roomFor(words: Words, length: number): Words {
  return words.length >= length ? words : new Int32Array(Math.max(length, words.length * 2));
}
