/** What a thread is started with. */
export interface Task {
  /** URL of the instrumented decoder. */
  target: string;
  seed: number;
  seeds: Uint8Array[];
  executions: number;
  /** Edges that any thread has seen; shared. */
  seen: Uint8Array;
  /** Words 0: executions done, 1: length of the input in `input`; shared. */
  progress: Int32Array;
  /** The input that is being run; shared. */
  input: Uint8Array;
}

/** What a thread tells. */
export type Message =
  | { kind: 'interesting'; bytes: Uint8Array }
  | { kind: 'finding'; of: 'crash' | 'slow' | 'memory'; bytes: Uint8Array; text: string }
  | { kind: 'done'; profiles: number; largestBytesPerByte: number };

/** An execution may take this long on a busy machine. */
export const SLOW_MS = 1000;
/** Typed arrays of one execution: this much, and as much for every byte of the input. */
export const BASE_BYTES = 16 * 1024;
export const BYTES_PER_BYTE = 64;
