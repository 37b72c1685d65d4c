/**
 * Generates openapi.json: the part of GitHub's published OpenAPI description which this server answers.
 *
 * The full description is in the npm package @octokit/openapi, which unpacks to 385 MB and is therefore no
 * dependency of this project. In an empty directory:
 *
 *   npm pack @octokit/openapi@23.0.2
 *   tar -xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
 *   node <checkout>/test/cloud/github/trim-openapi.ts package/generated/api.github.com.json
 *
 * The licence of the description is in openapi.LICENSE.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** The operations to keep, by operationId. */
export const OPERATIONS: readonly string[] = [
  'checks/create',
  'checks/get',
  'checks/list-for-ref',
  'checks/update',
  'git/create-blob',
  'git/create-commit',
  'git/create-ref',
  'git/create-tree',
  'git/get-commit',
  'git/get-ref',
  'issues/add-labels',
  'issues/create-comment',
  'issues/delete-comment',
  'issues/get-comment',
  'issues/list-comments',
  'issues/list-events',
  'issues/list-labels-on-issue',
  'issues/remove-label',
  'issues/update-comment',
  'pulls/create',
  'pulls/get',
  'pulls/list',
  'pulls/list-files',
  'rate-limit/get',
  'repos/compare-commits-with-basehead',
  'repos/create-commit-status',
  'repos/get',
  'repos/get-commit',
  'repos/get-content',
  'repos/list-commits',
  'repos/list-pull-requests-associated-with-commit',
  'users/get-authenticated',
];

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

/** Prose and samples: they say nothing that a validator reads. */
const PROSE = new Set(['description', 'summary', 'title', 'tags', 'example', 'examples']);
/** Below these keywords the keys are names chosen by GitHub, so a property called "title" stays. */
const NAMED = new Set(['properties', 'paths', 'schemas', 'parameters', 'responses', 'headers', 'patternProperties']);

function strip(value: Json, keyword: string): Json {
  if (Array.isArray(value)) return value.map((item) => strip(item, ''));
  if (value === null || typeof value !== 'object') return value;
  const kept: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    if (NAMED.has(keyword)) {
      const item = strip(child, '');
      // OpenAPI requires a description of every response, and nothing else of what is dropped here.
      const needsDescription = keyword === 'responses' && !('$ref' in (item as JsonObject));
      kept[key] = needsDescription ? { description: '', ...(item as JsonObject) } : item;
    } else if (key === 'externalDocs') {
      kept[key] = { url: (child as JsonObject).url ?? '' };
    } else if (!PROSE.has(key) && (!key.startsWith('x-') || key === 'x-multi-segment')) {
      kept[key] = strip(child, key);
    }
  }
  return kept;
}

function collectReferences(value: Json, found: Set<string>): void {
  if (value === null || typeof value !== 'object') return;
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string') found.add(child);
    else collectReferences(child, found);
  }
}

/**
 * The description reduced to some operations and the components they refer to, without prose and samples.
 *
 * @param full the parsed OpenAPI 3.0 document
 * @param operationIds what to keep
 * @throws when the description lacks one of the operations
 */
export function trimDescription(full: JsonObject, operationIds: readonly string[]): JsonObject {
  const wanted = new Set(operationIds);
  const paths: JsonObject = {};
  for (const [path, item] of Object.entries(full.paths as JsonObject)) {
    for (const [method, operation] of Object.entries(item as JsonObject)) {
      const id = (operation as JsonObject | null)?.operationId;
      if (typeof id !== 'string' || !wanted.delete(id)) continue;
      paths[path] = { ...(paths[path] as JsonObject | undefined), [method]: strip(operation as Json, '') };
    }
  }
  if (wanted.size > 0) {
    throw new Error(`Cannot trim the description: it lacks ${[...wanted].join(', ')}. Correct OPERATIONS.`);
  }

  const source = full.components as JsonObject;
  const components: { [kind: string]: JsonObject } = {};
  const queue = new Set<string>();
  collectReferences(paths, queue);
  // A Set visits what is added while it is walked.
  for (const reference of queue) {
    const [, , kind, name] = reference.split('/') as [string, string, string, string];
    const component = strip({ [name]: (source[kind] as JsonObject)[name] as Json }, kind) as JsonObject;
    components[kind] = { ...components[kind], ...component };
    collectReferences(component, queue);
  }

  const info = full.info as JsonObject;
  return {
    openapi: full.openapi as Json,
    info: { title: info.title as Json, version: info.version as Json, license: info.license as Json },
    servers: full.servers as Json,
    paths,
    components,
  };
}

if (import.meta.main) {
  const source = process.argv[2];
  if (source === undefined) {
    console.error('Usage: node trim-openapi.ts <api.github.com.json>. The head of this file says how to get it.');
    process.exit(2);
  }
  const trimmed = trimDescription(JSON.parse(readFileSync(source, 'utf8')), OPERATIONS);
  const target = new URL('openapi.json', import.meta.url);
  writeFileSync(target, `${JSON.stringify(trimmed)}\n`);
  console.log(`${OPERATIONS.length} operations, ${readFileSync(target).length} bytes`);
}
