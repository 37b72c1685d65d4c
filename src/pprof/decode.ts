import { grown, Interner, LABEL_WORDS, Profile } from './columns.ts';
import { Entities } from './entities.ts';
import { HeaderReader } from './header.ts';
import { inflate } from './inflate.ts';
import { decodeLegacy } from './legacy.ts';
import { DEFAULT_LIMITS, type DecodeLimits, ProfileError } from './limits.ts';
import { FUNCTION, LOCATION, MAPPING, ProfileReader, SAMPLE, STRING } from './profile-reader.ts';

export { DEFAULT_LIMITS, type DecodeLimits, ProfileError } from './limits.ts';

/**
 * Bytes of one profile.proto, gzip (several members) or raw, to columns. Formats of old Go versions are read too
 * (`legacy.ts`); bytes that have the mark of none are judged as profile.proto.
 *
 * Accepted and refused is what google/pprof accepts and refuses. Where the format leaves it open:
 * two profiles in one file are refused (by their second time or their repeated ids); sample types may have the same name,
 * and the first is meant; names that are not UTF-8 keep their bytes, and are shown with U+FFFD; a location whose mapping is
 * not defined has none; a label without text and number says nothing and is dropped; unknown fields are skipped.
 * @throws ProfileError with a sentence naming the field and its offset in the decompressed bytes.
 */
export function decodeProfile(bytes: Uint8Array, limits: DecodeLimits = DEFAULT_LIMITS): Profile {
  return new Decoder(limits).decode(bytes);
}

/** Decodes one profile after another into the same columns: a profile is valid until the next one is decoded. */
export class Decoder {
  readonly #limits: DecodeLimits;
  readonly #labelSets = new Interner();
  readonly #entities: Entities;
  #reader: ProfileReader;
  #header = new HeaderReader();
  #profile = new Profile();
  #labels = new Int32Array(LABEL_WORDS * 4); // of the sample that is being read
  #valueWords = 0;
  #frames = 0;

  constructor(limits: DecodeLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
    this.#reader = new ProfileReader(new Uint8Array(), limits);
    this.#entities = new Entities(this.#reader);
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
      throw error instanceof ProfileError ? error : this.#reader.failure((error as Error).message);
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
    this.#reader = new ProfileReader(raw, this.#limits);
    this.#entities.reset(this.#reader, this.#profile);
    this.#header = new HeaderReader();
    this.#valueWords = 0;
    this.#frames = 0;
  }

  #fields(end: number): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      reader.fieldStart = reader.pos;
      reader.fieldTag = reader.uint();
      switch (reader.fieldTag) {
        case SAMPLE:
          this.#sample();
          break;
        case LOCATION:
          this.#entities.location();
          break;
        case FUNCTION:
          this.#entities.function();
          break;
        case STRING:
          this.#entities.string();
          break;
        default:
          if (reader.fieldTag === MAPPING) this.#entities.mapping();
          else this.#header.field(reader, this.#profile.header);
      }
    }
  }

  #sample(): void {
    const reader = this.#reader;
    const { stacks } = this.#profile;
    const stop = reader.stop();
    const start = stacks.open(1 + Math.min(stop - reader.pos, reader.limits.frames));
    const values = this.#valueWords;
    let end = start + 1;
    let labels = 0;
    while (reader.pos < stop) {
      const tag = reader.uint();
      switch (tag) {
        case 0x0a:
          end = this.#path(stacks.words, end);
          break;
        case 0x08:
          reader.wide();
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
          reader.skipField(tag, 3);
      }
    }
    reader.ended(stop);
    stacks.words[start] = labels === 0 ? 0 : this.#labelSets.intern(this.#labels, 0, labels * LABEL_WORDS);
    stacks.close(end);
    this.#frames += end - start - 1;
    this.#countSample((this.#valueWords - values) >>> 1);
  }

  // Every sample has one value for each sample type. The types may come later in the file: then #finish looks again.
  #countSample(values: number): void {
    const reader = this.#reader;
    const { size } = this.#profile.stacks;
    const types = this.#header.sampleTypes.length || this.#valueWords / 2 / size;
    if (values !== types) throw reader.failure(`it has ${values} values, but the profile has ${types} sample types`);
    reader.bounded('samples', size, reader.limits.samples);
    reader.bounded('frames', this.#frames, reader.limits.frames);
    reader.bounded('values', this.#valueWords >>> 1, reader.limits.values);
    reader.bounded('label sets', this.#labelSets.size, reader.limits.entries);
  }

  // The innermost loop: packed location ids, nearly all of one or two bytes.
  #path(words: Int32Array, end: number): number {
    const reader = this.#reader;
    const ids = this.#entities.locationIds;
    const bytes = reader.buf;
    const stop = reader.stop();
    const near = Math.min(0x3fff, ids.limit); // slots of ids of two bytes
    let largest = ids.largest;
    let at = reader.pos;
    while (at < stop) {
      const first = bytes[at]!;
      let slot = (first < 128 ? first : (first & 127) | (bytes[at + 1]! << 7)) - 1;
      if (slot >>> 0 < near) at += first < 128 ? 1 : 2;
      else {
        reader.pos = at;
        reader.wide();
        at = reader.pos;
        slot = this.#locationSlot();
      }
      if (slot > largest) largest = slot;
      words[end++] = slot;
    }
    if (largest > ids.largest) ids.largest = largest;
    reader.pos = at;
    reader.ended(stop);
    return end;
  }

  #locationSlot(): number {
    const slot = this.#entities.locationIds.slotOf(this.#reader.low, this.#reader.high);
    if (slot < 0) throw this.#reader.failure('it names location 0, which is reserved');
    return slot;
  }

  #values(): void {
    const reader = this.#reader;
    const stop = reader.stop();
    while (reader.pos < stop) this.#value();
    reader.ended(stop);
  }

  #value(): void {
    const reader = this.#reader;
    const at = this.#valueWords;
    if (at + 2 > this.#profile.values.length) this.#profile.values = grown(this.#profile.values, at + 2);
    reader.wide();
    this.#profile.values[at] = reader.low;
    this.#profile.values[at + 1] = reader.high;
    this.#valueWords = at + 2;
  }

  // A label is text or a number; one that is neither says nothing and is dropped, as in google/pprof.
  #label(count: number): number {
    const reader = this.#reader;
    const at = count * LABEL_WORDS;
    if (at + LABEL_WORDS > this.#labels.length) this.#labels = grown(this.#labels, at + LABEL_WORDS);
    reader.bounded('labels', count, reader.limits.headers);
    const label = this.#labels;
    label.fill(0, at, at + LABEL_WORDS);
    const stop = reader.stop();
    while (reader.pos < stop) {
      const tag = reader.uint();
      switch (tag) {
        case 0x08:
          label[at] = reader.stringNumber();
          break;
        case 0x10:
          label[at + 1] = reader.stringNumber();
          break;
        case 0x18:
          reader.wide();
          label[at + 2] = reader.low;
          label[at + 3] = reader.high;
          break;
        case 0x20:
          label[at + 4] = reader.stringNumber();
          break;
        default:
          reader.skipField(tag, 4);
      }
    }
    reader.ended(stop);
    if (label[at + 1] !== 0) label.fill(0, at + 2, at + 5);
    return label[at + 1] || label[at + 2] || label[at + 3] || label[at + 4] ? count + 1 : count;
  }

  // Everything that refers to another part of the file, which may come later.
  #finish(): void {
    const { strings, stacks } = this.#profile;
    this.#reader.requireStrings(strings.size);
    const types = this.#header.sampleTypes.length;
    if (this.#valueWords !== stacks.size * types * 2) {
      const values = this.#valueWords / 2 / stacks.size;
      throw this.#reader.nth(SAMPLE, 0, `it has ${values} values, but the profile has ${types} sample types`);
    }
    this.#header.resolve(this.#profile);
    this.#entities.resolve();
  }
}
