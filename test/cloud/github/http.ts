/** What a route is given and what it gives back. */
import type { RateLimit } from './authorization.ts';
import type { Account, Repository } from './repository.ts';

export interface Call {
  repository: Repository;
  /** Whose token the request carries; undefined without one. */
  actor: Account | undefined;
  /** What is left of the token's requests in this hour. */
  rate: RateLimit;
  /** The path below the API's root, as sent, without query. */
  requestPath: string;
  /** Values of the description's path parameters, decoded. */
  path: Record<string, string>;
  query: Record<string, string>;
  /** The JSON body, already found to conform to the description; `{}` without a body. */
  body: unknown;
  /** From `accept: application/vnd.github.raw+json`: `raw`. */
  mediaParameter: string | undefined;
}

export interface Reply {
  status: number;
  /** JSON, or bytes to send as they are. Absent: no content. */
  body?: unknown;
  headers?: Record<string, string>;
}

export type Route = (call: Call) => Reply;

export interface FieldError {
  resource: string;
  field: string;
  code: 'missing' | 'missing_field' | 'invalid' | 'already_exists' | 'unprocessable' | 'custom';
  message?: string;
}

/** An answer other than success, in GitHub's format. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly FieldError[];

  constructor(status: number, message: string, errors: readonly FieldError[] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export const notFound = () => new ApiError(404, 'Not Found');
export const validationFailed = (...errors: FieldError[]) => new ApiError(422, 'Validation Failed', errors);

/** ISO 8601 with whole seconds, as in every timestamp of the API. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
