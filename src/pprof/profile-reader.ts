import { type DecodeLimits, ProfileError } from './limits.ts';
import { Wire } from './wire.ts';

// Tags (field number * 8 + wire type) of profile.proto; repeated numbers may be packed (2) or not (0).
export const SAMPLE_TYPE = 0x0a;
export const SAMPLE = 0x12;
export const MAPPING = 0x1a;
export const LOCATION = 0x22;
export const FUNCTION = 0x2a;
export const STRING = 0x32;
const NAMES = new Map([
  [SAMPLE_TYPE, 'sample type'],
  [SAMPLE, 'sample'],
  [MAPPING, 'mapping'],
  [LOCATION, 'location'],
  [FUNCTION, 'function'],
  [STRING, 'string'],
]);

/** Reads the bytes of one profile.proto and knows where it is, so that a failure names the field and its offset. */
export class ProfileReader extends Wire {
  readonly limits: DecodeLimits;
  /** The same bytes, to be read a word at a time. */
  readonly data: DataView;
  /** Tag and offset of the field of the profile that is being read. */
  fieldTag = 0;
  fieldStart = 0;
  /** Whether a sample type was read: no other file has that, and writers put it first. */
  hasSampleType = false;
  #largestString = 0; // and the field that names it
  #largestStringTag = 0;
  #largestStringStart = 0;

  constructor(raw: Uint8Array, limits: DecodeLimits) {
    super(raw);
    this.limits = limits;
    this.data = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  }

  /** Reads the number of a string. */
  stringNumber(): number {
    this.wide();
    if (this.high !== 0 || this.low < 0) throw this.failure('the number of a string is negative or too large');
    if (this.low > this.#largestString) {
      this.#largestString = this.low;
      this.#largestStringTag = this.fieldTag;
      this.#largestStringStart = this.fieldStart;
    }
    return this.low;
  }

  /** Skips a field that is unknown in its message. */
  skipField(tag: number, knownFields: number): void {
    const field = tag >>> 3;
    const type = tag & 7;
    if (field > 0 && field <= knownFields) throw this.failure(`its field ${field} has wire type ${type}`);
    if (type === 3 || type === 4) throw this.failure(`field ${field} is a group, which profiles do not have`);
    this.skipType(type);
  }

  /** A message must end where its length says. */
  ended(stop: number): void {
    if (this.pos !== stop) throw this.failure('a field runs past the end of its message');
  }

  /** @throws ProfileError if a count is above its limit. */
  bounded(what: string, count: number, limit: number): void {
    if (count > limit) throw this.failure(`the profile has more than ${limit} ${what}, the limit`);
  }

  /** What is wrong with the field that is being read, or with another one. */
  failure(reason: string, tag: number = this.fieldTag, start: number = this.fieldStart): ProfileError {
    const name = NAMES.has(tag) ? `the ${NAMES.get(tag)}` : `field ${tag >>> 3}`;
    const failure = `${name} at byte ${start} is malformed: ${reason}`;
    return new ProfileError(
      this.hasSampleType
        ? `Cannot read the profile: ${failure}.`
        : `Cannot read the profile: this is not a pprof profile (${failure}).`,
    );
  }

  /** The failure of the nth field with this tag: only now is its offset looked for. */
  nth(tag: number, n: number, reason: string): ProfileError {
    const wire = new Wire(this.buf);
    let start = 0;
    for (let left = n; left >= 0; ) {
      start = wire.pos;
      const found = wire.uint();
      if (found === tag) left--;
      wire.skipType(found & 7);
    }
    return this.failure(reason, tag, start);
  }

  /** @throws ProfileError if a field names a string that is not among the `size` strings of the table. */
  requireStrings(size: number): void {
    if (size === 0) throw new ProfileError('Cannot read the profile: it has no string table.');
    const largest = this.#largestString;
    if (largest >= size)
      throw this.failure(
        `it names string ${largest}, but the table has ${size}`,
        this.#largestStringTag,
        this.#largestStringStart,
      );
  }
}
