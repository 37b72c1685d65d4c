import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Largest response of a function, in bytes: 6 MB and 100 bytes, as the error message of Lambda states it. */
const MAX_RESPONSE_BYTES = 6_291_556;
const MAX_EXTENSIONS = 10;

/** An event for the runtime, and in part for extensions. */
export interface InvokeEvent {
  readonly requestId: string;
  readonly payload: Buffer;
  readonly invokedFunctionArn: string;
  readonly deadlineEpochMs: number;
  readonly traceId: string;
  /** JSON. */
  readonly clientContext: string | undefined;
}

/** What a runtime posted for an invocation, or for its initialization. */
export interface Posted {
  readonly body: Buffer;
  /** Present when it is an error. */
  readonly errorType: string | undefined;
}

/** Why an instance is shut down, in the words of the Extensions API. */
export type ShutdownReason = 'spindown' | 'timeout' | 'failure';

interface Extension {
  readonly name: string;
  readonly events: ReadonlySet<string>;
  readonly external: boolean;
  next: ServerResponse | undefined;
}

/** What the function is told about itself when an extension registers. */
export interface FunctionMetadata {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
}

/**
 * The Runtime API (2018-06-01) and the Extensions API (2020-01-01) of one instance, on a port of its own: the port is
 * what tells instances apart. The documentation of the two APIs is the source of paths, headers and states.
 */
export class RuntimeApi {
  readonly #server: Server;
  readonly #metadata: FunctionMetadata;
  readonly #externalNames: readonly string[];
  readonly #extensions = new Map<string, Extension>();
  readonly #initError = Promise.withResolvers<Posted>();
  #runtimeNext: ServerResponse | undefined;
  #initialized = false;
  #ready = Promise.withResolvers<void>();
  #current: { requestId: string; posted: (posted: Posted) => void } | undefined;

  private constructor(metadata: FunctionMetadata, externalNames: readonly string[]) {
    this.#metadata = metadata;
    this.#externalNames = externalNames;
    this.#server = createServer((request, response) => {
      this.#route(request, response).catch(() => response.destroy());
    });
    // A frozen process may hold a connection for any length of time.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
  }

  /** Starts listening. `externalNames` are the file names of the extensions that will register before the runtime. */
  static async listen(metadata: FunctionMetadata, externalNames: readonly string[]): Promise<RuntimeApi> {
    const api = new RuntimeApi(metadata, externalNames);
    await new Promise<void>((resolve, reject) => {
      api.#server.once('error', reject);
      api.#server.listen(0, '127.0.0.1', resolve);
    });
    return api;
  }

  /** `host:port`, for AWS_LAMBDA_RUNTIME_API. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the runtime and every extension wait for their next event. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when the runtime reports that it could not initialize. */
  get initError(): Promise<Posted> {
    return this.#initError.promise;
  }

  /** Which kinds of extensions have registered. */
  get extensions(): { internal: boolean; external: boolean } {
    const kinds = [...this.#extensions.values()].map((extension) => extension.external);
    return { internal: kinds.includes(false), external: kinds.includes(true) };
  }

  /** Hands an event to the waiting runtime and extensions; resolves with what the runtime posts for it. */
  deliver(event: InvokeEvent): Promise<Posted> {
    const { promise, resolve } = Promise.withResolvers<Posted>();
    this.#current = { requestId: event.requestId, posted: resolve };
    this.#ready = Promise.withResolvers<void>();
    for (const extension of this.#extensions.values()) {
      if (!extension.events.has('INVOKE')) continue;
      this.#answerExtension(extension, {
        eventType: 'INVOKE',
        deadlineMs: event.deadlineEpochMs,
        requestId: event.requestId,
        invokedFunctionArn: event.invokedFunctionArn,
        tracing: { type: 'X-Amzn-Trace-Id', value: event.traceId },
      });
    }
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      'Content-Length': String(event.payload.length),
      'Lambda-Runtime-Aws-Request-Id': event.requestId,
      'Lambda-Runtime-Deadline-Ms': String(event.deadlineEpochMs),
      'Lambda-Runtime-Invoked-Function-Arn': event.invokedFunctionArn,
      'Lambda-Runtime-Trace-Id': event.traceId,
    };
    if (event.clientContext !== undefined) {
      // The bytes of UTF-8, one character each: what Node writes into a header.
      headers['Lambda-Runtime-Client-Context'] = Buffer.from(event.clientContext).toString('latin1');
    }
    this.#runtimeNext?.writeHead(200, headers).end(event.payload);
    this.#runtimeNext = undefined;
    return promise;
  }

  /** Sends SHUTDOWN to the external extensions that asked for it. */
  shutdown(shutdownReason: ShutdownReason, deadlineMs: number): void {
    for (const extension of this.#extensions.values()) {
      if (extension.events.has('SHUTDOWN')) {
        this.#answerExtension(extension, { eventType: 'SHUTDOWN', shutdownReason, deadlineMs });
      }
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const call = `${request.method} ${path}`;
    if (call === 'GET /2018-06-01/runtime/invocation/next') return this.#nextInvocation(response);
    if (call === 'POST /2018-06-01/runtime/init/error') return this.#postInitError(request, response);
    const outcome = /^POST \/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(call);
    if (outcome !== null) return this.#postOutcome(outcome[1]!, outcome[2] === 'error', request, response);
    if (call === 'POST /2020-01-01/extension/register') return this.#register(request, response);
    if (path.startsWith('/2020-01-01/extension/')) return this.#extensionCall(call, request, response);
    request.resume();
    fail(response, 404, 'NotFound', `There is no ${call} in the Runtime API.`);
  }

  #nextInvocation(response: ServerResponse) {
    if (this.#runtimeNext !== undefined && !this.#runtimeNext.destroyed) {
      fail(response, 403, 'InvalidStateTransition', 'The runtime waits for an invocation already.');
      return;
    }
    this.#runtimeNext = response;
    this.#checkReady();
  }

  async #postInitError(request: IncomingMessage, response: ServerResponse) {
    const { body } = await readBody(request);
    const errorType = header(request, 'lambda-runtime-function-error-type') ?? 'Runtime.Unknown';
    accept(response);
    this.#initError.resolve({ body, errorType });
  }

  async #postOutcome(requestId: string, isError: boolean, request: IncomingMessage, response: ServerResponse) {
    const { body, tooLarge } = await readBody(request);
    const current = this.#current;
    if (current?.requestId !== requestId) {
      fail(response, 400, 'InvalidRequestID', 'Invalid request ID');
      return;
    }
    this.#current = undefined;
    if (tooLarge) {
      fail(
        response,
        413,
        'RequestEntityTooLarge',
        `Exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
      );
      const errorType = 'Function.ResponseSizeTooLarge';
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`;
      current.posted({ body: Buffer.from(JSON.stringify({ errorMessage, errorType })), errorType });
      return;
    }
    accept(response);
    // A streamed response that fails midway says so in trailers, with the error itself in base64.
    const trailer = request.trailers['lambda-runtime-function-error-type'];
    if (trailer !== undefined) {
      const error = request.trailers['lambda-runtime-function-error-body'] ?? '';
      current.posted({ body: Buffer.from(error, 'base64'), errorType: trailer });
      return;
    }
    const errorType = isError ? (header(request, 'lambda-runtime-function-error-type') ?? 'Unhandled') : undefined;
    current.posted({ body, errorType });
  }

  async #register(request: IncomingMessage, response: ServerResponse) {
    const { body } = await readBody(request);
    const name = header(request, 'lambda-extension-name') ?? '';
    const external = this.#externalNames.includes(name);
    const refuse = (errorType: string, message: string) => fail(response, 403, errorType, message);
    if (name === '') return refuse('Extension.InvalidExtensionName', 'Empty extension name');
    const events = parseEvents(body);
    if (events === undefined) return refuse('InvalidRequestFormat', 'The body is not {"events": […]}.');
    for (const event of events) {
      if (event !== 'INVOKE' && event !== 'SHUTDOWN') {
        return refuse('Extension.InvalidEventType', `${event}: ErrorInvalidEventType`);
      }
      if (event === 'SHUTDOWN' && !external) {
        return refuse('Extension.InvalidEventType', `${event}: ShutdownEventNotSupportedForInternalExtension`);
      }
    }
    // External extensions are started together with the runtime, not before it, and may be the slower ones.
    if (this.#initialized || (this.#runtimeNext !== undefined && !external)) {
      return refuse('Extension.RegistrationClosed', 'Extension registration closed already');
    }
    if ([...this.#extensions.values()].some((extension) => extension.name === name)) {
      return refuse('Extension.InvalidExtensionState', 'Extension with this name already registered');
    }
    if (this.#extensions.size >= MAX_EXTENSIONS) {
      return refuse('Extension.TooManyExtensions', `Extension limit (${MAX_EXTENSIONS}) reached`);
    }
    const identifier = randomUUID();
    this.#extensions.set(identifier, { name, external, events: new Set(events), next: undefined });
    sendJson(response, 200, this.#metadata, { 'Lambda-Extension-Identifier': identifier });
  }

  async #extensionCall(call: string, request: IncomingMessage, response: ServerResponse) {
    await readBody(request);
    const identifier = header(request, 'lambda-extension-identifier') ?? '';
    const extension = this.#extensions.get(identifier);
    if (extension === undefined) {
      fail(response, 403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${identifier}`);
    } else if (call === 'GET /2020-01-01/extension/event/next') {
      extension.next = response;
      this.#checkReady();
    } else if (/^POST \/2020-01-01\/extension\/(init|exit)\/error$/.test(call)) {
      accept(response);
      const errorType = header(request, 'lambda-extension-function-error-type') ?? 'Extension.Crash';
      const errorMessage = `The extension ${extension.name} reported an error.`;
      this.#initError.resolve({ body: Buffer.from(JSON.stringify({ errorType, errorMessage })), errorType });
    } else {
      fail(response, 404, 'NotFound', `There is no ${call} in the Extensions API.`);
    }
  }

  #answerExtension(extension: Extension, event: Readonly<Record<string, unknown>>) {
    const { next } = extension;
    extension.next = undefined;
    if (next !== undefined) sendJson(next, 200, event, { 'Lambda-Extension-Event-Identifier': randomUUID() });
  }

  #checkReady() {
    const extensions = [...this.#extensions.values()];
    const registered = (name: string) => extensions.some((extension) => extension.name === name);
    if (this.#runtimeNext === undefined || !this.#externalNames.every(registered)) return;
    if (extensions.some((extension) => extension.next === undefined)) return;
    this.#initialized = true;
    this.#ready.resolve();
  }
}

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Reads a body to its end; of one that is too large only the fact is kept. */
async function readBody(request: IncomingMessage): Promise<{ body: Buffer; tooLarge: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_RESPONSE_BYTES) chunks.push(chunk);
  }
  const tooLarge = bytes > MAX_RESPONSE_BYTES;
  return { body: tooLarge ? Buffer.alloc(0) : Buffer.concat(chunks), tooLarge };
}

function parseEvents(body: Buffer): string[] | undefined {
  try {
    const { events } = JSON.parse(body.toString() || '{}') as { events?: unknown };
    if (events === undefined || events === null) return []; // aws-lambda-go registers with null.
    return Array.isArray(events) ? events.map(String) : undefined;
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = JSON.stringify(body);
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json', 'Content-Length': length }).end(text);
}

const accept = (response: ServerResponse) => sendJson(response, 202, { status: 'OK' });

const fail = (response: ServerResponse, status: number, errorType: string, errorMessage: string) =>
  sendJson(response, status, { errorMessage, errorType });
