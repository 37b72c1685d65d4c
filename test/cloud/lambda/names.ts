import { invalidMember, invalidParameter } from './errors.ts';

/** The region and account a server stands for. */
export interface Scope {
  readonly region: string;
  readonly accountId: string;
}

/** A function as a request names it. `qualifier` is a version number, `$LATEST`, an alias, or absent. */
export interface FunctionReference extends Scope {
  readonly name: string;
  readonly qualifier: string | undefined;
}

const NAME = '(?<name>[a-zA-Z0-9-_]{1,64})(?::(?<qualifier>\\$LATEST|[a-zA-Z0-9-_]{1,128}))?';
const FULL_ARN = new RegExp(`^arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z0-9-]+):(?<account>\\d{12}):function:${NAME}$`);
const PARTIAL_ARN = new RegExp(`^(?<account>\\d{12}):function:${NAME}$`);
const PLAIN = new RegExp(`^${NAME}$`);
const QUALIFIER = /^(\$LATEST|[a-zA-Z0-9-_]{1,128})$/;
const LAYER_VERSION = /^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:\d+$/;

/**
 * Reads the FunctionName of a request: a name, a partial ARN (`123456789012:function:orders`) or a full ARN, each with
 * an optional `:version` or `:alias`. What the name leaves out comes from `scope`.
 * @param qualifier the `Qualifier` query parameter, if the request has one; it must not differ from the name's own
 * @throws LambdaApiError 400 for a malformed name or qualifier, or when the two disagree
 */
export function parseFunctionName(raw: string, qualifier: string | null, scope: Scope): FunctionReference {
  const groups = (FULL_ARN.exec(raw) ?? PARTIAL_ARN.exec(raw) ?? PLAIN.exec(raw))?.groups;
  if (groups === undefined) {
    throw invalidMember('functionName', raw, `Member must satisfy regular expression pattern: ${FULL_ARN.source}`);
  }
  if (qualifier !== null && !QUALIFIER.test(qualifier)) {
    throw invalidMember('qualifier', qualifier, 'Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)');
  }
  if (qualifier !== null && groups.qualifier !== undefined && qualifier !== groups.qualifier) {
    throw invalidParameter('The derived qualifier from the function name does not match the specified qualifier.');
  }
  return {
    region: groups.region ?? scope.region,
    accountId: groups.account ?? scope.accountId,
    name: groups.name!,
    qualifier: qualifier ?? groups.qualifier,
  };
}

/** The ARN of a function, unqualified when `qualifier` is undefined. */
export const functionArn = (scope: Scope, name: string, qualifier?: string | undefined): string =>
  `arn:aws:lambda:${scope.region}:${scope.accountId}:function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`;

/** The ARN of a layer. */
export const layerArn = (scope: Scope, name: string): string =>
  `arn:aws:lambda:${scope.region}:${scope.accountId}:layer:${name}`;

/** Whether a text is the ARN of one layer version. */
export const isLayerVersionArn = (text: string): boolean => LAYER_VERSION.test(text);

/** Whether a qualifier is a version number, not an alias or `$LATEST`. */
export const isVersionNumber = (qualifier: string): boolean => /^\d+$/.test(qualifier);
