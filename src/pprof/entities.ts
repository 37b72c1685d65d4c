import { appendString, FUNCTION_WORDS, LINE_WORDS, LOCATION_WORDS, type Mapping, Profile } from './columns.ts';
import { Ids } from './ids.ts';
import { LOCATION, type ProfileReader, SAMPLE } from './profile-reader.ts';

/** Reads what samples refer to: locations, functions, mappings and strings, in any order. */
export class Entities {
  readonly locationIds = new Ids();
  readonly #functionIds = new Ids();
  readonly #mappingIds = new Ids();
  #reader: ProfileReader;
  #profile = new Profile();
  #lines = 0;

  constructor(reader: ProfileReader) {
    this.#reader = reader;
  }

  /** Begins a profile; its columns are written from now on. */
  reset(reader: ProfileReader, profile: Profile): void {
    this.#reader = reader;
    this.#profile = profile;
    this.#lines = 0;
    // An entity takes at least four bytes, so ids above a quarter of the file are not numbered from 1.
    for (const ids of [this.#functionIds, this.locationIds, this.#mappingIds]) ids.reset(reader.len >>> 2);
  }

  location(): void {
    const reader = this.#reader;
    const { locations } = this.#profile;
    const stop = reader.stop();
    const lines = Math.min((stop - reader.pos) >>> 1, reader.limits.entries);
    const start = locations.open(LOCATION_WORDS + lines * LINE_WORDS);
    const { words } = locations;
    words[start] = 0;
    words[start + 1] = 0;
    words[start + 2] = 0;
    let end = start + LOCATION_WORDS;
    let slot = -1;
    let folded = 0;
    while (reader.pos < stop) {
      const tag = reader.uint();
      switch (tag) {
        case 0x08:
          reader.wide();
          slot = this.locationIds.slotOf(reader.low, reader.high);
          break;
        case 0x10:
          reader.wide();
          words[start] = this.#mappingIds.slotOf(reader.low, reader.high) + 1;
          break;
        case 0x18:
          reader.wide();
          words[start + 1] = reader.low;
          words[start + 2] = reader.high;
          break;
        case 0x22:
          reader.bounded('lines', ++this.#lines, reader.limits.entries);
          this.#line(words, end);
          end += LINE_WORDS;
          break;
        case 0x28:
          reader.wide();
          folded = reader.low | reader.high ? 1 : 0;
          break;
        default:
          reader.skipField(tag, 5);
      }
    }
    reader.ended(stop);
    this.#define(this.locationIds, slot);
    words[start] = words[start]! * 2 + folded;
    locations.close(end);
  }

  #line(words: Int32Array, at: number): void {
    const reader = this.#reader;
    words[at + 1] = 0;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + 4] = 0;
    let slot = -1;
    const stop = reader.stop();
    while (reader.pos < stop) {
      const tag = reader.uint();
      switch (tag) {
        case 0x08:
          reader.wide();
          slot = this.#functionIds.slotOf(reader.low, reader.high);
          break;
        case 0x10:
          reader.wide();
          words[at + 1] = reader.low;
          words[at + 2] = reader.high;
          break;
        case 0x18:
          reader.wide();
          words[at + 3] = reader.low;
          words[at + 4] = reader.high;
          break;
        default:
          reader.skipField(tag, 3);
      }
    }
    reader.ended(stop);
    if (slot < 0) throw reader.failure('it has a line without a function');
    words[at] = slot;
  }

  function(): void {
    const reader = this.#reader;
    const { functions } = this.#profile;
    const at = functions.open(FUNCTION_WORDS);
    const { words } = functions;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + 4] = 0;
    let slot = -1;
    const stop = reader.stop();
    while (reader.pos < stop) {
      const tag = reader.uint();
      switch (tag) {
        case 0x08:
          reader.wide();
          slot = this.#functionIds.slotOf(reader.low, reader.high);
          break;
        case 0x10:
          words[at] = reader.stringNumber();
          break;
        case 0x18:
          words[at + 1] = reader.stringNumber();
          break;
        case 0x20:
          words[at + 2] = reader.stringNumber();
          break;
        case 0x28:
          reader.wide();
          words[at + 3] = reader.low;
          words[at + 4] = reader.high;
          break;
        default:
          reader.skipField(tag, 5);
      }
    }
    reader.ended(stop);
    this.#define(this.#functionIds, slot);
    functions.close(at + FUNCTION_WORDS);
  }

  mapping(): void {
    const reader = this.#reader;
    const { mappings } = this.#profile;
    const mapping: Mapping = { start: 0n, limit: 0n, offset: 0n, file: 0, buildId: 0, flags: 0 };
    let slot = -1;
    const stop = reader.stop();
    while (reader.pos < stop) {
      const tag = reader.uint();
      if (tag === 0x08) {
        reader.wide();
        slot = this.#mappingIds.slotOf(reader.low, reader.high);
      } else if (tag === 0x10) mapping.start = reader.uint64Value();
      else if (tag === 0x18) mapping.limit = reader.uint64Value();
      else if (tag === 0x20) mapping.offset = reader.uint64Value();
      else if (tag === 0x28) mapping.file = reader.stringNumber();
      else if (tag === 0x30) mapping.buildId = reader.stringNumber();
      else if (tag === 0x38 || tag === 0x40 || tag === 0x48 || tag === 0x50) {
        const flag = 1 << ((tag >>> 3) - 7);
        mapping.flags = reader.int64Value() === 0n ? mapping.flags & ~flag : mapping.flags | flag;
      } else reader.skipField(tag, 10);
    }
    reader.ended(stop);
    this.#define(this.#mappingIds, slot);
    reader.bounded('mappings', mappings.push(mapping), reader.limits.headers);
  }

  string(): void {
    const reader = this.#reader;
    const stop = reader.stop();
    const number = appendString(this.#profile.strings, reader.data, reader.pos, stop);
    if (number === 0 && stop > reader.pos) throw reader.failure('the first string of the table is not empty');
    reader.bounded('strings', number, reader.limits.entries);
    reader.pos = stop;
  }

  #define(ids: Ids, slot: number): void {
    if (slot < 0) throw this.#reader.failure('its id is missing or 0, which is reserved');
    if (!ids.define(slot)) throw this.#reader.failure('another one has the same id');
    this.#reader.bounded('entries', ids.count, this.#reader.limits.entries);
  }

  /** Makes references out of ids, when all have been read. @throws ProfileError if one is not defined. */
  resolve(): void {
    this.#resolveLocations();
    if (!this.locationIds.direct) this.#resolveStacks();
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
        if (number < 0) throw this.#reader.nth(LOCATION, i, 'it names a function that the profile does not define');
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
        const number = this.locationIds.numberOf(words[at]!);
        if (number < 0) throw this.#reader.nth(SAMPLE, i, 'it names a location that the profile does not define');
        words[at] = number;
      }
  }
}

/** Subtracts an int64, given as two words, from the one at words[at]. */
function subtract(words: Int32Array, at: number, low: number, high: number): void {
  const borrow = words[at]! >>> 0 < low >>> 0 ? 1 : 0;
  words[at] = words[at]! - low;
  words[at + 1] = words[at + 1]! - high - borrow;
}
