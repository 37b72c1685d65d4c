import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPERATIONS } from './control.ts';
import { accessDenied, LambdaApiError } from './errors.ts';
import { FunctionStore } from './functions.ts';
import { Instance } from './instance.ts';
import { type ApiResponse, invoke } from './invoke.ts';
import { LayerStore } from './layers.ts';
import { type FunctionReference, functionArn, layerArn, parseFunctionName } from './names.ts';
import { guard } from './processes.ts';
import { findRoute, type Route } from './routes.ts';
import { Scheduler } from './scheduler.ts';

/** Largest request body in bytes, as Lambda states it for archives in a request. */
const MAX_REQUEST_BYTES = 70_167_211;

/** How a Lambda service on loopback is set up. */
export interface LambdaOptions {
  readonly region: string;
  readonly accountId: string;
  /** Default: any free port. */
  readonly port?: number;
  /**
   * Who may call. The access key is read from the Authorization header; signatures are not verified. Empty or absent:
   * everybody. `allows` gets an IAM action such as `lambda:InvokeFunction` and an ARN; absent, it allows everything.
   */
  readonly credentials?: readonly {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly allows?: (action: string, resource: string) => boolean;
  }[];
  /** Environment every instance gets, e.g. AWS_ENDPOINT_URL_S3 and the function role's credentials. */
  readonly functionEnvironment?: Readonly<Record<string, string>>;
  /** Whether instances are stopped between invocations. Default true. */
  readonly freeze?: boolean;
  /** Concurrent executions of the account. Default 1000. */
  readonly accountConcurrency?: number;
  /** How often GetFunction and GetFunctionConfiguration show a new or changed version as unfinished. Default 0. */
  readonly pendingPolls?: number;
  /** May answer a request itself, and then returns true. */
  readonly intercept?: (
    request: IncomingMessage,
    response: ServerResponse,
    operation: string,
  ) => boolean | Promise<boolean>;
}

/** A running Lambda service. */
export interface LambdaServer {
  url: string;
  /** Every request that was answered, in the order of the answers. */
  requests: { operation: string; functionName: string; qualifier: string; status: number; requestId: string }[];
  /** The instances that exist now. */
  instances(): {
    id: string;
    pid: number;
    functionName: string;
    version: string;
    invocations: number;
    frozen: boolean;
  }[];
  /** Ends everything: connections, processes, and the directory with the unpacked code. */
  close(): Promise<void>;
}

/** A request whose operation and names are known. */
interface RoutedRequest {
  readonly route: Route;
  readonly reference: FunctionReference;
  /** Name of the alias or the layer in the path. */
  readonly name: string;
  readonly body: Buffer;
}

/**
 * Starts AWS Lambda on 127.0.0.1: control plane, Invoke, and instances that are real processes. What is not part of it
 * is answered with 404 UnknownOperationException.
 */
export async function startLambda(options: LambdaOptions): Promise<LambdaServer> {
  const { region, accountId, functionEnvironment = {}, freeze = true, accountConcurrency = 1_000 } = options;
  const scope = { region, accountId };
  const root = mkdtempSync(join(tmpdir(), 'lambda-'));
  const removeRoot = guard(root);
  const logDirectory = join(root, 'log');
  mkdirSync(logDirectory);
  const requests: LambdaServer['requests'] = [];

  const layers = new LayerStore(scope, join(root, 'opt'));
  const scheduler = new Scheduler((version) => {
    const directories = { task: version.code.directory, opt: layers.optDirectory(version.layers) };
    return new Instance({ version, directories, region, functionEnvironment, freeze, logDirectory });
  });
  const pendingPolls = options.pendingPolls ?? 0;
  const store = new FunctionStore(scope, layers, join(root, 'code'), pendingPolls, (version) =>
    scheduler.retire(version),
  );
  const limits = (functionName: string) => ({
    reserved: store.get(functionName).reservedConcurrency,
    unreserved: accountConcurrency - store.reservedConcurrency(),
  });

  async function perform(routed: RoutedRequest, headers: IncomingMessage['headers'], requestId: string) {
    const { route, reference, name, body } = routed;
    if (route.operation !== 'Invoke') {
      const plane = { scope, store, layers, accountConcurrency };
      return json(route.status, OPERATIONS[route.operation]!({ reference, name, body: parseBody(body) }, plane));
    }
    const header = (key: string) => headers[key] as string | undefined;
    return invoke(
      {
        reference,
        requestId,
        invocationType: header('x-amz-invocation-type') ?? 'RequestResponse',
        logType: header('x-amz-log-type') ?? 'None',
        clientContext: header('x-amz-client-context'),
        payload: body,
      },
      store,
      scheduler,
      limits,
    );
  }

  /** The function a request is about: in the path, except for a new function; for some operations there is none. */
  function referenceOf(operation: string, inPath: string, qualifier: string | null, body: Buffer): FunctionReference {
    if (operation === 'CreateFunction') {
      return parseFunctionName(String(parseBody(body).FunctionName ?? ''), null, scope);
    }
    return inPath === '' ? { ...scope, name: '', qualifier: undefined } : parseFunctionName(inPath, qualifier, scope);
  }

  /** Refuses strangers, callers without a permission, other regions and other accounts, in the order of AWS. */
  function authorize({ route, reference, name }: RoutedRequest, authorization: string | undefined) {
    const action = `lambda:${route.operation === 'Invoke' ? 'InvokeFunction' : route.operation}`;
    const resource =
      route.operation === 'GetAccountSettings'
        ? '*'
        : route.operation === 'PublishLayerVersion'
          ? layerArn(scope, name)
          : functionArn(reference, reference.name, reference.qualifier);
    const known = options.credentials ?? [];
    if (known.length > 0) {
      const accessKeyId = /Credential=([^/]+)\//.exec(authorization ?? '')?.[1];
      if (accessKeyId === undefined) {
        throw new LambdaApiError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
      }
      const caller = known.find((candidate) => candidate.accessKeyId === accessKeyId);
      if (caller === undefined) {
        throw new LambdaApiError(
          403,
          'UnrecognizedClientException',
          'The security token included in the request is invalid.',
        );
      }
      if (caller.allows?.(action, resource) === false) throw accessDenied(accountId, action, resource);
    }
    if (reference.region !== region) {
      const message = `Functions from '${reference.region}' are not reachable in this region ('${region}')`;
      throw new LambdaApiError(404, 'ResourceNotFoundException', message);
    }
    if (reference.accountId !== accountId) throw accessDenied(accountId, action, resource, 'resource-based');
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const found = findRoute(request.method ?? '', pathname);
    const operation = found?.route.operation ?? 'Unknown';
    let functionName = found?.functionName ?? '';
    let qualifier = searchParams.get('Qualifier') ?? '';
    response.once('finish', () => {
      requests.push({ operation, functionName, qualifier, status: response.statusCode, requestId });
    });
    if (await options.intercept?.(request, response, operation)) return;
    let answer: ApiResponse;
    try {
      if (found === undefined) {
        throw new LambdaApiError(404, 'UnknownOperationException', 'There is no such operation.');
      }
      const body = await readBody(request);
      const reference = referenceOf(operation, found.functionName, searchParams.get('Qualifier'), body);
      functionName = reference.name;
      qualifier = reference.qualifier ?? '';
      const routed = { route: found.route, reference, name: found.name, body };
      authorize(routed, request.headers.authorization);
      answer = await perform(routed, request.headers, requestId);
    } catch (error) {
      answer = errorResponse(error);
    }
    request.resume(); // What was not read is of no interest, but has to leave the connection.
    const headers = { ...answer.headers, 'X-Amzn-Requestid': requestId, 'Content-Length': String(answer.body.length) };
    if (!response.destroyed) response.writeHead(answer.status, headers).end(answer.body);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000; // Longer than clients pool idle connections between two calls of a test.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  }).catch((error) => {
    removeRoot();
    throw error;
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    instances: () =>
      scheduler.instances.map(({ id, pid, version, invocations, frozen }) => ({
        id,
        pid: pid!,
        functionName: version.functionName,
        version: version.version,
        invocations,
        frozen,
      })),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await scheduler.close();
      await closed;
      removeRoot();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) {
      const message = `Request must be smaller than ${MAX_REQUEST_BYTES} bytes`;
      throw new LambdaApiError(413, 'RequestEntityTooLargeException', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseBody(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new LambdaApiError(400, 'InvalidRequestContentException', message);
  }
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ApiResponse {
  const text = body === undefined ? '' : JSON.stringify(body);
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: Buffer.from(text) };
}

function errorResponse(error: unknown): ApiResponse {
  const known =
    error instanceof LambdaApiError ? error : new LambdaApiError(500, 'ServiceException', (error as Error).message);
  return json(known.status, known.body(), { 'X-Amzn-Errortype': known.exception });
}
