import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock } from '../clock.ts';

/** When a request left this process and when its answer was read, in monotonic ms. */
export interface RequestTimes {
  requestSentMs: number;
  answerReadMs: number;
}

/**
 * Has a client note these times in the `$metadata` of every output and error. Building and signing a request takes the
 * SDK a millisecond or two, which is not latency of the function.
 */
export function timeRequests(client: Pick<LambdaClient, 'middlewareStack'>, clock: Pick<Clock, 'monotonicMs'>): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const requestSentMs = clock.monotonicMs();
      const note = (metadata: object | undefined): void => {
        if (metadata) Object.assign(metadata, { requestSentMs, answerReadMs: clock.monotonicMs() });
      };
      try {
        const result = await next(args);
        note(result.output.$metadata);
        return result;
      } catch (error) {
        note((error as { $metadata?: object }).$metadata);
        throw error;
      }
    },
    // After signing, so that only the network and the service are inside.
    { step: 'finalizeRequest', priority: 'low', name: 'timeRequests' },
  );
}

/** The times a client noted; undefined for one that notes none, and for a call that was not answered. */
export function requestTimes(metadata: unknown): RequestTimes | undefined {
  const { requestSentMs, answerReadMs } = (metadata ?? {}) as Partial<RequestTimes>;
  return requestSentMs === undefined || answerReadMs === undefined ? undefined : { requestSentMs, answerReadMs };
}
