import { ConfigurationError } from '../errors.ts';
import type { PayloadDocument } from './payload-files.ts';

/** Events to send, in a fixed order: call `i` gets `bodies[order[i % order.length]]`. */
export interface Payloads {
  bodies: Uint8Array[];
  order: number[];
}

/** Lambda refuses larger synchronous requests. */
const MAX_BYTES = 6 * 1024 * 1024;
/** Long enough that every weight gets its share, short enough that a short run sees every payload. */
const MAX_CYCLE = 1000;
const MAX_WEIGHT = 1e9;

/**
 * Events of one or several documents. A document is one JSON event, or the weighted list of aws-lambda-power-tuning:
 * `[{ "payload": …, "weight": 3 }, …]`; documents have equal weight. The order is shuffled, so that no payload has the
 * warm-up for itself, and depends only on `random`: base and head see the same sequence.
 * @throws ConfigurationError when one is not JSON, larger than 6 MB, or its weights make no sense
 */
export function parsePayloads(documents: readonly PayloadDocument[], random: () => number): Payloads {
  const parsed = documents.map(({ text, name }) => parseDocument(text, name));
  const bodies = parsed.flatMap((document) => document.bodies);
  const weights = parsed.flatMap((document) => {
    const total = document.weights.reduce((sum, weight) => sum + weight, 0);
    return parsed.length === 1 ? document.weights : document.weights.map((weight) => weight / total);
  });
  return { bodies, order: shuffled(apportion(weights), random) };
}

function parseDocument(text: string, source: string): { bodies: Uint8Array[]; weights: number[] } {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ConfigurationError(
      `Cannot use the payload of ${source}: it is not JSON (${text.trim() === '' ? 'it is empty' : (error as Error).message}). Give one JSON document: an event, or a list of events as [{ "payload": …, "weight": 1 }, …].`,
    );
  }
  const weighted = asWeightedList(value, source);
  const events = weighted ?? [{ payload: value, weight: 1 }];
  const bodies = events.map(({ payload }, i) => {
    const body = new TextEncoder().encode(JSON.stringify(payload));
    if (body.byteLength > MAX_BYTES)
      throw new ConfigurationError(
        `Cannot use the payload of ${source}${weighted ? `, entry ${i + 1}` : ''}: it has ${body.byteLength} bytes, and Lambda takes at most ${MAX_BYTES}. Give a smaller event, or one that names an object in S3.`,
      );
    return body;
  });
  const weights = events.map(({ weight }) => weight);
  if (weights.every((weight) => weight === 0))
    throw new ConfigurationError(
      `Cannot use the payload list of ${source}: all its weights are 0. Give at least one entry a weight above 0.`,
    );
  return { bodies, weights };
}

/** The event of call number `index`. */
export function payloadAt({ bodies, order }: Payloads, index: number): Uint8Array {
  return bodies[order[index % order.length]!]!;
}

function asWeightedList(value: unknown, source: string): { payload: unknown; weight: number }[] | undefined {
  const isEntry = (entry: unknown): entry is { payload: unknown; weight: unknown } =>
    typeof entry === 'object' && entry !== null && 'payload' in entry && 'weight' in entry;
  if (!Array.isArray(value) || !value.some(isEntry)) return undefined;
  const odd = value.findIndex((entry) => !isEntry(entry));
  if (odd >= 0)
    throw new ConfigurationError(
      `Cannot use the payload list of ${source}: entry ${odd + 1} has no payload and weight, and others have. Give both to every entry.`,
    );
  return (value as { payload: unknown; weight: unknown }[]).map(({ payload, weight }, i) => {
    if (typeof weight !== 'number' || !(weight >= 0 && weight <= MAX_WEIGHT))
      throw new ConfigurationError(
        `Cannot use the payload list of ${source}: weight of entry ${i + 1} must be a number from 0 to ${MAX_WEIGHT}, it is ${JSON.stringify(weight)}.`,
      );
    return { payload, weight };
  });
}

/** Largest-remainder apportionment of a cycle over the weights: entry numbers, in blocks. */
function apportion(weights: number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const whole = weights.every(Number.isInteger) && total <= MAX_CYCLE;
  const cycle = whole ? total : Math.max(100, weights.length);
  const exact = weights.map((weight) => (weight / total) * cycle);
  const counts = exact.map(Math.floor);
  const byRemainder = exact
    .map((value, i) => ({ i, rest: value - counts[i]! }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let missing = cycle - counts.reduce((sum, count) => sum + count, 0);
  for (const { i } of byRemainder) if (missing-- > 0) counts[i]!++;
  return counts.flatMap((count, i) => new Array<number>(count).fill(i));
}

/** Fisher-Yates. */
function shuffled(order: number[], random: () => number): number[] {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
