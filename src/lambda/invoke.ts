import {
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { explainAwsError, readAwsFailure, wasSkewed } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import { MeasurementError } from '../errors.ts';
import { isOfLambda } from './calls.ts';
import { type InvocationReport, parseInvocationReport } from './invocation-report.ts';
import { requestTimes } from './request-times.ts';
import { encodeRunMarks, type RunMarks } from './run-protocol.ts';
import type { Target } from './target.ts';

/**
 * - `succeeded`: the handler returned.
 * - `function-error`: it threw, timed out or crashed; it ran.
 * - `throttled`: Lambda refused before running anything; safe to send again.
 * - `service-error`: Lambda answered 5xx; it may have run.
 * - `ambiguous`: no answer; nobody knows whether it ran, so it is never sent again.
 */
export type InvocationStatus = 'succeeded' | 'function-error' | 'throttled' | 'service-error' | 'ambiguous';

/** One call of Invoke, complete: nothing about it is kept anywhere else. Times are monotonic milliseconds. */
export interface Invocation {
  op: RunMarks['op'];
  /** When it was due: in an open loop by the schedule, otherwise when it was sent. Latency counts from here. */
  scheduledMs: number;
  /** How long after that the sender got to it: building and signing a request is not in it. */
  lateMs: number;
  /** The last attempt. */
  sentMs: number;
  receivedMs: number;
  /** How often it was sent: all but the last attempt were throttled. */
  attempts: number;
  status: InvocationStatus;
  /** Code of the failure: the handler's error type, or AWS's error code. Untrusted text. */
  errorType?: string;
  executedVersion?: string;
  requestId?: string;
  report?: InvocationReport;
}

export interface Answer {
  invocation: Invocation;
  /** The handler's result, or its error object. Never stored, never shown. */
  payload: Uint8Array;
}

/**
 * Sends one event to the target. Resolves for every outcome that belongs to the measurement.
 * `abandon` gives up a call in flight: it becomes ambiguous.
 */
export type Invoke = (payload: Uint8Array, marks: RunMarks, abandon?: AbortSignal) => Promise<Answer>;

/** A client of the SDK that does nothing but invoke. */
export type Invoker = Pick<LambdaClient, 'config' | 'middlewareStack'>;

/** A call that was sent once, when it was due. */
const once = (sentMs: number, receivedMs: number, metadata: unknown) => {
  const times = requestTimes(metadata);
  const leftMs = times?.requestSentMs ?? sentMs;
  return { scheduledMs: leftMs, lateMs: 0, sentMs: leftMs, receivedMs: times?.answerReadMs ?? receivedMs, attempts: 1 };
};

/**
 * An `Invoke` over the AWS SDK. The client must not retry (`maxAttempts: 1`): a retry runs the user's function again.
 * @throws MeasurementError (from the returned function) for failures that every further call would meet too
 */
export function createInvoke(client: Invoker, target: Target, clock: Clock): Invoke {
  const sendOnce = createSend(client, clock);
  return async (payload, marks, abandon) => {
    const command = new InvokeCommand({
      FunctionName: target.invokeName,
      Qualifier: target.version,
      LogType: 'Tail',
      ClientContext: encodeRunMarks(marks),
      Payload: payload,
    });
    const sentMs = clock.monotonicMs();
    try {
      const send = () => sendOnce(command, abandon);
      // Refused before anything ran, and the client has set its clock by the answer.
      const output = await send().catch((error: unknown) => (wasSkewed(error) ? send() : Promise.reject(error)));
      return answered(output, marks.op, sentMs, clock.monotonicMs(), target);
    } catch (error) {
      if (error instanceof MeasurementError) throw error;
      return unanswered(error, marks.op, sentMs, clock.monotonicMs(), target);
    }
  };
}

/** AWS takes a signature for five minutes; credentials may be renewed sooner. */
const SIGNED_FOR_MS = 20_000;

/** What is left to do with a signed request. */
type SendSigned = (args: { input: InvokeCommandInput; request: unknown }) => Promise<{ output: InvokeCommandOutput }>;

interface Signed {
  context: string | undefined;
  request: unknown;
  signedMs: number;
}

/**
 * Sends a command as the `send` of its client does, with two things done once and not for every call: the SDK's
 * middleware is composed for each signal, and equal calls go out with one signature while it is young. Building and
 * signing a request takes longer than sending it, and whatever is answered meanwhile waits.
 */
function createSend({ middlewareStack, config }: Invoker, clock: Clock) {
  const signed = new WeakMap<Uint8Array, Signed>();
  const compose = (command: InvokeCommand, abandon?: AbortSignal) => {
    let sendSigned!: SendSigned;
    const keepSigned = (next: SendSigned): SendSigned => {
      sendSigned = next;
      return (args) => {
        const { Payload, ClientContext } = args.input;
        const known = { context: ClientContext, request: args.request, signedMs: clock.monotonicMs() };
        if (Payload) signed.set(Payload as Uint8Array, known);
        return next(args);
      };
    };
    const stack = middlewareStack.clone();
    stack.addRelativeTo(keepSigned as unknown as Parameters<typeof stack.addRelativeTo>[0], {
      relation: 'after',
      toMiddleware: 'httpSigningMiddleware',
      name: 'keepSigned',
    });
    const send = command.resolveMiddleware(stack, config, { ...(abandon && { abortSignal: abandon }) });
    return { send, sendSigned };
  };
  let anyTime: ReturnType<typeof compose> | undefined;
  const until = new WeakMap<AbortSignal, ReturnType<typeof compose>>();
  return async (command: InvokeCommand, abandon?: AbortSignal): Promise<InvokeCommandOutput> => {
    let composed = abandon ? until.get(abandon) : anyTime;
    if (!composed) {
      composed = compose(command, abandon);
      if (abandon) until.set(abandon, composed);
      else anyTime = composed;
    }
    const { input } = command;
    const known = signed.get(input.Payload as Uint8Array);
    if (known && known.context === input.ClientContext && clock.monotonicMs() - known.signedMs < SIGNED_FOR_MS)
      try {
        return (await composed.sendSigned({ input, request: known.request })).output;
      } catch (error) {
        // Refused before anything ran, perhaps for the signature: it is made anew.
        if (readAwsFailure(error).status !== 403) throw error;
        signed.delete(input.Payload as Uint8Array);
      }
    return (await composed.send(command)).output;
  };
}

function answered(
  output: InvokeCommandOutput,
  op: RunMarks['op'],
  sentMs: number,
  receivedMs: number,
  target: Target,
): Answer {
  const requestId = output.$metadata.requestId;
  const executedVersion = output.ExecutedVersion;
  if (!isOfLambda(output))
    return {
      invocation: { op, ...once(sentMs, receivedMs, output.$metadata), status: 'ambiguous', errorType: 'NotLambda' },
      payload: new Uint8Array(),
    };
  if (executedVersion !== undefined && executedVersion !== target.version)
    throw new MeasurementError(
      `Cannot measure ${target.functionName}:${target.version}: Lambda ran version ${executedVersion}.`,
      'Run the job again; if it stays so, give the version number as qualifier.',
    );
  const logTail = output.LogResult ? Buffer.from(output.LogResult, 'base64').toString() : '';
  const report = parseInvocationReport(logTail, requestId);
  const payload = output.Payload ?? new Uint8Array();
  const failed = output.FunctionError !== undefined;
  return {
    invocation: {
      op,
      ...once(sentMs, receivedMs, output.$metadata),
      status: failed ? 'function-error' : 'succeeded',
      ...(failed && { errorType: errorTypeOf(payload) }),
      ...(executedVersion !== undefined && { executedVersion }),
      ...(requestId !== undefined && { requestId }),
      ...(report && { report }),
    },
    payload,
  };
}

/** Only the type of a handler's error is read: its message may quote the payload. */
function errorTypeOf(payload: Uint8Array): string {
  try {
    const { errorType } = JSON.parse(new TextDecoder().decode(payload.subarray(0, 64 * 1024))) as {
      errorType?: unknown;
    };
    return typeof errorType === 'string' ? errorType.replace(/[^\w.$-]/g, '?').slice(0, 80) : 'Unknown';
  } catch {
    return 'Unknown';
  }
}

const NOT_READY_YET = new Set(['ENINotReadyException', 'ResourceNotReadyException', 'EC2ThrottledException']);

function unanswered(error: unknown, op: RunMarks['op'], sentMs: number, receivedMs: number, target: Target): Answer {
  const failure = readAwsFailure(error);
  const record = (status: InvocationStatus): Answer => ({
    invocation: {
      op,
      ...once(sentMs, receivedMs, (error as { $metadata?: unknown } | null)?.$metadata),
      status,
      errorType: failure.code,
    },
    payload: new Uint8Array(),
  });
  if (failure.status === 429) return record('throttled');
  // 2xx: the function ran, but its answer was cut off.
  if (failure.status < 300 && failure.code !== 'CredentialsProviderError') return record('ambiguous');
  if (failure.status === 500 || failure.status === 503 || failure.status === 504 || NOT_READY_YET.has(failure.code))
    return record('service-error');
  const label = `${target.functionName}:${target.version}`;
  if (failure.status === 404)
    throw new MeasurementError(
      `Cannot invoke ${label}: it does not exist any more.`,
      'Let nothing delete or replace the function while it is measured.',
      [{ what: `Invoke ${label}`, state: 'failed', found: failure.code }],
      { cause: error },
    );
  if (failure.status === 409)
    throw new MeasurementError(
      `Cannot invoke ${label}: Lambda is still changing it (${failure.code}).`,
      'Let the deploy step wait until the function is active and updated, and let nothing else deploy meanwhile.',
      [{ what: `Invoke ${label}`, state: 'failed', found: `${failure.code} (HTTP 409)` }],
      { cause: error },
    );
  if (failure.status === 400 && failure.code === 'InvalidRequestContentException')
    throw new MeasurementError(
      `Cannot invoke ${label}: Lambda does not accept the payload.`,
      'Check the input payload: it must be a JSON document.',
      [{ what: `Invoke ${label}`, state: 'failed', found: failure.code }],
      { cause: error },
    );
  throw explainAwsError(error, `invoke ${label}`, 'lambda:InvokeFunction');
}
