/**
 * The run protocol: what the gate writes into `ClientContext.custom` of an invocation, and what a flush answers.
 * The event itself is never touched, so a function behaves the same with and without the agent.
 */

/** What one invocation says about itself. `run` and `commit` are null when absent or not well formed. */
export interface Mark {
  readonly op: 'invoke' | 'flush' | 'warmup';
  readonly run: string | null;
  readonly commit: string | null;
  /** How long a flush waits before it answers, so that concurrent flushes land on different instances. */
  readonly holdMs: number;
}

/** One object written by a flush. */
export interface Published {
  readonly type: string;
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

/** Why a profile type is missing from the reply. */
export interface Failure {
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** The body a flush answers with, instead of the handler's result. */
export interface FlushReply {
  readonly 'lambda-profile': {
    readonly v: 1;
    readonly instance: string;
    /** '' when the flush named none. */
    readonly run: string;
    readonly invocations: number;
    readonly errors: number;
    readonly cpuMs: number;
    readonly activeMs: number;
    /** The first eight digits of the request id of every invocation, one after the other; the first 4,000. */
    readonly requests: string;
    readonly published: readonly Published[];
    readonly failures: readonly Failure[];
  };
}

const MAX_HOLD_MS = 1000;
const ID = /^[A-Za-z0-9._:-]{1,64}$/;

/**
 * Reads the mark of an invocation from the context object the runtime passes to the handler.
 * Returns null for an ordinary invocation: no client context, another application's context, or an unknown operation.
 */
export function parseMark(context: unknown): Mark | null {
  const clientContext = field(context, 'clientContext');
  const custom = field(clientContext, 'custom') ?? field(clientContext, 'Custom');
  const op = field(custom, 'lambda-profile.op');
  if (op !== 'invoke' && op !== 'flush' && op !== 'warmup') return null;
  const hold = Number(field(custom, 'lambda-profile.hold'));
  return {
    op,
    run: id(field(custom, 'lambda-profile.run')),
    commit: id(field(custom, 'lambda-profile.commit')),
    holdMs: op === 'flush' && hold > 0 ? Math.min(hold, MAX_HOLD_MS) : 0,
  };
}

/** The first eight hexadecimal digits of the invocation's request id, or ''. */
export function parseRequest(context: unknown): string {
  const requestId = field(context, 'awsRequestId');
  return typeof requestId === 'string' ? (/^[0-9a-f]{8}/.exec(requestId)?.[0] ?? '') : '';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function id(value: unknown): string | null {
  return typeof value === 'string' && ID.test(value) ? value : null;
}
