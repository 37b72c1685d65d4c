/** One operation of the API: how a request for it looks, and what it answers with when all goes well. */
export interface Route {
  readonly operation: string;
  readonly method: string;
  /** Groups: `functionName`, and `name` of an alias or a layer, both still URL-escaped. */
  readonly path: RegExp;
  readonly status: number;
}

const route = (operation: string, method: string, path: string, status: number): Route => ({
  operation,
  method,
  path: new RegExp(`^${path.replace('{F}', '(?<functionName>[^/]+)').replace('{N}', '(?<name>[^/]+)')}/?$`),
  status,
});

// Methods, paths and statuses from the service's API model.
const ROUTES: readonly Route[] = [
  route('Invoke', 'POST', '/2015-03-31/functions/{F}/invocations', 200),
  route('CreateFunction', 'POST', '/2015-03-31/functions', 201),
  route('GetFunction', 'GET', '/2015-03-31/functions/{F}', 200),
  route('DeleteFunction', 'DELETE', '/2015-03-31/functions/{F}', 204),
  route('GetFunctionConfiguration', 'GET', '/2015-03-31/functions/{F}/configuration', 200),
  route('UpdateFunctionConfiguration', 'PUT', '/2015-03-31/functions/{F}/configuration', 200),
  route('UpdateFunctionCode', 'PUT', '/2015-03-31/functions/{F}/code', 200),
  route('PublishVersion', 'POST', '/2015-03-31/functions/{F}/versions', 201),
  route('ListVersionsByFunction', 'GET', '/2015-03-31/functions/{F}/versions', 200),
  route('CreateAlias', 'POST', '/2015-03-31/functions/{F}/aliases', 201),
  route('GetAlias', 'GET', '/2015-03-31/functions/{F}/aliases/{N}', 200),
  route('UpdateAlias', 'PUT', '/2015-03-31/functions/{F}/aliases/{N}', 200),
  route('PublishLayerVersion', 'POST', '/2018-10-31/layers/{N}/versions', 201),
  route('PutFunctionConcurrency', 'PUT', '/2017-10-31/functions/{F}/concurrency', 200),
  route('GetFunctionConcurrency', 'GET', '/2019-09-30/functions/{F}/concurrency', 200),
  route('GetProvisionedConcurrencyConfig', 'GET', '/2019-09-30/functions/{F}/provisioned-concurrency', 200),
  route('GetAccountSettings', 'GET', '/2016-08-19/account-settings', 200),
];

/** A request's route with the decoded names of its path; undefined for an operation that does not exist here. */
export function findRoute(method: string, path: string) {
  for (const candidate of ROUTES) {
    const match = candidate.method === method ? candidate.path.exec(path) : null;
    if (match === null) continue;
    const { functionName, name } = match.groups ?? {};
    return { route: candidate, functionName: decode(functionName), name: decode(name) };
  }
  return undefined;
}

function decode(escaped: string | undefined): string {
  try {
    return decodeURIComponent(escaped ?? '');
  } catch {
    return escaped ?? ''; // Not an escape: the name is refused later, as it stands.
  }
}
