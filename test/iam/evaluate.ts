import type { PolicyDocument, Statement } from '../../src/iam.ts';

/** One request as IAM sees it. Condition keys that are not known are left out. */
export interface IamRequest {
  action: string;
  /** ARN. */
  resource: string;
  context?: Record<string, string>;
}

/** Whether policies allow a request: some statement must, and nothing denies here. `*` stands for any text. */
export function isAllowed(policies: readonly PolicyDocument[], request: IamRequest): boolean {
  return policies.some(({ Statement }) => Statement.some((statement) => matches(statement, request)));
}

function matches({ Action, Resource, Condition }: Statement, { action, resource, context }: IamRequest): boolean {
  if (!Action.includes(action) || !Resource?.some((pattern) => isLike(resource, pattern))) return false;
  // Without a context it is asked whether the request may be allowed at all.
  return (
    context === undefined || Object.entries(Condition ?? {}).every(([operator, keys]) => holds(operator, keys, context))
  );
}

function holds(operator: string, keys: Record<string, string | string[]>, context: Record<string, string>): boolean {
  return Object.entries(keys).every(([key, wanted]) => {
    const value = context[key];
    if (value === undefined) return false;
    const values = Array.isArray(wanted) ? wanted : [wanted];
    if (operator === 'StringEquals') return values.includes(value);
    if (operator === 'StringLike') return values.some((pattern) => isLike(value, pattern));
    throw new Error(`The test does not know the operator ${operator}.`);
  });
}

function isLike(value: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(value);
}
