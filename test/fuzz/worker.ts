/** One thread of the fuzzer: mutates inputs of its corpus, runs them, keeps those that take a new edge. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { addTo, allocatedBytes, begin } from './counters.ts';
import { mutate, randomFrom } from './mutate.ts';
import { BASE_BYTES, BYTES_PER_BYTE, type Message, SLOW_MS, type Task } from './task.ts';

interface Target {
  decodes(bytes: Uint8Array): boolean;
  decodesFirst(bytes: Uint8Array): boolean;
  checkProfile(bytes: Uint8Array): void;
}

async function main(task: Task): Promise<void> {
  const target = (await import(task.target)) as Target;
  Error.stackTraceLimit = 0; // most inputs end in an error, and stacks take most of the time
  const random = randomFrom(task.seed);
  const corpus: Uint8Array[] = [];
  const post = (message: Message) => parentPort!.postMessage(message);
  let profiles = 0;
  let largestBytesPerByte = 0;

  /** The stack of what an input throws: it is run again, as stacks are not kept. */
  const stackOf = (operation: (bytes: Uint8Array) => unknown, bytes: Uint8Array, first: unknown): string => {
    Error.stackTraceLimit = 10;
    try {
      operation(bytes);
      return `${String(first)}, not again`;
    } catch (error) {
      return (error as Error).stack ?? String(error);
    } finally {
      Error.stackTraceLimit = 0;
    }
  };
  const found = (of: 'crash' | 'slow' | 'memory', bytes: Uint8Array, text: string) =>
    post({ kind: 'finding', of, bytes: new Uint8Array(bytes), text });

  // Columns that have grown are kept for the next profile: what one needs shows in a decoder that has read none.
  const weighMemory = (bytes: Uint8Array) => {
    begin();
    try {
      target.decodesFirst(bytes);
    } catch {} // found before
    const arrays = allocatedBytes();
    if (arrays > BASE_BYTES + BYTES_PER_BYTE * bytes.length) found('memory', bytes, `${arrays} bytes of typed arrays`);
    largestBytesPerByte = Math.max(largestBytesPerByte, (arrays - BASE_BYTES) / bytes.length);
  };

  /** Runs one input. @returns whether it took a new edge. */
  const run = (bytes: Uint8Array, check: boolean): boolean => {
    task.input.set(bytes);
    task.progress[1] = bytes.length;
    begin();
    const startedMs = performance.now();
    let isProfile = false;
    try {
      isProfile = target.decodes(bytes);
    } catch (error) {
      found('crash', bytes, stackOf(target.decodes, bytes, error));
    }
    const tookMs = performance.now() - startedMs;
    const isNew = addTo(task.seen);
    if (tookMs > SLOW_MS && isSlow(target, bytes)) found('slow', bytes, `${Math.round(tookMs)} ms`);
    if (isNew) weighMemory(bytes);
    if (!isProfile) return isNew;
    profiles++;
    if (isNew || check) {
      try {
        target.checkProfile(bytes);
      } catch (error) {
        found('crash', bytes, stackOf(target.checkProfile, bytes, error));
      }
    }
    return isNew;
  };

  for (const seed of task.seeds) {
    run(seed, true);
    corpus.push(seed);
  }
  for (let n = 0; n < task.executions; n++) {
    const recent = random(2) === 0 && corpus.length > 64;
    const base = corpus[recent ? corpus.length - 1 - random(64) : random(corpus.length)]!;
    let bytes = mutate(base, corpus[random(corpus.length)]!, random);
    if (random(1000) === 0) bytes = new Uint8Array(gzipSync(bytes));
    if (run(bytes, random(256) === 0)) {
      const kept = new Uint8Array(bytes);
      corpus.push(kept);
      post({ kind: 'interesting', bytes: kept });
    }
    task.progress[0] = n + 1;
    if (n % 1024 === 0)
      for (let got = receiveMessageOnPort(parentPort!); got; got = receiveMessageOnPort(parentPort!))
        corpus.push(got.message as Uint8Array);
  }
  post({ kind: 'done', profiles, largestBytesPerByte });
  parentPort!.close();
}

// A neighbour on the machine may have taken the time: three times in a row is not chance.
function isSlow(target: Target, bytes: Uint8Array): boolean {
  for (let round = 0; round < 3; round++) {
    const startedMs = performance.now();
    try {
      target.decodes(bytes);
    } catch {}
    if (performance.now() - startedMs <= SLOW_MS) return false;
  }
  return true;
}

await main(workerData as Task);
