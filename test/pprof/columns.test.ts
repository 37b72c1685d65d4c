import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { describe, expect, test } from 'vitest';
import { appendText, Interner, Sequences, stringBytes } from '../../src/pprof/columns.ts';
import { Ids } from '../../src/pprof/ids.ts';
import { Output, Wire } from '../../src/pprof/wire.ts';

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('Wire and Output', () => {
  test('write and read 64-bit integers exactly, as protobufjs does', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(uint64, fc.bigInt({ min: 0n, max: 300n }))), (numbers) => {
        const out = new Output();
        const reference = new protobuf.Writer();
        for (const number of numbers) {
          out.wide(Number(BigInt.asIntN(32, number)), Number(BigInt.asIntN(32, number >> 32n)));
          reference.uint64(String(number));
        }
        const bytes = out.finish();
        expect(bytes).toEqual(reference.finish());
        const wire = new Wire(bytes);
        expect(numbers.map(() => wire.uint64Value())).toEqual(numbers);
      }),
    );
  });

  test('refuse a number that is cut off', () => {
    for (const bytes of [[], [0x80], [0x80, 0x80], Array.from({ length: 11 }, () => 0x80)])
      expect(() => new Wire(Uint8Array.from(bytes)).wide()).toThrow();
  });
});

describe('Interner', () => {
  test('gives equal sequences one number, in order of first sight', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 4 }), { maxLength: 400 }),
        (sequences) => {
          const interner = new Interner();
          const numbers = new Map<string, number>();
          for (const sequence of sequences) {
            const key = sequence.join();
            if (!numbers.has(key)) numbers.set(key, numbers.size);
            expect(interner.intern(Int32Array.from([9, ...sequence, 9]), 1, sequence.length + 1)).toBe(
              numbers.get(key),
            );
          }
          expect(interner.size).toBe(numbers.size);
          for (const [key, number] of numbers)
            expect(interner.words.subarray(interner.starts[number], interner.starts[number + 1]).join()).toBe(key);
        },
      ),
    );
  });

  test('gives the sequences of a list the numbers that it gives them one by one', () => {
    const sequence = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(sequence, { maxLength: 500 }), fc.array(sequence, { maxLength: 500 }), (first, second) => {
        const interner = new Interner();
        const oneByOne = new Interner();
        for (const list of [first, second]) {
          const sequences = new Sequences();
          for (const words of list) sequences.append(Int32Array.from(words), 0, words.length);
          const numbers = new Int32Array(list.length);
          interner.internAll(sequences, numbers);
          expect([...numbers]).toEqual(list.map((words) => oneByOne.intern(Int32Array.from(words), 0, words.length)));
        }
      }),
    );
  });

  test('refuses sequences that were made to have equal hashes, before they take long', () => {
    // A flipped highest bit of a word is undone by a bit of the next one: 2 ** 20 sequences with one hash.
    const interner = new Interner();
    const words = new Int32Array(40);
    const add = () => {
      for (let i = 0; i < 2 ** 20; i++) {
        for (let pair = 0; pair < 20; pair++) {
          words[pair * 2] = (i >>> pair) & 1 ? 0x80000000 : 0;
          words[pair * 2 + 1] = (i >>> pair) & 1 ? 0x10 : 0;
        }
        interner.intern(words, 0, 40);
      }
    };
    expect(add).toThrow('Cannot read the profile: it was made to take very long.');
    expect(interner.size).toBeLessThan(3000);
  });

  test('finds a hundred thousand sequences again', () => {
    const interner = new Interner();
    const words = Int32Array.from({ length: 100_001 }, (_, i) => i * 7);
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 100_000; i++)
        if (interner.intern(words, i, i + 2) !== i) expect.fail(`${i} is not found again`);
    expect(interner.size).toBe(100_000);
  });
});

describe('appendText()', () => {
  test('keeps every text, whatever its length', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const strings = new Sequences();
        for (const text of texts) appendText(strings, text);
        expect(
          texts.map((_, i) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(stringBytes(strings, i))),
        ).toEqual(texts);
      }),
    );
  });
});

describe('Ids', () => {
  test('number any ids in the order of their definition', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(uint64, fc.bigInt({ min: 1n, max: 50n })).filter((id) => id > 0n)),
        (defined) => {
          const ids = new Ids();
          ids.reset(20);
          const slotOf = (id: bigint) =>
            ids.slotOf(Number(BigInt.asIntN(32, id)), Number(BigInt.asIntN(32, id >> 32n)));
          for (const id of defined) expect(ids.define(slotOf(id))).toBe(true);
          expect(defined.map((id) => ids.numberOf(slotOf(id)))).toEqual(defined.map((_, i) => i));
          for (const id of defined) expect(ids.define(slotOf(id))).toBe(false);
          expect(slotOf(0n)).toBe(-1);
          if (ids.direct) expect(defined.map(slotOf)).toEqual(defined.map((_, i) => i));
        },
      ),
    );
  });
});
