/** The repository itself, the account behind a token, and what is left of its rate limit. */
import { ApiError, type Call, type Reply, type Route, timestamp } from '../http.ts';
import { renderAccount } from '../render/accounts.ts';
import { renderFullRepository } from '../render/repositories.ts';

function getRepository({ repository }: Call): Reply {
  return { status: 200, body: renderFullRepository(repository) };
}

/** `private-user`; an installation has no account of its own and was refused before. */
function getAuthenticatedUser({ repository, actor }: Call): Reply {
  if (actor === undefined) throw new ApiError(401, 'Requires authentication');
  const createdAt = timestamp(repository.createdAt);
  return {
    status: 200,
    body: {
      ...renderAccount(repository.site, actor),
      name: actor.login,
      company: null,
      blog: '',
      location: null,
      email: null,
      hireable: null,
      bio: null,
      twitter_username: null,
      public_repos: 1,
      public_gists: 0,
      followers: 0,
      following: 0,
      created_at: createdAt,
      updated_at: createdAt,
      private_gists: 0,
      total_private_repos: 0,
      owned_private_repos: 0,
      disk_usage: 0,
      collaborators: 0,
      two_factor_authentication: true,
    },
  };
}

function getRateLimit({ rate }: Call): Reply {
  const search = { limit: 30, remaining: 30, used: 0, reset: rate.reset };
  return { status: 200, body: { resources: { core: rate, search }, rate } };
}

export const accountRoutes: Readonly<Record<string, Route>> = {
  'rate-limit/get': getRateLimit,
  'repos/get': getRepository,
  'users/get-authenticated': getAuthenticatedUser,
};
