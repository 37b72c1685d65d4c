import { grown } from './columns.ts';

/**
 * The ids of one table of a profile. An id may be any 64-bit number but 0; here it becomes a slot, a small number:
 * id - 1 if that is small for the size of the file, otherwise a number of its own. Definitions and uses may come in any order.
 */
export class Ids {
  /** Slots below this are ids - 1. */
  limit = 0;
  /** The largest slot seen. */
  largest = -1;
  /** How many ids were defined. */
  count = 0;
  #ascending = true; // every id so far is its number + 1
  #numbers = new Int32Array(64); // number + 1 of each slot, 0 if it is not defined
  #far = new Map<bigint, number>();

  /** Forgets everything. Ids up to `limit` are slots of their own, which bounds the memory. */
  reset(limit: number): void {
    this.#numbers.fill(0, 0, Math.min(this.largest + 1, this.#numbers.length));
    this.#far.clear();
    this.limit = limit;
    this.largest = -1;
    this.count = 0;
    this.#ascending = true;
  }

  /** The slot of an id given as two words; -1 for the reserved id 0. */
  slotOf(low: number, high: number): number {
    const slot = high === 0 && (low - 1) >>> 0 < this.limit ? low - 1 : this.#farSlot(low, high);
    if (slot > this.largest) this.largest = slot;
    return slot;
  }

  /** Gives the next number, from 0, to the id in `slot`. @returns false if the id already has one. */
  define(slot: number): boolean {
    if (slot >= this.#numbers.length) this.#numbers = grown(this.#numbers, slot + 1);
    if (this.#numbers[slot] !== 0) return false;
    if (slot !== this.count) this.#ascending = false;
    this.#numbers[slot] = ++this.count;
    return true;
  }

  /** The number of the id in `slot`, -1 if it is not defined. */
  numberOf(slot: number): number {
    return slot < this.#numbers.length ? this.#numbers[slot]! - 1 : -1;
  }

  /** Whether every slot seen is its own number, so that nothing needs to be looked up. */
  get direct(): boolean {
    return this.#ascending && this.largest < this.count;
  }

  #farSlot(low: number, high: number): number {
    if (low === 0 && high === 0) return -1;
    const id = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    let slot = this.#far.get(id);
    if (slot === undefined) {
      slot = this.limit + this.#far.size;
      this.#far.set(id, slot);
    }
    return slot;
  }
}
