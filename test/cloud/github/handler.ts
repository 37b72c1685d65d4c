/** From HTTP to a route and back: authentication, rate limit, validation of both directions, headers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  acceptedPermissions,
  authenticate,
  authorize,
  createRateLimiter,
  type GitHubToken,
  type RateLimit,
} from './authorization.ts';
import { type Route as DescribedRoute, type Description, describeViolations } from './description.ts';
import { answerQuery } from './graphql.ts';
import { ApiError, type Call, notFound, type Reply, type Route } from './http.ts';
import { invalidRequest } from './invalid-request.ts';
import type { Repository } from './repository.ts';
import { accountRoutes } from './routes/account.ts';
import { checkRoutes } from './routes/checks.ts';
import { commitRoutes } from './routes/commits.ts';
import { contentRoutes } from './routes/contents.ts';
import { gitRoutes } from './routes/git.ts';
import { issueRoutes } from './routes/issues.ts';
import { pullRoutes } from './routes/pulls.ts';

/** Every operation this server answers, by operationId. */
export const ROUTES: Readonly<Record<string, Route>> = {
  ...accountRoutes,
  ...checkRoutes,
  ...commitRoutes,
  ...contentRoutes,
  ...gitRoutes,
  ...issueRoutes,
  ...pullRoutes,
};

export interface RecordedRequest {
  method: string;
  /** With the query, without the path prefix. */
  path: string;
  /** The operationId; `graphql`; '' for an unknown route. */
  operation: string;
  /** 0 while there is no answer, and when the connection was cut. */
  readonly status: number;
  /** The JSON body, or its text when it is no JSON. */
  body?: unknown;
}

interface Context {
  description: Description;
  repository: Repository;
  tokens: readonly GitHubToken[];
  pathPrefix: string;
  requests: RecordedRequest[];
  violations: string[];
  intercept:
    | ((request: IncomingMessage, response: ServerResponse, operation: string) => boolean | Promise<boolean>)
    | undefined;
}

/** GitHub's requests are far smaller; this bounds memory. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const REST_DOCUMENTATION = 'https://docs.github.com/rest';

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString();
}

/** @returns the text itself when it is no JSON; undefined when there is none */
function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** From `application/vnd.github.v3.raw+json`: `raw`. Media types of previews that ended are JSON. */
function mediaParameter(accept: string | undefined): string | undefined {
  const parameter = /application\/vnd\.github(?:\.v3)?\.([\w-]+)/.exec(accept ?? '')?.[1];
  return parameter === undefined || parameter === 'v3' || parameter.endsWith('-preview') ? undefined : parameter;
}

function errorReply(error: ApiError, documentationUrl: string): Reply {
  const { status, message, errors } = error;
  const body = { message, ...(errors.length > 0 ? { errors } : {}), documentation_url: documentationUrl };
  return { status, body: { ...body, status: String(status) } };
}

function rateHeaders({ limit, remaining, used, reset }: RateLimit): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(reset),
    'x-ratelimit-resource': 'core',
  };
}

/** The listener of the server's `request` event. */
export function createHandler(context: Context): (request: IncomingMessage, response: ServerResponse) => void {
  const { description, repository, tokens, pathPrefix, requests, violations } = context;
  const limiter = createRateLimiter(repository.now);
  const graphqlPath = pathPrefix === '' ? '/graphql' : pathPrefix.replace(/\/v3$/, '/graphql');
  let requestCount = 0;

  function answerRest(request: IncomingMessage, url: URL, route: DescribedRoute, parsed: unknown): Reply {
    const { operation } = route;
    const token = authenticate(request.headers.authorization, tokens);
    const { exceeded, ...rate } = limiter.take(token, operation === 'rate-limit/get' ? 0 : 1);
    const headers = rateHeaders(rate);
    const accepted = acceptedPermissions(operation);
    if (accepted !== undefined) headers['x-accepted-github-permissions'] = accepted;
    const answer = (): Reply => {
      if (exceeded) throw new ApiError(403, `API rate limit exceeded for ${token?.login ?? '127.0.0.1'}.`);
      const { owner, repo } = route.parameters;
      const names = [owner ?? repository.owner, repo ?? repository.name].join('/').toLowerCase();
      if (names !== `${repository.owner}/${repository.name}`.toLowerCase()) throw notFound();
      authorize(operation, token, repository.private);
      const call: Call = {
        repository,
        actor: token && { login: token.login, type: token.type },
        rate,
        requestPath: url.pathname.slice(pathPrefix.length),
        path: route.parameters,
        query: Object.fromEntries(url.searchParams),
        body: parsed ?? {},
        mediaParameter: mediaParameter(request.headers.accept),
      };
      checkCall(call, request, route);
      return ROUTES[operation]!(call);
    };
    try {
      const reply = answer();
      return { ...reply, headers: { ...headers, ...reply.headers } };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { ...errorReply(error, route.documentationUrl), headers };
    }
  }

  /** @throws {ApiError} for a request that GitHub would refuse before looking at it closely */
  function checkCall(call: Call, request: IncomingMessage, route: DescribedRoute): void {
    const { operation } = route;
    const { mediaParameter: media } = call;
    if (media !== undefined && media !== 'json' && !(media === 'raw' && operation === 'repos/get-content')) {
      violations.push(`request ${operation}: this server does not serve '${request.headers.accept}'`);
      throw new ApiError(
        415,
        `Unsupported 'Accept' header: '${request.headers.accept}'. Must accept 'application/json'.`,
      );
    }
    if (typeof call.body === 'string') throw new ApiError(400, 'Problems parsing JSON');
    const { method = '' } = request;
    const hasBody = method === 'POST' || method === 'PATCH';
    const found = description.checkRequest(route, {
      method,
      query: { ...call.query },
      headers: request.headers as Record<string, string>,
      ...(hasBody ? { body: call.body } : {}),
    });
    if (found.length === 0) return;
    violations.push(`request ${operation}: ${describeViolations(found)}`);
    const error = invalidRequest(operation, found, call.body);
    if (error !== undefined) throw error;
  }

  function answerGraphql(request: IncomingMessage, body: unknown): Reply {
    const token = authenticate(request.headers.authorization, tokens);
    if (token === undefined) throw new ApiError(401, 'This endpoint requires you to be authenticated.');
    const reply = answerQuery(body, token);
    if (reply !== undefined) return reply;
    violations.push(`request graphql: this server answers 'query { viewer { login } }' only`);
    return {
      status: 200,
      body: { errors: [{ type: 'undefinedField', message: 'This server does not know the query.' }] },
    };
  }

  function checkReply(operation: string, reply: Reply): Reply {
    if (operation === 'graphql' || Buffer.isBuffer(reply.body)) return reply;
    const found = description.checkResponse(operation, reply.status, reply.body ?? null);
    if (found.length === 0) return reply;
    const message = `response ${operation} ${reply.status}: ${describeViolations(found)}`;
    violations.push(message);
    return errorReply(new ApiError(500, `Violation of the OpenAPI description, ${message}`), REST_DOCUMENTATION);
  }

  function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
    const media = mediaParameter(request.headers.accept);
    const isRaw = Buffer.isBuffer(reply.body);
    const contentType = isRaw ? `application/vnd.github.${media}+json` : 'application/json';
    const content = isRaw ? (reply.body as Buffer) : Buffer.from(JSON.stringify(reply.body ?? null));
    const hasContent = reply.status !== 204;
    response.writeHead(reply.status, {
      server: 'github.com',
      'x-github-request-id': `${(++requestCount).toString(16).toUpperCase().padStart(4, '0')}:1:1:1:1`,
      'x-github-media-type': `github.v3; ${media === undefined ? '' : `param=${media}; `}format=json`,
      'x-github-api-version-selected': String(request.headers['x-github-api-version'] ?? '2022-11-28'),
      ...reply.headers,
      ...(hasContent ? { 'content-type': `${contentType}; charset=utf-8`, 'content-length': content.length } : {}),
    });
    response.end(hasContent ? content : undefined);
  }

  function answer(
    request: IncomingMessage,
    url: URL,
    operation: string,
    route: DescribedRoute | undefined,
    body: unknown,
  ) {
    if (request.headers['user-agent'] === undefined) {
      throw new ApiError(
        403,
        'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.',
      );
    }
    if (operation === 'graphql') return answerGraphql(request, body);
    if (route !== undefined) return answerRest(request, url, route, body);
    violations.push(`request ${request.method} ${url.pathname}: not among the operations of openapi.json`);
    throw notFound();
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const isGraphql = method === 'POST' && url.pathname === graphqlPath;
    const path = url.pathname.startsWith(`${pathPrefix}/`) ? url.pathname.slice(pathPrefix.length) : undefined;
    const route = isGraphql || path === undefined ? undefined : description.route(method, path);
    const operation = isGraphql ? 'graphql' : (route?.operation ?? '');
    const text = await readBody(request);
    const body = parseJson(text ?? '');
    requests.push({
      method,
      path: (path ?? url.pathname) + url.search,
      operation,
      get status() {
        return response.headersSent ? response.statusCode : 0;
      },
      ...(body === undefined ? {} : { body }),
    });
    if (await context.intercept?.(request, response, operation)) return;
    let reply: Reply;
    try {
      if (text === undefined) throw new ApiError(413, 'Payload too large');
      reply = answer(request, url, operation, route, body);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      reply = errorReply(error, route?.documentationUrl ?? REST_DOCUMENTATION);
    }
    send(request, response, operation === '' ? reply : checkReply(operation, reply));
  }

  return (request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (request.errored) return; // The client went away while it was sending.
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      violations.push(`response ${request.method} ${request.url}: ${reason}`);
      if (response.headersSent) response.destroy();
      else send(request, response, errorReply(new ApiError(500, reason), REST_DOCUMENTATION));
    });
  };
}
