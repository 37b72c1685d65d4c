/** The one GraphQL query this server knows: whose token is this? */
import type { Reply } from './http.ts';
import type { Account } from './repository.ts';

const VIEWER_LOGIN = /^(?:query(?:\s+\w+)?\s*)?\{\s*viewer\s*\{\s*login\s*\}\s*\}$/;

/** Answers `query { viewer { login } }`; undefined for any other query. */
export function answerQuery(body: unknown, viewer: Account): Reply | undefined {
  const query = (body as { query?: unknown } | null)?.query;
  if (typeof query !== 'string' || !VIEWER_LOGIN.test(query.trim())) return undefined;
  return { status: 200, body: { data: { viewer: { login: viewer.login } } } };
}
