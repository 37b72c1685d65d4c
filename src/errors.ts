import type { Check } from './compare/verdict.ts';

/** The request cannot be carried out as written: nothing was invoked, nothing stored. Exit code 2 on the command line. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** The measurement broke: says nothing about performance, so it becomes the verdict `error`. Exit code 3. */
export class MeasurementError extends Error {
  override readonly name = 'MeasurementError';
  /** What was looked at and what was found, in the order it was looked at. */
  readonly checks: Check[];
  /** What to do next, one sentence. */
  readonly next: string;

  constructor(message: string, next: string, checks: Check[] = [], options?: ErrorOptions) {
    super(message, options);
    this.next = next;
    this.checks = checks;
  }
}
