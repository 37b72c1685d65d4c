import {
  addressesIn,
  type LegacyProfile,
  type LegacySample,
  type LegacySymbol,
  type Lines,
  unsampled,
} from './legacy-profile.ts';

/** The rate at which Java's heap profiles were sampled, in bytes. */
const HEAP_RATE = 524_288n;

/**
 * Parses a heap or contention profile of Java: attributes, then samples of value, count and addresses, then what is at the
 * addresses.
 *
 *     --- contentionz 1 ---
 *     format = java
 *     resolution = microseconds
 *     sampling period = 100
 *         14     1 @ 0x0000000d 0x0000000e
 *
 *      0x000000d com.example.Orders.read (Orders.java:12)
 */
export function parseJava(header: string, lines: Lines): LegacyProfile {
  const isHeap = header.startsWith('--- heapz');
  const attributes = new Map<string, string>();
  let line = lines.take();
  for (; line?.includes('='); line = lines.take()) {
    const [name, value] = line.split('=', 2).map((part) => part.trim());
    if (!ATTRIBUTES.has(name!)) throw lines.malformed(line);
    attributes.set(name!, value!);
  }
  const number = (name: string) => BigInt(/^\d{1,18}$/.exec(attributes.get(name) ?? '')?.[0] ?? 0);
  const period = number('sampling period');
  const samples: LegacySample[] = [];
  for (; line !== undefined; line = lines.take()) {
    const row = /^(\d{1,18}) +(\d{1,18}) +@ +([ x0-9a-f]*)$/.exec(line);
    if (row === null) break;
    const value = BigInt(row[1]!);
    const count = BigInt(row[2]!);
    if (isHeap && count === 0n) throw lines.malformed(line);
    const addresses = addressesIn(row[3]!);
    if (isHeap) samples.push({ addresses, values: unsampled(count, value, HEAP_RATE).values, bytes: value / count });
    else samples.push({ addresses, values: [count, value].map((n) => (period === 0n ? n : n * period)) });
  }
  const rest: string[] = [];
  for (; line !== undefined; line = lines.take()) rest.push(line);
  const types = isHeap ? ['inuse_objects', 'inuse_space'] : ['contentions', 'delay'];
  return {
    sampleTypes: [
      { type: types[0]!, unit: 'count' },
      { type: types[1]!, unit: attributes.get('resolution') ?? '' },
    ],
    periodType: isHeap ? { type: '', unit: '' } : { type: 'contentions', unit: 'count' },
    period: isHeap ? 0n : period,
    durationNanos: number('ms since reset') * 1_000_000n,
    samples,
    mappings: [],
    symbols: parseJavaSymbols(rest),
  };
}

const ATTRIBUTES = new Set(['format', 'resolution', 'sampling period', 'ms since reset']);

/** What is at each address: lines such as `0x000000d com.example.Orders.read (Orders.java:12)` or `0x00000003 GC`. */
export function parseJavaSymbols(lines: string[]): Map<bigint, LegacySymbol> {
  const symbols = new Map<bigint, LegacySymbol>();
  for (const line of lines) {
    const [, address, what] = /^\s*0x([0-9a-f]{1,16})\s+(\S.*)$/i.exec(line) ?? [];
    if (address !== undefined) symbols.set(BigInt(`0x${address}`), parseSymbol(what!.trim()));
  }
  return symbols;
}

function parseSymbol(text: string): LegacySymbol {
  const open = text.lastIndexOf('(');
  if (open <= 0 || !text.endsWith(')'))
    return { name: text.includes('generated stub/JIT') ? 'STUB' : text, file: '', line: 0n };
  const name = text.slice(0, open).trimEnd();
  const where = text.slice(open + 1, -1);
  const colon = where.lastIndexOf(':');
  const number = where.slice(colon + 1);
  if (colon > 0 && /^-?\d{1,9}$/.test(number)) {
    const line = BigInt(number);
    return { name, file: where.slice(0, colon), line: line > 0n ? line : 0n };
  }
  return { name, file: where.slice(where.lastIndexOf('/') + 1), line: 0n };
}
