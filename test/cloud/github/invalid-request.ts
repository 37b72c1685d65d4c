/** How GitHub words that a request is not what its description says. */
import type { Violation } from './description.ts';
import { ApiError, type FieldError, notFound } from './http.ts';

const BODY = '/requestBody';

function valueAt(body: unknown, pointer: string): unknown {
  let value = body;
  for (const key of pointer.split('/').slice(2)) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

function sizeOf(value: unknown): number {
  return typeof value === 'string' ? [...value].length : Array.isArray(value) ? value.length : 0;
}

function sentence({ pointer, keyword, params, message }: Violation, body: unknown): string {
  const value = valueAt(body, pointer);
  const shown = value === null ? 'nil' : JSON.stringify(value);
  const name = pointer.slice(BODY.length + 1);
  switch (keyword) {
    case 'required':
      return `"${params.missingProperty}" wasn't supplied.`;
    case 'type':
      return `For '${name === '' ? '/' : `properties/${name}`}', ${shown} is not a${/^[aio]/.test(String(params.type)) ? 'n' : ''} ${params.type}.`;
    case 'enum':
      return `${shown} is not a member of ${JSON.stringify(params.allowedValues)}.`;
    case 'maxLength':
      return `Only ${params.limit} characters are allowed; ${sizeOf(value)} were supplied.`;
    case 'maxItems':
      return `No more than ${params.limit} items are allowed; ${sizeOf(value)} were supplied.`;
    default:
      return `For '${name}', ${message}.`;
  }
}

/**
 * The answer to a request that breaks the description; undefined when GitHub would not mind, which is so for query
 * parameters it does not know.
 *
 * @param operation stands for the resource in the list of errors
 */
export function invalidRequest(
  operation: string,
  violations: readonly Violation[],
  body: unknown,
): ApiError | undefined {
  // `/issues/x/comments`: GitHub has no such route.
  if (violations.some(({ pointer }) => pointer.startsWith('/path'))) return notFound();
  const errors: FieldError[] = [];
  const sentences: string[] = [];
  for (const violation of violations) {
    const { pointer, keyword, params } = violation;
    if (keyword === 'additionalProperties' && pointer === '/query') continue;
    const isMissing = keyword === 'required';
    const field = [...pointer.split('/').slice(2), ...(isMissing ? [String(params.missingProperty)] : [])].join('/');
    errors.push({ resource: operation, field, code: isMissing ? 'missing_field' : 'invalid' });
    if (pointer.startsWith(BODY)) sentences.push(sentence(violation, body));
  }
  if (errors.length === 0) return undefined;
  return new ApiError(
    422,
    sentences.length > 0 ? `Invalid request.\n\n${sentences.join('\n')}` : 'Validation Failed',
    errors,
  );
}
