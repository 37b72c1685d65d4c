import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** What `LogType=Tail` answers at most, in bytes. */
const TAIL_BYTES = 4096;

/**
 * The log of one instance: a file that the function's processes and the platform append to. Because writes to a file are
 * done when they return, the lines of an invocation are complete the moment the runtime posts its response.
 */
export class InstanceLog {
  /** File descriptor for the outputs of the function's processes. */
  readonly output: number;
  readonly #path: string;
  #start = 0;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    this.output = openSync(path, 'a');
  }

  write(lines: string): void {
    if (this.#open && lines !== '') writeSync(this.output, lines);
  }

  /** The last 4 KB written since the last call: one invocation, with what was written before it. */
  takeTail(): Buffer {
    if (!this.#open) return Buffer.alloc(0);
    const end = fstatSync(this.output).size;
    const from = Math.max(this.#start, end - TAIL_BYTES);
    this.#start = end;
    const tail = Buffer.alloc(end - from);
    const reader = openSync(this.#path, 'r');
    readSync(reader, tail, 0, tail.length, from);
    closeSync(reader);
    return tail;
  }

  close(): void {
    if (this.#open) closeSync(this.output);
    this.#open = false;
  }
}
