import type { Agent } from './agent.ts';
import { type FlushReply, type Mark, parseMark, parseRequest } from './protocol.ts';
import type { Handler } from './user-handler.ts';

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/**
 * Puts the agent around a handler. The result looks to the runtime exactly like the handler: its length, name, own
 * symbols (response streaming) and properties are the handler's, `this` and arguments are passed on, and it returns or
 * throws what the handler does. Only a flush is answered without calling it.
 */
export function wrapHandler(handler: Handler, agent: Agent): Handler {
  return new Proxy(handler, {
    apply(target, self, args: unknown[]) {
      const streaming = (target as unknown as Record<symbol, unknown>)[STREAMING] !== undefined;
      const context = args[streaming ? 2 : 1];
      const mark = markOf(context);
      const remainingMs = () => remainingTimeMs(context);
      if (mark?.op === 'flush') {
        const reply = agent.flush(mark, remainingMs);
        return streaming ? reply.then((body) => writeToStream(args[1] as ResponseStream, body)) : reply;
      }

      const end = (failed: boolean) => agent.end(failed, remainingMs);
      agent.begin(mark, requestOf(context));
      const calledBack = !streaming && interceptCallbacks(args, end);
      let result: unknown;
      try {
        result = Reflect.apply(target, self, args);
      } catch (error) {
        const published = end(true);
        if (published) return published.then(() => Promise.reject(error));
        throw error;
      }
      if (isThenable(result)) {
        return result.then(
          (value) => {
            const published = end(false);
            return published ? published.then(() => value) : value;
          },
          (error: unknown) => {
            const published = end(true);
            if (!published) throw error;
            return published.then(() => Promise.reject(error));
          },
        );
      }
      // A handler without a promise is over when it calls back; without callbacks in the runtime, when it returns.
      const published = calledBack ? null : end(false);
      return published ? published.then(() => result) : result;
    },
  });
}

type Callback = (error?: unknown, value?: unknown) => void;

/**
 * Node.js 22's runtime passes a callback and gives the context done(), succeed() and fail(). Reports the first of them
 * that is called as the end of the invocation. Returns whether the runtime has callbacks at all.
 */
function interceptCallbacks(args: unknown[], end: (failed: boolean) => Promise<void> | null): boolean {
  const callback = args[2];
  if (typeof callback !== 'function') return false;
  const wrap = (original: Callback, failed: (error: unknown) => boolean): Callback => {
    return function (this: unknown, ...values) {
      const published = end(failed(values[0]));
      if (published) void published.then(() => original.apply(this, values));
      else original.apply(this, values);
    };
  };
  const isError = (error: unknown) => error !== undefined && error !== null;
  args[2] = wrap(callback as Callback, isError);
  try {
    const context = args[1] as Record<string, unknown>;
    for (const [name, failed] of [
      ['done', isError],
      ['succeed', () => false],
      ['fail', () => true],
    ] as const) {
      const original = context[name];
      if (typeof original === 'function') context[name] = wrap(original as Callback, failed);
    }
  } catch {
    // A context that cannot be changed: the callback is seen, these are not.
  }
  return true;
}

interface ResponseStream {
  setContentType?: (type: string) => void;
  end(body: string): void;
}

function writeToStream(stream: ResponseStream, body: FlushReply): void {
  stream.setContentType?.('application/json');
  stream.end(JSON.stringify(body));
}

function markOf(context: unknown): Mark | null {
  try {
    return parseMark(context);
  } catch {
    return null;
  }
}

function requestOf(context: unknown): string {
  try {
    return parseRequest(context);
  } catch {
    return '';
  }
}

function remainingTimeMs(context: unknown): number {
  try {
    const remaining = (context as { getRemainingTimeInMillis(): number }).getRemainingTimeInMillis();
    return Number.isFinite(remaining) ? remaining : 0;
  } catch {
    return 0;
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
