import {
  appendString,
  FUNCTION_WORDS,
  grown,
  Interner,
  LABEL_WORDS,
  LINE_WORDS,
  LOCATION_WORDS,
  type Mapping,
  Profile,
} from './columns.ts';
import { Ids } from './ids.ts';
import { inflate } from './inflate.ts';
import { decodeLegacy } from './legacy.ts';
import { DEFAULT_LIMITS, type DecodeLimits, ProfileError } from './limits.ts';
import { Wire } from './wire.ts';

export { DEFAULT_LIMITS, type DecodeLimits, ProfileError } from './limits.ts';

/**
 * Bytes of one profile.proto, gzip (several members) or raw, to columns. Formats of old Go versions are read too
 * (`legacy.ts`); bytes that have the mark of none are judged as profile.proto.
 * @throws ProfileError with a sentence naming the field and its offset in the decompressed bytes.
 */
export function decodeProfile(bytes: Uint8Array, limits: DecodeLimits = DEFAULT_LIMITS): Profile {
  return new Decoder(limits).decode(bytes);
}

// Tags (field number * 8 + wire type) of profile.proto; repeated numbers may be packed (2) or not (0).
const SAMPLE_TYPE = 0x0a;
const SAMPLE = 0x12;
const MAPPING = 0x1a;
const LOCATION = 0x22;
const FUNCTION = 0x2a;
const STRING = 0x32;
const NAMES = new Map([
  [SAMPLE_TYPE, 'sample type'],
  [SAMPLE, 'sample'],
  [MAPPING, 'mapping'],
  [LOCATION, 'location'],
  [FUNCTION, 'function'],
  [STRING, 'string'],
]);

/** Numbers of strings of the header, which are text only when the whole string table has been read. */
interface HeaderStrings {
  sampleTypes: { type: number; unit: number }[];
  periodType: { type: number; unit: number };
  comments: number[];
  dropFrames: number;
  keepFrames: number;
  defaultSampleType: number;
  docUrl: number;
}

/** Decodes one profile after another into the same columns: a profile is valid until the next one is decoded. */
export class Decoder {
  readonly #limits: DecodeLimits;
  readonly #labelSets = new Interner();
  readonly #functionIds = new Ids();
  readonly #locationIds = new Ids();
  readonly #mappingIds = new Ids();
  #profile = new Profile();
  #wire = new Wire(new Uint8Array());
  #bytes: DataView = new DataView(new ArrayBuffer());
  #labels = new Int32Array(LABEL_WORDS * 4); // of the sample that is being read
  #valueWords = 0;
  #frames = 0;
  #lines = 0;
  #tag = 0; // of the field that is being read, and where it begins
  #start = 0;
  #largestString = 0; // the largest string number, and the field that names it
  #largestStringTag = 0;
  #largestStringStart = 0;
  #header = headerStrings();

  constructor(limits: DecodeLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** @throws ProfileError */
  decode(bytes: Uint8Array): Profile {
    const raw = inflate(bytes, this.#limits);
    if (raw.length === 0) throw new ProfileError('Cannot read the profile: it is empty.');
    const legacy = decodeLegacy(raw, this.#limits);
    if (legacy !== undefined) return legacy;
    this.#reset(raw);
    try {
      this.#fields(raw.length);
    } catch (error) {
      throw error instanceof ProfileError ? error : this.#failure((error as Error).message);
    }
    this.#finish();
    return this.#profile;
  }

  #reset(raw: Uint8Array): void {
    const { strings, functions, locations, stacks, values } = this.#profile;
    for (const column of [strings, functions, locations, stacks, this.#labelSets]) column.clear();
    this.#profile = Object.assign(new Profile(), { strings, functions, locations, stacks, values });
    this.#profile.labelSets = this.#labelSets;
    this.#labelSets.intern(this.#labels, 0, 0);
    // An entity takes at least four bytes, so ids above a quarter of the file are not numbered from 1.
    for (const ids of [this.#functionIds, this.#locationIds, this.#mappingIds]) ids.reset(raw.length >>> 2);
    this.#wire = new Wire(raw);
    this.#bytes = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    this.#valueWords = 0;
    this.#frames = 0;
    this.#lines = 0;
    this.#largestString = 0;
    this.#header = headerStrings();
  }

  #fields(end: number): void {
    const wire = this.#wire;
    while (wire.pos < end) {
      this.#start = wire.pos;
      this.#tag = wire.uint();
      switch (this.#tag) {
        case SAMPLE:
          this.#sample();
          break;
        case LOCATION:
          this.#location();
          break;
        case FUNCTION:
          this.#function();
          break;
        case STRING:
          this.#text();
          break;
        default:
          this.#rare();
      }
    }
  }

  #rare(): void {
    const wire = this.#wire;
    const { header } = this.#profile;
    switch (this.#tag) {
      case SAMPLE_TYPE:
        this.#bounded('sample types', this.#header.sampleTypes.push(this.#valueType()), this.#limits.headers);
        break;
      case MAPPING:
        this.#mapping();
        break;
      case 0x38:
        this.#header.dropFrames = this.#string();
        break;
      case 0x40:
        this.#header.keepFrames = this.#string();
        break;
      case 0x48:
        if (header.timeNanos !== 0n) throw this.#failure('a second time_nanos: these are two profiles in one');
        header.timeNanos = wire.int64Value();
        break;
      case 0x50:
        header.durationNanos = wire.int64Value();
        break;
      case 0x5a:
        this.#header.periodType = this.#valueType();
        break;
      case 0x60:
        header.period = wire.int64Value();
        break;
      case 0x68:
        this.#comment();
        break;
      case 0x6a:
        for (const stop = wire.stop(); wire.pos < stop; ) this.#comment();
        break;
      case 0x70:
        this.#header.defaultSampleType = this.#string();
        break;
      case 0x78:
        this.#header.docUrl = this.#string();
        break;
      default:
        this.#skip(this.#tag, 15);
    }
  }

  #sample(): void {
    const wire = this.#wire;
    const { stacks } = this.#profile;
    const stop = wire.stop();
    const start = stacks.open(1 + Math.min(stop - wire.pos, this.#limits.frames));
    const values = this.#valueWords;
    let end = start + 1;
    let labels = 0;
    while (wire.pos < stop) {
      const tag = wire.uint();
      switch (tag) {
        case 0x0a:
          end = this.#path(stacks.words, end);
          break;
        case 0x08:
          wire.wide();
          stacks.words[end++] = this.#locationSlot();
          break;
        case 0x12:
          this.#values();
          break;
        case 0x10:
          this.#value();
          break;
        case 0x1a:
          labels = this.#label(labels);
          break;
        default:
          this.#skip(tag, 3);
      }
    }
    this.#ended(stop);
    stacks.words[start] = labels === 0 ? 0 : this.#labelSets.intern(this.#labels, 0, labels * LABEL_WORDS);
    stacks.close(end);
    this.#frames += end - start - 1;
    this.#countSample((this.#valueWords - values) >>> 1);
  }

  // Every sample has one value for each sample type. The types may come later in the file: then #finish looks again.
  #countSample(values: number): void {
    const { size } = this.#profile.stacks;
    const types = this.#header.sampleTypes.length || this.#valueWords / 2 / size;
    if (values !== types) throw this.#failure(`it has ${values} values, but the profile has ${types} sample types`);
    this.#bounded('samples', size, this.#limits.samples);
    this.#bounded('frames', this.#frames, this.#limits.frames);
    this.#bounded('values', this.#valueWords >>> 1, this.#limits.values);
    this.#bounded('label sets', this.#labelSets.size, this.#limits.entries);
  }

  // The innermost loop: packed location ids, nearly all of one or two bytes.
  #path(words: Int32Array, end: number): number {
    const wire = this.#wire;
    const ids = this.#locationIds;
    const bytes = wire.buf;
    const stop = wire.stop();
    const near = Math.min(0x3fff, ids.limit); // slots of ids of two bytes
    let largest = ids.largest;
    let at = wire.pos;
    while (at < stop) {
      const first = bytes[at]!;
      let slot = (first < 128 ? first : (first & 127) | (bytes[at + 1]! << 7)) - 1;
      if (slot >>> 0 < near) at += first < 128 ? 1 : 2;
      else {
        wire.pos = at;
        wire.wide();
        at = wire.pos;
        slot = this.#locationSlot();
      }
      if (slot > largest) largest = slot;
      words[end++] = slot;
    }
    if (largest > ids.largest) ids.largest = largest;
    wire.pos = at;
    this.#ended(stop);
    return end;
  }

  #locationSlot(): number {
    const slot = this.#locationIds.slotOf(this.#wire.low, this.#wire.high);
    if (slot < 0) throw this.#failure('it names location 0, which is reserved');
    return slot;
  }

  #values(): void {
    const stop = this.#wire.stop();
    while (this.#wire.pos < stop) this.#value();
    this.#ended(stop);
  }

  #value(): void {
    const wire = this.#wire;
    const at = this.#valueWords;
    if (at + 2 > this.#profile.values.length) this.#profile.values = grown(this.#profile.values, at + 2);
    wire.wide();
    this.#profile.values[at] = wire.low;
    this.#profile.values[at + 1] = wire.high;
    this.#valueWords = at + 2;
  }

  // A label is text or a number; one that is neither says nothing and is dropped, as in google/pprof.
  #label(count: number): number {
    const wire = this.#wire;
    const at = count * LABEL_WORDS;
    if (at + LABEL_WORDS > this.#labels.length) this.#labels = grown(this.#labels, at + LABEL_WORDS);
    this.#bounded('labels', count, this.#limits.headers);
    const label = this.#labels;
    label.fill(0, at, at + LABEL_WORDS);
    const stop = wire.stop();
    while (wire.pos < stop) {
      const tag = wire.uint();
      switch (tag) {
        case 0x08:
          label[at] = this.#string();
          break;
        case 0x10:
          label[at + 1] = this.#string();
          break;
        case 0x18:
          wire.wide();
          label[at + 2] = wire.low;
          label[at + 3] = wire.high;
          break;
        case 0x20:
          label[at + 4] = this.#string();
          break;
        default:
          this.#skip(tag, 4);
      }
    }
    this.#ended(stop);
    if (label[at + 1] !== 0) label.fill(0, at + 2, at + 5);
    return label[at + 1] || label[at + 2] || label[at + 3] || label[at + 4] ? count + 1 : count;
  }

  #location(): void {
    const wire = this.#wire;
    const { locations } = this.#profile;
    const stop = wire.stop();
    const lines = Math.min((stop - wire.pos) >>> 1, this.#limits.entries);
    const start = locations.open(LOCATION_WORDS + lines * LINE_WORDS);
    const { words } = locations;
    words[start] = 0;
    words[start + 1] = 0;
    words[start + 2] = 0;
    let end = start + LOCATION_WORDS;
    let slot = -1;
    let folded = 0;
    while (wire.pos < stop) {
      const tag = wire.uint();
      switch (tag) {
        case 0x08:
          wire.wide();
          slot = this.#locationIds.slotOf(wire.low, wire.high);
          break;
        case 0x10:
          wire.wide();
          words[start] = this.#mappingIds.slotOf(wire.low, wire.high) + 1;
          break;
        case 0x18:
          wire.wide();
          words[start + 1] = wire.low;
          words[start + 2] = wire.high;
          break;
        case 0x22:
          this.#bounded('lines', ++this.#lines, this.#limits.entries);
          this.#line(words, end);
          end += LINE_WORDS;
          break;
        case 0x28:
          wire.wide();
          folded = wire.low | wire.high ? 1 : 0;
          break;
        default:
          this.#skip(tag, 5);
      }
    }
    this.#ended(stop);
    this.#define(this.#locationIds, slot);
    words[start] = words[start]! * 2 + folded;
    locations.close(end);
  }

  #line(words: Int32Array, at: number): void {
    const wire = this.#wire;
    words[at + 1] = 0;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + 4] = 0;
    let slot = -1;
    const stop = wire.stop();
    while (wire.pos < stop) {
      const tag = wire.uint();
      switch (tag) {
        case 0x08:
          wire.wide();
          slot = this.#functionIds.slotOf(wire.low, wire.high);
          break;
        case 0x10:
          wire.wide();
          words[at + 1] = wire.low;
          words[at + 2] = wire.high;
          break;
        case 0x18:
          wire.wide();
          words[at + 3] = wire.low;
          words[at + 4] = wire.high;
          break;
        default:
          this.#skip(tag, 3);
      }
    }
    this.#ended(stop);
    if (slot < 0) throw this.#failure('it has a line without a function');
    words[at] = slot;
  }

  #function(): void {
    const wire = this.#wire;
    const { functions } = this.#profile;
    const at = functions.open(FUNCTION_WORDS);
    const { words } = functions;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + 4] = 0;
    let slot = -1;
    const stop = wire.stop();
    while (wire.pos < stop) {
      const tag = wire.uint();
      switch (tag) {
        case 0x08:
          wire.wide();
          slot = this.#functionIds.slotOf(wire.low, wire.high);
          break;
        case 0x10:
          words[at] = this.#string();
          break;
        case 0x18:
          words[at + 1] = this.#string();
          break;
        case 0x20:
          words[at + 2] = this.#string();
          break;
        case 0x28:
          wire.wide();
          words[at + 3] = wire.low;
          words[at + 4] = wire.high;
          break;
        default:
          this.#skip(tag, 5);
      }
    }
    this.#ended(stop);
    this.#define(this.#functionIds, slot);
    functions.close(at + FUNCTION_WORDS);
  }

  #mapping(): void {
    const wire = this.#wire;
    const { mappings } = this.#profile;
    const mapping: Mapping = { start: 0n, limit: 0n, offset: 0n, file: 0, buildId: 0, flags: 0 };
    let slot = -1;
    const stop = wire.stop();
    while (wire.pos < stop) {
      const tag = wire.uint();
      if (tag === 0x08) {
        wire.wide();
        slot = this.#mappingIds.slotOf(wire.low, wire.high);
      } else if (tag === 0x10) mapping.start = wire.uint64Value();
      else if (tag === 0x18) mapping.limit = wire.uint64Value();
      else if (tag === 0x20) mapping.offset = wire.uint64Value();
      else if (tag === 0x28) mapping.file = this.#string();
      else if (tag === 0x30) mapping.buildId = this.#string();
      else if (tag === 0x38 || tag === 0x40 || tag === 0x48 || tag === 0x50) {
        const flag = 1 << ((tag >>> 3) - 7);
        mapping.flags = wire.int64Value() === 0n ? mapping.flags & ~flag : mapping.flags | flag;
      } else this.#skip(tag, 10);
    }
    this.#ended(stop);
    this.#define(this.#mappingIds, slot);
    this.#bounded('mappings', mappings.push(mapping), this.#limits.headers);
  }

  #valueType(): { type: number; unit: number } {
    const wire = this.#wire;
    const valueType = { type: 0, unit: 0 };
    const stop = wire.stop();
    while (wire.pos < stop) {
      const tag = wire.uint();
      if (tag === 0x08) valueType.type = this.#string();
      else if (tag === 0x10) valueType.unit = this.#string();
      else this.#skip(tag, 2);
    }
    this.#ended(stop);
    return valueType;
  }

  #comment(): void {
    this.#bounded('comments', this.#header.comments.push(this.#string()), this.#limits.headers);
  }

  #text(): void {
    const wire = this.#wire;
    const stop = wire.stop();
    const number = appendString(this.#profile.strings, this.#bytes, wire.pos, stop);
    if (number === 0 && stop > wire.pos) throw this.#failure('the first string of the table is not empty');
    this.#bounded('strings', number, this.#limits.entries);
    wire.pos = stop;
  }

  /** Reads the number of a string. */
  #string(): number {
    const wire = this.#wire;
    wire.wide();
    if (wire.high !== 0 || wire.low < 0) throw this.#failure('the number of a string is negative or too large');
    if (wire.low > this.#largestString) {
      this.#largestString = wire.low;
      this.#largestStringTag = this.#tag;
      this.#largestStringStart = this.#start;
    }
    return wire.low;
  }

  #define(ids: Ids, slot: number): void {
    if (slot < 0) throw this.#failure('its id is missing or 0, which is reserved');
    if (!ids.define(slot)) throw this.#failure('another one has the same id');
    this.#bounded('entries', ids.count, this.#limits.entries);
  }

  #skip(tag: number, knownFields: number): void {
    const field = tag >>> 3;
    const type = tag & 7;
    if (field > 0 && field <= knownFields) throw this.#failure(`its field ${field} has wire type ${type}`);
    if (type === 3 || type === 4) throw this.#failure(`field ${field} is a group, which profiles do not have`);
    this.#wire.skipType(type);
  }

  #ended(stop: number): void {
    if (this.#wire.pos !== stop) throw this.#failure('a field runs past the end of its message');
  }

  #bounded(what: string, count: number, limit: number): void {
    if (count > limit) throw this.#failure(`the profile has more than ${limit} ${what}, the limit`);
  }

  #failure(reason: string, tag: number = this.#tag, start: number = this.#start): ProfileError {
    const name = NAMES.has(tag) ? `the ${NAMES.get(tag)}` : `field ${tag >>> 3}`;
    return new ProfileError(`Cannot read the profile: ${name} at byte ${start} is malformed: ${reason}.`);
  }

  // Everything that refers to another part of the file, which may come later.
  #finish(): void {
    const { strings, stacks, header } = this.#profile;
    if (strings.size === 0) throw new ProfileError('Cannot read the profile: it has no string table.');
    if (this.#largestString >= strings.size)
      throw this.#failure(
        `it names string ${this.#largestString}, but the table has ${strings.size}`,
        this.#largestStringTag,
        this.#largestStringStart,
      );
    const types = this.#header.sampleTypes.length;
    if (this.#valueWords !== stacks.size * types * 2) {
      const values = this.#valueWords / 2 / stacks.size;
      throw this.#nth(SAMPLE, 0, `it has ${values} values, but the profile has ${types} sample types`);
    }
    const text = (string: number) => this.#profile.text(string);
    const valueType = ({ type, unit }: { type: number; unit: number }) => ({ type: text(type), unit: text(unit) });
    header.sampleTypes = this.#header.sampleTypes.map(valueType);
    header.periodType = valueType(this.#header.periodType);
    header.comments = this.#header.comments.map(text);
    header.dropFrames = text(this.#header.dropFrames);
    header.keepFrames = text(this.#header.keepFrames);
    header.defaultSampleType = text(this.#header.defaultSampleType);
    header.docUrl = text(this.#header.docUrl);
    this.#resolveLocations();
    if (!this.#locationIds.direct) this.#resolveStacks();
  }

  // Slots of mappings and functions to their numbers, and addresses relative to the mapping.
  #resolveLocations(): void {
    const { words, starts, size } = this.#profile.locations;
    const direct = this.#functionIds.direct;
    const mappingStarts = BigInt64Array.from(this.#profile.mappings, ({ start }) => BigInt.asIntN(64, start));
    const startWords = new Int32Array(mappingStarts.buffer);
    for (let i = 0; i < size; i++) {
      const start = starts[i]!;
      if (words[start]! > 1) this.#resolveMapping(words, start, startWords);
      if (direct) continue;
      for (let at = start + LOCATION_WORDS; at < starts[i + 1]!; at += LINE_WORDS) {
        const number = this.#functionIds.numberOf(words[at]!);
        if (number < 0) throw this.#nth(LOCATION, i, 'it names a function that the profile does not define');
        words[at] = number;
      }
    }
  }

  // A location whose mapping is not defined has none, as in google/pprof.
  #resolveMapping(words: Int32Array, at: number, starts: Int32Array): void {
    const number = this.#mappingIds.numberOf((words[at]! >>> 1) - 1);
    words[at] = (number + 1) * 2 + (words[at]! & 1);
    if (number >= 0) subtract(words, at + 1, starts[number * 2]!, starts[number * 2 + 1]!);
  }

  #resolveStacks(): void {
    const { words, starts, size } = this.#profile.stacks;
    for (let i = 0; i < size; i++)
      for (let at = starts[i]! + 1; at < starts[i + 1]!; at++) {
        const number = this.#locationIds.numberOf(words[at]!);
        if (number < 0) throw this.#nth(SAMPLE, i, 'it names a location that the profile does not define');
        words[at] = number;
      }
  }

  /** The failure of the nth field with this tag: only now is its offset looked for. */
  #nth(tag: number, n: number, reason: string): ProfileError {
    const wire = new Wire(this.#wire.buf);
    let start = 0;
    for (let left = n; left >= 0; ) {
      start = wire.pos;
      const found = wire.tag();
      if (found === tag) left--;
      wire.skipType(found & 7);
    }
    return this.#failure(reason, tag, start);
  }
}

function headerStrings(): HeaderStrings {
  return {
    sampleTypes: [],
    periodType: { type: 0, unit: 0 },
    comments: [],
    dropFrames: 0,
    keepFrames: 0,
    defaultSampleType: 0,
    docUrl: 0,
  };
}

/** Subtracts an int64, given as two words, from the one at words[at]. */
function subtract(words: Int32Array, at: number, low: number, high: number): void {
  const borrow = words[at]! >>> 0 < low >>> 0 ? 1 : 0;
  words[at] = words[at]! - low;
  words[at + 1] = words[at + 1]! - high - borrow;
}
