/**
 * The formats that google/pprof read before profile.proto, as far as Go's runtime and the tools of its time wrote them:
 * text of `block`, `mutex`, `heap`, `goroutine`, `threadcreate` profiles and thread dumps, and binary CPU profiles. They hold
 * addresses only, and at the end perhaps a list of mapped files; those of Java, names.
 */
import type { Profile } from './columns.ts';
import { parseJava, parseJavaSymbols } from './legacy-java.ts';
import {
  addressesIn,
  CONTENTIONS,
  COUNT,
  CPU,
  int64,
  isMemoryMap,
  type LegacyProfile,
  type LegacySample,
  Lines,
  SPACE,
  toColumns,
  unsampled,
} from './legacy-profile.ts';
import { type DecodeLimits, ProfileError } from './limits.ts';
import { parseMemoryMap } from './memory-map.ts';

/** Old formats become objects and text; a profile of one is small. */
const MAX_BYTES = 8 * 2 ** 20;

/**
 * Reads a profile of an old format.
 * @returns undefined if the bytes are of no such format.
 * @throws ProfileError naming the line or byte that cannot be read.
 */
export function decodeLegacy(bytes: Uint8Array, limits: DecodeLimits): Profile | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  const legacy = parseBinary(bytes) ?? (isText(bytes) ? parseText(Buffer.from(bytes).toString('latin1')) : undefined);
  if (legacy === undefined) return undefined;
  if (legacy.samples.length > limits.samples)
    throw new ProfileError(`Cannot read the profile: it has more than ${limits.samples} samples, the limit.`);
  return toColumns(legacy);
}

function isText(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return /^(?:--- |heap profile: |[a-z]+ profile: total )/.test(head);
}

function parseText(text: string): LegacyProfile | undefined {
  const lines = new Lines(text);
  const first = lines.take() ?? '';
  if (first.startsWith('heap profile:')) return parseHeap(first, lines);
  if (first.startsWith('--- threadz ')) return parseThreads(lines);
  if (/^--- (?:heapz|contentionz) 1 ---[^\S\n]*\n\s*format *= *java/.test(text)) return parseJava(first, lines);
  const count = /^(\S+) profile: total \d+$/.exec(first);
  if (count !== null) return parseCounts(count[1]!, lines);
  return /^--- (?:contentionz |mutex:|contention:)/.test(first) ? parseContention(lines) : undefined;
}

// 3 @ 0x44cb3 0x45045
function parseCounts(type: string, lines: Lines): LegacyProfile {
  const samples: LegacySample[] = [];
  for (let line = lines.take(); line !== undefined && !line.startsWith('---'); line = lines.take()) {
    const [, count, stack] = /^(\d{1,18}) @((?: 0x[0-9a-f]+)+)$/.exec(line) ?? [];
    if (count === undefined) throw lines.malformed(line);
    samples.push({ addresses: calls(addressesIn(stack!)), values: [BigInt(count)] });
  }
  const counted = { type, unit: COUNT };
  return { ...NOTHING, sampleTypes: [counted], periodType: counted, samples, mappings: lines.memoryMap() };
}

const NOTHING = { period: 1n, durationNanos: 0n };

// heap profile: 13: 1595680 [47130736: 2584596557304] @ heap/1048576
// 1: 524288 [3: 1572864] @ 0x420cef 0x422151
function parseHeap(header: string, lines: Lines): LegacyProfile {
  const numbers = '(\\d+): *(\\d+) *\\[ *(\\d+): *(\\d+) *\\] *@ *';
  const found = new RegExp(`^heap profile: *${numbers}([_a-z0-9]+)(?:/(\\d{1,18}))?`).exec(header);
  const kind = found?.[5] ?? '';
  if (found === null || !HEAP_KINDS.has(kind)) throw lines.malformed(header);
  const [, inuse, inuseSpace, alloc, allocSpace] = found;
  const rate = kind === 'heap' ? BigInt(found[6] ?? 0) / 2n : kind.includes('_v2') ? BigInt(found[6] ?? 0) : 1n;
  const sampled = kind !== 'heapprofile' && kind.startsWith('heap');
  const both = sampled && ((alloc !== inuse && alloc !== '0') || (allocSpace !== inuseSpace && allocSpace !== '0'));
  const samples: LegacySample[] = [];
  for (let line = lines.take(); line !== undefined && !isMemoryMap(line); line = lines.take()) {
    const row = /^(-?\d{1,18}): *(-?\d{1,18}) *\[ *(\d{1,18}): *(\d{1,18}) *\] @([ x0-9a-f]*)$/.exec(line);
    if (row === null) throw lines.malformed(line);
    const used = unsampled(BigInt(row[1]!), BigInt(row[2]!), sampled ? rate : 0n);
    const allocated = both ? unsampled(BigInt(row[3]!), BigInt(row[4]!), sampled ? rate : 0n) : undefined;
    const bytes = used.each ?? allocated?.each ?? 0n;
    samples.push({
      addresses: calls(addressesIn(row[5]!)),
      values: [...(allocated?.values ?? []), ...used.values],
      bytes,
    });
  }
  const types = both ? ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space'] : ['objects', 'space'];
  const sampleTypes = types.map((type) => ({ type, unit: type.endsWith('objects') ? COUNT : 'bytes' }));
  return { sampleTypes, periodType: SPACE, period: rate, durationNanos: 0n, samples, mappings: lines.memoryMap() };
}

const HEAP_KINDS = new Set([
  'heap',
  'heap_v2',
  'heapz_v2',
  'heapprofile',
  'growth',
  'growthz',
  'fragmentation',
  'fragmentationz',
]);

// cycles/second = 3201000000
// 19490304       27 @ 0xbccc97 0xc61202
function parseContention(lines: Lines): LegacyProfile {
  let period = 1n;
  let durationNanos = 0n;
  let cyclesPerSecond = 0n;
  let line = lines.take();
  for (; line?.includes('='); line = lines.take()) {
    const [name, value] = line.split('=', 2).map((part) => part.trim());
    if (!/^\d{1,18}$/.test(value!)) throw lines.malformed(line);
    if (name === 'cycles/second') cyclesPerSecond = BigInt(value!);
    else if (name === 'sampling period') period = BigInt(value!);
    else if (name === 'ms since reset') durationNanos = BigInt(value!) * 1_000_000n;
    else if (name !== 'discarded samples') throw lines.malformed(line);
  }
  const samples: LegacySample[] = [];
  for (; line !== undefined && !line.startsWith('---'); line = lines.take()) {
    const row = /^(\d{1,18}) +(\d{1,18}) @([ x0-9a-f]*)$/.exec(line);
    if (row === null) throw lines.malformed(line);
    const cycles = Number(row[1]) * Number(period);
    const delay = cyclesPerSecond > 0n && period > 0n ? cycles / (Number(cyclesPerSecond) / 1e9) : Number(row[1]);
    const count = period > 0n ? BigInt(row[2]!) * period : BigInt(row[2]!);
    samples.push({ addresses: calls(addressesIn(row[3]!)), values: [count, int64(delay)] });
  }
  const sampleTypes = [CONTENTIONS, { type: 'delay', unit: 'nanoseconds' }];
  return { sampleTypes, periodType: CONTENTIONS, period, durationNanos, samples, mappings: lines.memoryMap() };
}

// --- Thread 7f794ab90940 (name: main/14748) stack: ---
//   PC:  0x00bc8f1c: helper(arg *)
//   0x0040be31: main
function parseThreads(lines: Lines): LegacyProfile {
  const samples: LegacySample[] = [];
  let addresses: bigint[] | undefined;
  const finish = () => {
    if (addresses === undefined) return;
    if (addresses.length > 0) samples.push({ addresses: withoutRepeatedLeaf(callers(addresses)), values: [1n] });
    else if (samples.length > 0) samples.at(-1)!.values[0]! += 1n;
  };
  for (let line = lines.take(); line !== undefined && !isMemoryMap(line); line = lines.take()) {
    if (line.startsWith('---- no stack trace for')) break;
    if (line.startsWith('--- Thread ')) {
      finish();
      addresses = [];
    } else if (line.startsWith('--')) throw lines.malformed(line);
    else if (line.includes('same as previous thread')) addresses = [];
    else for (const address of addressesIn(line)) addresses?.push(address);
  }
  finish();
  const threads = { type: 'thread', unit: COUNT };
  return { ...NOTHING, sampleTypes: [threads], periodType: threads, samples, mappings: lines.memoryMap() };
}

/** Return addresses to the addresses of the calls. */
function calls(addresses: bigint[]): bigint[] {
  return addresses.map((address) => BigInt.asUintN(64, address - 1n));
}

/** The same, except for the leaf, which is not a call. */
function callers([leaf, ...rest]: bigint[]): bigint[] {
  return leaf === undefined ? [] : [leaf, ...calls(rest)];
}

// Samplers may report the leaf twice, from the signal and from the stack.
function withoutRepeatedLeaf(addresses: bigint[]): bigint[] {
  const [leaf, second, ...rest] = addresses;
  return second !== undefined && leaf === second + 1n ? [leaf, ...rest] : addresses;
}

/** Binary CPU profile: words 0, 3, 0 (1 of Java), microseconds, 0; then count, depth, addresses ...; then 0, 1, 0 and a memory map. */
function parseBinary(bytes: Uint8Array): LegacyProfile | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const size of [4, 8])
    for (const littleEndian of [true, false]) {
      const word = (i: number) =>
        size === 4 ? BigInt(view.getUint32(i * 4, littleEndian)) : view.getBigUint64(i * 8, littleEndian);
      if (bytes.length < size * 5 || word(0) !== 0n || word(1) !== 3n || word(2) > 1n || word(4) !== 0n) continue;
      if (word(3) > 0n) return parseCpu(bytes, word, size, word(3) * 1000n, word(2) === 1n);
    }
  return undefined;
}

function parseCpu(
  bytes: Uint8Array,
  word: (i: number) => bigint,
  size: number,
  period: bigint,
  isJava: boolean,
): LegacyProfile {
  const words = Math.floor(bytes.length / size);
  const samples: LegacySample[] = [];
  let at = 5;
  while (at + 1 < words) {
    const count = word(at);
    const depth = word(at + 1);
    if (depth > BigInt(words - at - 2))
      throw new ProfileError(`Cannot read the profile: the sample at byte ${at * size} is longer than the data.`);
    const addresses = Array.from({ length: Number(depth) }, (_, i) => word(at + 2 + i));
    at += 2 + addresses.length;
    if (count === 0n && addresses.length === 1 && addresses[0] === 0n) break;
    const signed = BigInt.asIntN(64, count);
    samples.push({
      addresses: isJava ? addresses : callers(addresses),
      values: [signed, BigInt.asIntN(64, signed * period)],
    });
  }
  const sampleTypes = [{ type: 'samples', unit: COUNT }, CPU];
  const lines = Buffer.from(bytes.subarray(at * size))
    .toString('latin1')
    .split('\n');
  if (isJava) {
    const symbols = parseJavaSymbols(lines);
    return { sampleTypes, periodType: CPU, period, durationNanos: 0n, samples, mappings: [], symbols };
  }
  withoutHandlerFrames(samples);
  for (const sample of samples) sample.addresses = withoutRepeatedLeaf(sample.addresses);
  const mappings = parseMemoryMap(lines);
  return { sampleTypes, periodType: CPU, period, durationNanos: 0n, samples, mappings };
}

// A second frame that nearly all samples share belongs to the signal handler; there may be two.
function withoutHandlerFrames(samples: LegacySample[]): void {
  for (let round = 0; round < 2; round++) {
    const counts = new Map<bigint, number>();
    for (const { addresses } of samples)
      if (addresses.length > 1) counts.set(addresses[1]!, (counts.get(addresses[1]!) ?? 0) + 1);
    const enough = samples.length - Math.floor(samples.length / 32);
    const handler = [...counts].find(([, count]) => count >= enough)?.[0];
    if (handler === undefined) return;
    for (const sample of samples)
      if (sample.addresses[1] === handler) sample.addresses = [sample.addresses[0]!, ...sample.addresses.slice(2)];
  }
}
