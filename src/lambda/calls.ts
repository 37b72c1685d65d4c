import type { InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';

/**
 * Every call of Invoke that left this process, whatever it was for: what a run may have cost. A call that is sent again
 * counts again.
 */
export interface Calls {
  sent: number;
  /** Lambda says that the function ran; that includes its failures. */
  ran: number;
  /** Lambda refused before anything ran (HTTP 4xx: throttled, not allowed). */
  refused: number;
  /** No answer, or an error of Lambda's own (HTTP 5xx): nobody knows whether the function ran. */
  unknown: number;
}

export function createCalls(): Calls {
  return { sent: 0, ran: 0, refused: 0, unknown: 0 };
}

/** Counts in place what a client that does nothing but invoke sends, and what comes back. */
export function countCalls(client: Pick<LambdaClient, 'middlewareStack'>, calls: Calls): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      calls.sent++;
      try {
        const result = await next(args);
        if (isOfLambda(result.output as InvokeCommandOutput)) calls.ran++;
        else calls.unknown++;
        return result;
      } catch (error) {
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
        if (status >= 400 && status < 500) calls.refused++;
        else calls.unknown++;
        throw error;
      }
    },
    { step: 'finalizeRequest', priority: 'low', name: 'countCalls' },
  );
}

/** Whether an answer is one of Lambda: some proxy may answer anything with a page of its own. */
export function isOfLambda({ $metadata, ExecutedVersion, LogResult }: InvokeCommandOutput): boolean {
  return ($metadata.requestId ?? ExecutedVersion ?? LogResult) !== undefined;
}

/** One line for the log. */
export function renderCalls({ sent, ran, refused, unknown }: Calls): string {
  const parts = [
    `${ran} ran`,
    ...(refused > 0 ? [`${refused} were refused`] : []),
    ...(unknown > 0 ? [`${unknown} without an answer that tells`] : []),
  ];
  return `Invoke was called ${sent} times: ${parts.join(', ')}.`;
}
