import { describe, expect, test } from 'vitest';
import { githubDescription, withExplicitNull } from './description.ts';
import { ROUTES } from './handler.ts';
import { invalidRequest } from './invalid-request.ts';
import { OPERATIONS, trimDescription } from './trim-openapi.ts';

const description = await githubDescription();

test('there is a route for every operation of openapi.json, and no other', () => {
  expect([...description.operations].sort()).toEqual([...OPERATIONS].sort());
  expect(Object.keys(ROUTES).sort()).toEqual([...OPERATIONS].sort());
});

describe('route()', () => {
  test('lets a ref contain slashes, sent as they are or encoded', () => {
    for (const ref of ['heads/feature/x', 'heads%2Ffeature%2Fx']) {
      const route = description.route('GET', `/repos/octo-org/orders/git/ref/${ref}`);
      expect(route).toMatchObject({ operation: 'git/get-ref', parameters: { ref: 'heads/feature/x' } });
    }
  });

  test('prefers the longer path to a ref that contains it', () => {
    expect(description.route('GET', '/repos/octo-org/orders/commits/a/b/pulls')).toMatchObject({
      operation: 'repos/list-pull-requests-associated-with-commit',
      parameters: { commit_sha: 'a/b' },
    });
  });

  test('knows no path with a broken escape, no other method, no other path', () => {
    expect(description.route('GET', '/repos/octo-org/orders/git/ref/%E0%A4')).toBeUndefined();
    expect(description.route('PUT', '/repos/octo-org/orders')).toBeUndefined();
    expect(description.route('GET', '/zen')).toBeUndefined();
  });
});

describe('checkRequest()', () => {
  const createCheck = description.route('POST', '/repos/octo-org/orders/check-runs')!;
  const check = (body: unknown) => {
    const violations = description.checkRequest(createCheck, { method: 'POST', query: {}, headers: {}, body });
    return { violations, message: invalidRequest('checks/create', violations, body)?.message };
  };

  test('accepts what the description allows', () => {
    expect(check({ name: 'orders', head_sha: 'a'.repeat(40) }).violations).toEqual([]);
  });

  test('finds missing, mistyped, unknown and oversized values, which are refused in the words GitHub uses', () => {
    expect(check({ name: 1 }).message).toBe(
      "Invalid request.\n\n\"head_sha\" wasn't supplied.\nFor 'properties/name', 1 is not a string.",
    );
    const valid = { name: 'orders', head_sha: 'a'.repeat(40) };
    expect(check({ ...valid, status: 'done' }).message).toContain('"done" is not a member of ["queued"');
    const output = { title: 't', summary: 'λ'.repeat(65536) };
    expect(check({ ...valid, output }).message).toContain('Only 65535 characters are allowed; 65536 were supplied.');
    const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' };
    const annotations = Array(51).fill(annotation);
    expect(check({ ...valid, output: { title: 't', summary: 's', annotations } }).message).toContain(
      'No more than 50 items are allowed; 51 were supplied.',
    );
  });

  test('finds an unknown query parameter, which GitHub ignores', () => {
    const route = description.route('GET', '/repos/octo-org/orders/pulls')!;
    const violations = description.checkRequest(route, { method: 'GET', query: { sorted: 'yes' }, headers: {} });
    expect(violations).toMatchObject([{ keyword: 'additionalProperties' }]);
    expect(invalidRequest('pulls/list', violations, {})).toBeUndefined();
  });

  test('finds a path parameter of the wrong type, for which GitHub has no route', () => {
    const route = description.route('GET', '/repos/octo-org/orders/pulls/latest')!;
    const violations = description.checkRequest(route, { method: 'GET', query: {}, headers: {} });
    expect(invalidRequest('pulls/get', violations, {})?.status).toBe(404);
  });
});

describe('checkResponse()', () => {
  test('finds a missing and a mistyped property', () => {
    const body = {
      id: '1',
      ref: 'refs/heads/main',
      node_id: 'R',
      url: 'https://example.com',
      object: { type: 'commit' },
    };
    const pointers = description
      .checkResponse('git/get-ref', 200, body)
      .map(({ pointer, message }) => pointer + message);
    expect(pointers).toContain("/objectmust have required property 'sha'");
    const label = { id: 'one', node_id: 'L', url: 'https://example.com', name: 'n', color: 'c', default: false };
    expect(description.checkResponse('issues/add-labels', 200, [{ ...label, description: null }])).toMatchObject([
      { pointer: '/0/id', keyword: 'type' },
    ]);
  });

  test('finds a status of success that the description does not have', () => {
    expect(description.checkResponse('issues/create-comment', 200, {})).toMatchObject([{ keyword: 'status' }]);
  });

  test('finds content where there must be none', () => {
    expect(description.checkResponse('issues/delete-comment', 204, null)).toEqual([]);
    expect(description.checkResponse('issues/delete-comment', 204, {})).not.toEqual([]);
  });

  test('holds errors that the description does not list against the basic error', () => {
    expect(description.checkResponse('issues/create-comment', 401, { message: 'Bad credentials' })).toEqual([]);
    expect(description.checkResponse('issues/create-comment', 401, { message: 401 })).not.toEqual([]);
  });

  test('allows null where the description says nullable, and nowhere else', () => {
    const nullable = { type: 'string', enum: ['a'], nullable: true };
    expect(withExplicitNull(nullable)).toMatchObject({ enum: ['a', null] });
    expect(withExplicitNull({ oneOf: [], nullable: true })).toEqual({ anyOf: [{ type: 'null' }, { oneOf: [] }] });
    expect(description.checkResponse('issues/get-comment', 200, null)).not.toEqual([]);
  });
});

describe('trimDescription()', () => {
  const full = {
    openapi: '3.0.3',
    info: { title: 'API', version: '1', license: { name: 'MIT' }, description: 'long' },
    servers: [],
    paths: {
      '/things': {
        get: {
          operationId: 'things/list',
          summary: 'List things',
          externalDocs: { description: 'docs', url: 'https://example.com/docs' },
          responses: {
            200: { description: 'OK', content: { json: { schema: { $ref: '#/components/schemas/thing' } } } },
          },
        },
        post: { operationId: 'things/create', responses: {} },
      },
    },
    components: {
      schemas: {
        thing: {
          title: 'Thing',
          properties: { title: { type: 'string', example: 'x' }, owner: { $ref: '#/components/schemas/owner' } },
        },
        owner: { type: 'string' },
        unused: { type: 'string' },
      },
    },
  };

  test('keeps the operations asked for, what they refer to, and properties named like prose', () => {
    const trimmed = trimDescription(full, ['things/list']);
    expect(trimmed.paths).toEqual({
      '/things': {
        get: {
          operationId: 'things/list',
          externalDocs: { url: 'https://example.com/docs' },
          responses: {
            200: { description: '', content: { json: { schema: { $ref: '#/components/schemas/thing' } } } },
          },
        },
      },
    });
    expect(trimmed.components).toEqual({
      schemas: {
        thing: { properties: { title: { type: 'string' }, owner: { $ref: '#/components/schemas/owner' } } },
        owner: { type: 'string' },
      },
    });
  });

  test('refuses an operation that the description lacks', () => {
    expect(() => trimDescription(full, ['things/delete'])).toThrow('it lacks things/delete');
  });
});
