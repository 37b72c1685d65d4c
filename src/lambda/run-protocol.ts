import * as z from 'zod';

/**
 * What the gate tells an agent inside the function, in `ClientContext.custom`: the event itself stays untouched.
 * Every value is a string: older Go runtimes fail the invocation on anything else.
 */
export interface RunMarks {
  op: 'warmup' | 'invoke' | 'flush';
  run: string;
  commit: string;
  /** Flush only: how long the instance holds its answer, so that concurrent flushes land on distinct instances. */
  holdMs?: number;
}

/** The `X-Amz-Client-Context` header: base64 of JSON, far below its 3,583 bytes. */
export function encodeRunMarks({ op, run, commit, holdMs }: RunMarks): string {
  const custom: Record<string, string> = {
    'lambda-profile.op': op,
    'lambda-profile.run': run,
    'lambda-profile.commit': commit,
    ...(holdMs !== undefined && { 'lambda-profile.hold': String(holdMs) }),
  };
  return Buffer.from(JSON.stringify({ custom })).toString('base64');
}

/** So much of the beginning of a request id tells requests apart. */
export const REQUEST_DIGITS = 8;

const count = z.number().int().min(0).max(1e9);
const text = (max: number) => z.string().max(max);

const flushReplySchema = z.object({
  'lambda-profile': z.object({
    v: z.literal(1),
    instance: text(200),
    run: text(100),
    invocations: count,
    errors: count.optional().default(0),
    cpuMs: z.number().min(0).optional().default(0),
    activeMs: z.number().min(0).optional().default(0),
    /** The beginnings of the request ids of the window's invocations, one after the other. */
    requests: text(32_000)
      .regex(/^(?:[0-9a-f]{8})*$/)
      .optional()
      .default(''),
    published: z.array(z.object({ type: text(40), key: text(1024), etag: text(200), bytes: count })).max(20),
    failures: z
      .array(z.object({ type: text(40), code: text(200), message: text(2000) }))
      .max(20)
      .optional()
      .default([]),
  }),
});

/** An agent's answer to a flush: what it published of the window that the flush ended. */
export type FlushReply = z.infer<typeof flushReplySchema>['lambda-profile'];

/**
 * Reads the answer to a flush. A function without an agent just handles one more event, so anything that is not
 * an answer of ours is undefined, never an error. Untrusted: bounded and validated.
 */
export function parseFlushReply(payload: Uint8Array): FlushReply | undefined {
  if (payload.byteLength > 128 * 1024) return undefined;
  try {
    const parsed = flushReplySchema.safeParse(JSON.parse(new TextDecoder().decode(payload)));
    return parsed.success ? parsed.data['lambda-profile'] : undefined;
  } catch {
    return undefined;
  }
}
