import type { Clock } from '../clock.ts';

/** The terminal and the process around a command. Results go to `print`, everything else to `say`. */
export interface Shell {
  env: Record<string, string | undefined>;
  clock: Clock;
  /** Writes to standard output, as it is. */
  print(text: string | Uint8Array): void;
  /** Writes one line to standard error. */
  say(line: string): void;
  /** Writes to standard error as it is, for a line that is drawn again and again; undefined when it is no terminal. */
  draw?(text: string): void;
  /** Whether there is somebody to ask: input and output are terminals, and this is not a CI job. */
  interactive: boolean;
  color: boolean;
  /** From now on, Ctrl-C is the command's own business; it listens to what this returns. */
  takeSignals(): Pick<NodeJS.Process, 'on'>;
  columns: number;
}

/**
 * Text of a profile, a key or a log as part of a line: nothing in it moves the cursor, ends the line, or is a command to
 * the runner of a workflow (`::error::`, `##[error]`).
 */
export function inert(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
    .replace(/(^|\s)::/g, '$1: :')
    .replace(/##\[/g, '## [');
}

/** A word of a command line as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One or more of something: `1 profile`, `3 profiles`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
