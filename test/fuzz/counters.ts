/**
 * What instrumented code calls (see `instrument.ts`): the edges it takes between branches, as AFL counts them, and the
 * bytes of the typed arrays it makes.
 */

/** Edges that can be told apart. */
export const EDGES = 1 << 16;

const counts = new Uint8Array(EDGES);
const taken = new Uint16Array(EDGES);
let takenCount = 0;
let previous = 0;
let arrayBytes = 0;

/** A branch is entered. Counts stop at 255. */
export function branch(id: number): void {
  const edge = (previous ^ id) & (EDGES - 1);
  const count = counts[edge]!;
  if (count === 0) taken[takenCount++] = edge;
  if (count < 255) counts[edge] = count + 1;
  previous = id >>> 1;
}

/** A typed array was made. */
export function allocated<T extends ArrayBufferView>(array: T): T {
  arrayBytes += array.byteLength;
  return array;
}

/** Bytes of typed arrays made since `begin`. */
export function allocatedBytes(): number {
  return arrayBytes;
}

/** Before an execution. */
export function begin(): void {
  for (let i = 0; i < takenCount; i++) counts[taken[i]!] = 0;
  takenCount = 0;
  previous = 0;
  arrayBytes = 0;
}

/**
 * Adds the edges taken since `begin` to those `seen`: one byte an edge, one bit for each of 1, 2, 3, 4-7, 8-15, 16-31,
 * 32-127 and more times. @returns whether one of them is new.
 */
export function addTo(seen: Uint8Array): boolean {
  let isNew = false;
  for (let i = 0; i < takenCount; i++) {
    const edge = taken[i]!;
    const bit = BITS[counts[edge]!]!;
    const known = seen[edge]!;
    if ((known & bit) !== 0) continue;
    seen[edge] = known | bit;
    isNew = true;
  }
  return isNew;
}

const BITS = Uint8Array.from({ length: 256 }, (_, count) =>
  count < 4 ? 1 << (count - 1) : count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128,
);
