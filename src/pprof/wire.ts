import protobuf from 'protobufjs/minimal.js';

/**
 * protobufjs' Reader with verbs of its own: a short way for integers of one or two bytes, and 64-bit integers as two 32-bit words
 * (`low`, `high`) instead of an object.
 */
export class Wire extends protobuf.Reader {
  low = 0;
  high = 0;

  /** Reads a varint, keeping its low 32 bits. */
  uint(): number {
    const first = this.buf[this.pos]!;
    if (first < 128) {
      this.pos++;
      return first;
    }
    const second = this.buf[this.pos + 1]!;
    if (second < 128) {
      this.pos += 2;
      return (first & 127) | (second << 7);
    }
    return this.uint32() | 0;
  }

  /** Reads a varint of up to 64 bits into `low` and `high`. */
  wide(): void {
    const start = this.pos;
    this.low = this.uint();
    this.high = 0;
    if (this.pos - start > 4) this.#high(start + 4);
  }

  // The fifth byte of a varint holds bits 28 to 34, and each later one seven more.
  #high(at: number): void {
    let high = (this.buf[at]! & 127) >>> 4;
    for (let shift = 3; at + 1 < this.pos; shift += 7) high |= (this.buf[++at]! & 127) << shift;
    this.high = high;
  }

  /** Reads an int64. */
  int64Value(): bigint {
    this.wide();
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low >>> 0));
  }

  /** Reads a uint64. */
  uint64Value(): bigint {
    return BigInt.asUintN(64, this.int64Value());
  }

  /** Reads the length of the length-delimited field that begins here. @returns where the field ends. */
  stop(): number {
    const size = this.size();
    if (this.pos + size > this.len) throw new RangeError(`length ${size} runs past the end of the data`);
    return this.pos + size;
  }
}

/** protobufjs' Writer with fields of profile.proto: zero values are omitted, as proto3 does. */
export class Output extends protobuf.Writer {
  #bytes = new Uint8Array(10);

  /** A varint field, even if it is zero. */
  field(number: number, value: number): void {
    this.uint32(number << 3).uint32(value);
  }

  /** A varint field of 64 bits given as two words, even if it is zero. */
  wideField(number: number, low: number, high: number): void {
    this.uint32(number << 3);
    this.wide(low, high);
  }

  /** A varint of 64 bits given as two words. */
  wide(low: number, high: number): void {
    if (high === 0) {
      this.uint32(low);
      return;
    }
    let length = 0;
    for (; high !== 0; high >>>= 7) {
      this.#bytes[length++] = (low & 127) | 128;
      low = (low >>> 7) | (high << 25);
    }
    for (; low >>> 0 > 127; low >>>= 7) this.#bytes[length++] = (low & 127) | 128;
    this.#bytes[length++] = low;
    this.raw(this.#bytes.subarray(0, length));
  }

  /** A varint field, unless it is zero. */
  optional(number: number, value: number): void {
    if (value !== 0) this.field(number, value);
  }

  /** A 64-bit varint field given as two words, unless it is zero. */
  optionalWide(number: number, low: number, high: number): void {
    if ((low | high) !== 0) this.wideField(number, low, high);
  }

  /** A 64-bit varint field, unless it is zero. */
  optionalBigint(number: number, value: bigint): void {
    this.optionalWide(number, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
}
