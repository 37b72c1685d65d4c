import { randomBytes } from 'node:crypto';
import { invalidParameter, LambdaApiError } from './errors.ts';
import type { FunctionStore } from './functions.ts';
import type { Invocation } from './instance.ts';
import { type FunctionReference, functionArn } from './names.ts';
import type { ConcurrencyLimits, Scheduler, StartedInvocation } from './scheduler.ts';

/** Largest payload in bytes by invocation type. */
const MAX_PAYLOAD_BYTES = { RequestResponse: 6_291_456, Event: 1_048_576, DryRun: 6_291_456 } as const;
/** Longest client context in bytes of base64. */
const MAX_CLIENT_CONTEXT_BYTES = 3_583;

type InvocationType = keyof typeof MAX_PAYLOAD_BYTES;

/** An Invoke request, read off the wire. */
export interface InvokeRequest {
  readonly reference: FunctionReference;
  readonly requestId: string;
  /** `X-Amz-Invocation-Type`. */
  readonly invocationType: string;
  /** `X-Amz-Log-Type`. */
  readonly logType: string;
  /** `X-Amz-Client-Context`, base64. */
  readonly clientContext: string | undefined;
  readonly payload: Buffer;
}

/** An answer as it goes over the wire. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Handles Invoke: checks the request, runs the function, and renders the response. With `LogType=Tail` the answer waits
 * for the REPORT line, that is for the end of the invocation including extensions; otherwise it is given as soon as the
 * runtime has posted its response. An `Event` is answered at once and waits for free concurrency; unlike on Lambda, a
 * failed one is not tried again.
 * @throws LambdaApiError
 */
export async function invoke(
  request: InvokeRequest,
  store: FunctionStore,
  scheduler: Scheduler,
  limits: (functionName: string) => ConcurrencyLimits,
): Promise<ApiResponse> {
  const { reference, requestId } = request;
  const type = invocationType(request.invocationType);
  checkPayload(request.payload, type);
  const clientContext = decodeClientContext(request.clientContext);
  const resolve = () => store.resolveForInvoke(reference.name, reference.qualifier, Math.random());
  const version = resolve();
  const traceId = newTraceId();
  const headers = { 'X-Amzn-Trace-Id': traceId };
  if (type === 'DryRun') return { status: 204, headers, body: Buffer.alloc(0) };
  const invocation: Invocation = {
    requestId,
    payload: request.payload.length === 0 ? Buffer.from('{}') : request.payload,
    invokedFunctionArn: functionArn(reference, reference.name, reference.qualifier),
    traceId,
    clientContext: type === 'Event' ? undefined : clientContext,
  };
  if (type === 'Event') {
    const start = () => scheduler.invoke(resolve(), invocation, limits(reference.name));
    startWhenPossible(start, scheduler).catch(() => {}); // Nobody waits for the outcome.
    return { status: 202, headers, body: Buffer.alloc(0) };
  }
  const { response, tail } = scheduler.invoke(version, invocation, limits(reference.name));
  const { payload, functionError } = await response;
  return {
    status: 200,
    headers: {
      ...headers,
      'Content-Type': 'application/json',
      'X-Amz-Executed-Version': version.version,
      ...(functionError ? { 'X-Amz-Function-Error': 'Unhandled' } : {}),
      ...(request.logType === 'Tail' ? { 'X-Amz-Log-Result': (await tail).toString('base64') } : {}),
    },
    body: payload,
  };
}

/** Starts an event as soon as there is concurrency for it, with the code of that moment. */
async function startWhenPossible(start: () => StartedInvocation, scheduler: Scheduler): Promise<void> {
  for (;;) {
    try {
      await start().tail;
      return;
    } catch (error) {
      if (!(error instanceof LambdaApiError && error.status === 429)) throw error;
      await scheduler.nextRelease();
    }
  }
}

function invocationType(text: string): InvocationType {
  if (Object.hasOwn(MAX_PAYLOAD_BYTES, text)) return text as InvocationType;
  throw invalidParameter(`Value ${text} at 'invocationType' is not RequestResponse, Event or DryRun.`);
}

function checkPayload(payload: Buffer, type: InvocationType) {
  const limitBytes = MAX_PAYLOAD_BYTES[type];
  if (payload.length > limitBytes) {
    throw new LambdaApiError(
      413,
      'RequestTooLargeException',
      `${payload.length} byte payload is too large for the ${type} invocation type (limit ${limitBytes} bytes)`,
    );
  }
  if (payload.length > 0) parseJson(payload.toString(), 'Could not parse request body into json');
}

function decodeClientContext(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  if (base64.length > MAX_CLIENT_CONTEXT_BYTES) {
    throw new LambdaApiError(
      400,
      'InvalidRequestContentException',
      `Client context must be at most ${MAX_CLIENT_CONTEXT_BYTES} bytes of base64, but has ${base64.length}.`,
    );
  }
  const message = 'Client context must be a valid Base64-encoded JSON object.';
  return JSON.stringify(parseJson(Buffer.from(base64, 'base64').toString(), message));
}

function parseJson(text: string, message: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LambdaApiError(400, 'InvalidRequestContentException', `${message}: ${(error as Error).message}`);
  }
}

/** A trace header as X-Ray writes it, for a trace that is not sampled. */
function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1_000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
