/** GitHub's published OpenAPI description as router and as judge of requests and responses. */
import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import { type Document, OpenAPIBackend } from 'openapi-backend';

/** One thing that the description forbids. */
export interface Violation {
  /** Where: `/path/issue_number`, `/query/since`, `/requestBody/output`; of a response, from its root. */
  pointer: string;
  /** What rule of JSON Schema it breaks, e.g. `required`, with the rule's own values. */
  keyword: string;
  params: Record<string, unknown>;
  message: string;
}

export interface Route {
  operation: string;
  /** Percent-encoded so that every parameter is one segment, as the description's paths demand. */
  path: string;
  parameters: Record<string, string>;
  /** GitHub's documentation of the operation. */
  documentationUrl: string;
}

export interface Description {
  operations: readonly string[];
  /** The operation that a method and a path (without query) mean; undefined when the description has none. */
  route(method: string, path: string): Route | undefined;
  checkRequest(
    route: Route,
    request: { method: string; query: Record<string, string>; headers: Record<string, string>; body?: unknown },
  ): Violation[];
  /** @param body the JSON value; null for a response without content */
  checkResponse(operation: string, status: number, body: unknown): Violation[];
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

/**
 * Says `null` the way JSON Schema does. OpenAPI 3.0 has `nullable` instead, which ajv understands only beside `type`,
 * and not for an `enum` that does not list null.
 */
export function withExplicitNull(value: Json): Json {
  if (Array.isArray(value)) return value.map(withExplicitNull);
  if (value === null || typeof value !== 'object') return value;
  const schema: JsonObject = {};
  for (const [key, child] of Object.entries(value)) schema[key] = withExplicitNull(child);
  if (schema.nullable !== true) return schema;
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...schema.enum, null] };
  if (schema.type !== undefined) return schema;
  const { nullable: _, ...rest } = schema;
  return { anyOf: [{ type: 'null' }, rest] };
}

interface Parameter {
  name: string;
  'x-multi-segment'?: boolean;
}

interface Operation {
  operationId: string;
  externalDocs: { url: string };
  parameters?: (Parameter | { $ref: string })[];
  responses: Record<string, unknown>;
}

interface Template {
  method: string;
  path: string;
  pattern: RegExp;
  literalLength: number;
  operation: Operation;
}

const PARAMETER = /\{(\w+)\}/g;
/** A status that every operation may answer with (401, 403 for a missing permission, 500) has this body. */
const ERROR_SCHEMA = { operation: 'repos/get', status: 404 };

function templateOf(document: JsonObject, path: string, method: string, operation: Operation): Template {
  const components = (document.components as JsonObject).parameters as unknown as Record<string, Parameter>;
  const multiSegment = new Set<string>();
  for (const parameter of operation.parameters ?? []) {
    const resolved = '$ref' in parameter ? components[parameter.$ref.split('/').at(-1)!]! : parameter;
    if (resolved['x-multi-segment']) multiSegment.add(resolved.name);
  }
  const pattern = path.replace(PARAMETER, (_, name) => `(?<${name}>${multiSegment.has(name) ? '.+' : '[^/]+'})`);
  return {
    method,
    path,
    pattern: new RegExp(`^${pattern}$`),
    literalLength: path.replace(PARAMETER, '').length,
    operation,
  };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/**
 * Reads an OpenAPI 3.0 description.
 *
 * Every operation must have an operationId and externalDocs, as GitHub's have.
 */
export async function loadDescription(text: string): Promise<Description> {
  const document = withExplicitNull(JSON.parse(text)) as JsonObject;
  const templates: Template[] = Object.entries(document.paths as JsonObject)
    .flatMap(([path, item]) =>
      Object.entries(item as JsonObject).map(([method, operation]) =>
        templateOf(document, path, method.toUpperCase(), operation as unknown as Operation),
      ),
    )
    // `/commits/{ref}/pulls` before `/commits/{ref}`, whose ref may contain slashes.
    .sort((a, b) => b.literalLength - a.literalLength);
  const operations = new Map(templates.map(({ operation }) => [operation.operationId, operation]));

  // `quick` compiles each validator when it is first needed.
  const backend = new OpenAPIBackend({
    definition: document as unknown as Document,
    quick: true,
    strict: true,
    ajvOpts: { allErrors: true },
    customizeAjv: (ajv) => {
      addFormats.default(ajv);
      return ajv
        .addFormat('repo.nwo', /^[\w.-]+\/[\w.-]+$/)
        .addFormat('timestamp', { type: 'number', validate: () => true });
    },
  });
  await backend.init();

  const toViolations = (errors: ReturnType<typeof backend.validateResponse>['errors']): Violation[] =>
    (errors ?? []).map(({ instancePath, keyword, params, message = '' }) => ({
      pointer: instancePath,
      keyword,
      params,
      message,
    }));

  return {
    operations: [...operations.keys()],

    route(method, path) {
      for (const template of templates) {
        const match = template.method === method ? template.pattern.exec(path) : null;
        if (match === null) continue;
        const parameters: Record<string, string> = {};
        for (const [name, segment] of Object.entries(match.groups ?? {})) {
          const value = decode(segment);
          if (value === undefined) return undefined;
          parameters[name] = value;
        }
        return {
          operation: template.operation.operationId,
          path: template.path.replace(PARAMETER, (_, name) => encodeURIComponent(parameters[name]!)),
          parameters,
          documentationUrl: template.operation.externalDocs.url,
        };
      }
      return undefined;
    },

    checkRequest(route, request) {
      return toViolations(backend.validateRequest({ ...request, path: route.path }, route.operation).errors);
    },

    checkResponse(operation, status, body) {
      const isDescribed = String(status) in operations.get(operation)!.responses;
      if (!isDescribed && status < 400) {
        const message = `status ${status} is not described`;
        return [{ pointer: '', keyword: 'status', params: { status }, message }];
      }
      const schema = isDescribed ? { operation, status } : ERROR_SCHEMA;
      return toViolations(backend.validateResponse(body, schema.operation, schema.status).errors);
    },
  };
}

let github: Promise<Description> | undefined;

/** The description in openapi.json. It never changes, so one process reads and compiles it once. */
export function githubDescription(): Promise<Description> {
  github ??= loadDescription(readFileSync(new URL('openapi.json', import.meta.url), 'utf8'));
  return github;
}

/** One line for a log: `/requestBody must have required property 'body'`. */
export function describeViolations(violations: readonly Violation[]): string {
  const shown = violations.slice(0, 5).map(({ pointer, message }) => `${pointer || '/'} ${message}`);
  const more = violations.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
