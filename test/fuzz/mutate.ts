/** Inputs longer than this are cut: small ones run fast, and reach the same branches. */
export const MAX_BYTES = 2048;

/** Whole numbers from 0 up to n - 1. */
export type Random = (n: number) => number;

/** xorshift32: fast, and the same for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed | 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** A changed copy of `input`, sometimes with parts of `other`. One to four changes, of bytes, of text or of protobuf fields. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const text = isText(input);
  let bytes = input;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const kind = random(8);
    if (kind < 2) bytes = changeBytes(bytes, other, random);
    else if (text) bytes = changeText(bytes, random);
    else bytes = changeMessage(bytes, other, random, 0);
  }
  return bytes.length > MAX_BYTES ? bytes.subarray(0, MAX_BYTES) : bytes;
}

function isText(bytes: Uint8Array): boolean {
  for (let i = 0; i < Math.min(bytes.length, 12); i++) if (bytes[i]! < 9 || bytes[i]! > 126) return false;
  return bytes.length > 12;
}

// From Node's pool of memory: a typed array of its own costs more than most executions.
function join(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function spliced(bytes: Uint8Array, from: number, to: number, part: Uint8Array): Uint8Array {
  return join(bytes.subarray(0, from), part, bytes.subarray(to));
}

function changeBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length + 1);
  const length = Math.min(1 + random(random(4) === 0 ? 64 : 8), bytes.length - at);
  switch (random(8)) {
    case 0: {
      const copy = join(bytes);
      if (at < copy.length) copy[at] = copy[at]! ^ (1 << random(8));
      return copy;
    }
    case 1: {
      const copy = join(bytes);
      if (at < copy.length) copy[at] = BYTES[random(BYTES.length)]!;
      return copy;
    }
    case 2: {
      const copy = join(bytes);
      if (at < copy.length) copy[at] = random(256);
      return copy;
    }
    case 3:
      return spliced(bytes, at, at + length, EMPTY);
    case 4:
      return spliced(bytes, at, at, bytes.subarray(at, at + length));
    case 5: {
      const from = random(other.length + 1);
      return spliced(bytes, at, at + random(length + 1), other.subarray(from, from + 1 + random(64)));
    }
    case 6:
      return bytes.subarray(0, at);
    default:
      return spliced(bytes, at, at, NUMBERS[random(NUMBERS.length)]!);
  }
}

function changeText(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length + 1);
  if (random(3) > 0) return spliced(bytes, at, at + random(4), TOKENS[random(TOKENS.length)]!);
  // A line twice, or not at all.
  const from = bytes.lastIndexOf(10, at) + 1;
  const end = bytes.indexOf(10, at);
  const line = bytes.subarray(from, end < 0 ? bytes.length : end + 1);
  return random(2) === 0 ? spliced(bytes, from, from, line) : spliced(bytes, from, from + line.length, EMPTY);
}

interface Field {
  start: number;
  /** Where the value begins, and of a length-delimited one its content. */
  value: number;
  body: number;
  end: number;
  type: number;
}

function varintEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end]! > 127 && end - at < 9) end++;
  return Math.min(end + 1, bytes.length);
}

function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let start = 0; start < bytes.length; ) {
    const type = bytes[start]! & 7;
    const value = varintEnd(bytes, start);
    let body = value;
    let end = bytes.length;
    if (type === 0) end = varintEnd(bytes, value);
    else if (type === 1) end = value + 8;
    else if (type === 5) end = value + 4;
    else if (type === 2) {
      body = varintEnd(bytes, value);
      let length = 0;
      for (let at = value, shift = 0; at < body && shift < 28; at++, shift += 7) length |= (bytes[at]! & 127) << shift;
      end = body + length;
    }
    if (end > bytes.length || end <= start) end = bytes.length;
    fields.push({ start, value, body: Math.min(body, end), end, type });
    start = end;
  }
  return fields;
}

function changeMessage(bytes: Uint8Array, other: Uint8Array, random: Random, depth: number): Uint8Array {
  const fields = fieldsOf(bytes);
  if (fields.length === 0) return changeBytes(bytes, other, random);
  const field = fields[random(fields.length)]!;
  const whole = bytes.subarray(field.start, field.end);
  if (field.type === 2 && depth < 4 && random(8) < 5) {
    const content = bytes.subarray(field.body, field.end);
    const changed =
      random(4) === 0 ? changeBytes(content, other, random) : changeMessage(content, other, random, depth + 1);
    return join(bytes.subarray(0, field.value), varint(changed.length), changed, bytes.subarray(field.end));
  }
  switch (random(8)) {
    case 0:
      return spliced(bytes, field.start, field.end, EMPTY);
    case 1:
      return spliced(bytes, field.start, field.start, whole);
    case 2: {
      // Moved elsewhere.
      const without = spliced(bytes, field.start, field.end, EMPTY);
      const to = fields[random(fields.length)]!;
      const at = to.start > field.start ? to.start - whole.length : to.start;
      return spliced(without, at, at, whole);
    }
    case 3: {
      const found = fieldsOf(other);
      if (found.length === 0) return bytes;
      const from = found[random(found.length)]!;
      return spliced(
        bytes,
        field.start,
        random(2) === 0 ? field.end : field.start,
        other.subarray(from.start, from.end),
      );
    }
    case 4: {
      // Another field number or wire type.
      const tag = Uint8Array.of(random(4) === 0 ? random(256) : (1 + random(15)) * 8 + (random(3) === 0 ? 2 : 0));
      return spliced(bytes, field.start, field.value, tag);
    }
    case 5:
      return spliced(
        bytes,
        field.end,
        field.end,
        join(Uint8Array.of((1 + random(15)) * 8), NUMBERS[random(NUMBERS.length)]!),
      );
    default:
      if (field.type === 0) return spliced(bytes, field.value, field.end, NUMBERS[random(NUMBERS.length)]!);
      return changeBytes(bytes, other, random);
  }
}

const EMPTY = new Uint8Array();
const BYTES = [0, 1, 2, 7, 8, 0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x32, 0x7f, 0x80, 0x81, 0xff];

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

/** Varints at the edges of what a reader distinguishes; some are longer than they need be, or never end. */
const NUMBERS = [
  ...[
    0,
    1,
    2,
    3,
    5,
    16,
    63,
    127,
    128,
    200,
    255,
    256,
    16_383,
    16_384,
    65_536,
    2 ** 21,
    2 ** 28,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
  ],
  ...[2n ** 32n, 2n ** 33n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n],
]
  .map((number) => varint(number))
  .concat(
    Uint8Array.of(0x80, 0),
    Uint8Array.of(0x81, 0x80, 0x80, 0),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    new Uint8Array(11).fill(0xff),
  );

/** What the old formats are made of. */
const TOKENS = [
  ...[
    '--- contention:',
    '--- mutex:',
    '--- contentionz 1 ---',
    '--- heapz 1 ---',
    '--- threadz 1 ---',
    '--- Thread 7f (name: a) stack: ---',
  ],
  ...[
    'heap profile: 1: 2 [3: 4] @ heap/1',
    'heap profile:',
    ' @ heapz_v2/524288',
    ' @ growthz',
    ' @ fragmentation',
    'goroutine profile: total 1',
  ],
  ...[
    'format = java',
    'resolution = microseconds',
    'sampling period = 100',
    'sampling period=0',
    'cycles/second=1',
    'cycles/second = 999999999999999999',
  ],
  ...[
    'ms since reset = 999999999999999999',
    'discarded samples = 1',
    '--- Memory map: ---',
    'MAPPED_LIBRARIES:',
    '---- no stack trace for',
  ],
  ...[
    'same as previous thread',
    '00400000-00fcb000: /bin/x (@ff00) abc',
    '7f00-8000 r-xp 00001000 08:01 12 /lib/a.so',
    'a=$a$a',
    '$a',
    'build=/x',
  ],
  ...[
    '\n',
    ' ',
    '\t',
    '\r',
    '@',
    ':',
    '=',
    '-',
    '[',
    ']',
    '#',
    '0x',
    ' 0x1',
    ' 0x0',
    ' 0xffffffffffffffff',
    '0',
    '1',
    '-1',
    '999999999999999999',
  ],
  ...[
    ' 0x000000d com.example.Orders.read (Orders.java:12)',
    '(',
    ')',
    'generated stub/JIT',
    '1: 1 [1: 1] @ 0x1\n',
    '1 1 @ 0x1 0x2\n',
    '1 @ 0x1\n',
    '\u2028',
    '\0',
  ],
].map((token) => new TextEncoder().encode(token));
