import { CommanderError } from 'commander';
import { ConfigurationError, MeasurementError } from '../errors.ts';
import { ProfileError } from '../pprof/limits.ts';
import { fileFailure } from './profile-files.ts';

/** How a command ended that threw: the exit code, and what to tell on standard error. */
export interface Ending {
  exitCode: number;
  message: string;
}

export const EXIT = { usage: 2, notMeasured: 3, interrupted: 130 } as const;

/**
 * Mistakes of the user have a sentence and exit code 2; what cannot be read or measured, 3; an interruption, 130. Anything
 * else is a mistake of ours: its stack is what a report needs.
 */
export function endingOf(error: unknown): Ending {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : EXIT.usage, message: '' };
  if (error instanceof Interruption) return { exitCode: EXIT.interrupted, message: '' };
  if (error instanceof ConfigurationError) return { exitCode: EXIT.usage, message: error.message };
  if (error instanceof MeasurementError) {
    const checks = error.checks.map(({ what, state, found }) => `  ${state}: ${what}: ${found}`);
    return { exitCode: EXIT.notMeasured, message: [error.message, ...checks, error.next].join('\n') };
  }
  if (error instanceof ProfileError) return { exitCode: EXIT.notMeasured, message: error.message };
  const { syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall !== undefined && path !== undefined)
    return { exitCode: EXIT.usage, message: `Cannot use ${path} (${syscall}): ${fileFailure(error)}.` };
  const stack = (error as Error | undefined)?.stack ?? String(error);
  return {
    exitCode: EXIT.notMeasured,
    message: `Unexpected failure of lambda-profile. Please report it with this:\n${stack}`,
  };
}

/** The user has had enough: Ctrl-C in a question. */
export class Interruption extends Error {}
