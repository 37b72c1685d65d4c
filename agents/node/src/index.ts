import type { ProfileType } from './settings.ts';
import { startAgent } from './start.ts';
import type { Handler } from './user-handler.ts';
import { wrapHandler } from './wrap-handler.ts';

export type { Handler, ProfileType };

/**
 * Profiles a function from its own code instead of through the layer's exec wrapper. Sparta's name and its first and
 * last argument: where to publish and which profiles. Sparta's two durations have no counterpart, because nothing here
 * runs on a timer: windows end when the gate asks, or after LAMBDA_PROFILE_MAX_INVOCATIONS.
 *
 * Call it before anything else is imported, and put the result around the handler:
 *
 *     import { scheduleProfileLoop } from '/opt/nodejs/lambda-profile/index.mjs';
 *     const profiled = scheduleProfileLoop('my-profiles', 'cpu', 'heap');
 *     const { handler: run } = await import('./app.mjs');
 *     export const handler = profiled(run);
 *
 * @param bucket the bucket to publish to; null takes LAMBDA_PROFILE_BUCKET, and without one nothing is profiled
 * @param types what to publish; none takes LAMBDA_PROFILE_TYPES
 * @returns a function that puts the agent around a handler; the handler itself when the agent is off
 */
export function scheduleProfileLoop(
  bucket: string | null,
  ...types: readonly ProfileType[]
): <H extends (...args: never[]) => unknown>(handler: H) => H {
  const agent = startAgent(
    {
      ...process.env,
      ...(bucket === null ? {} : { LAMBDA_PROFILE_BUCKET: bucket }),
      ...(types.length === 0 ? {} : { LAMBDA_PROFILE_TYPES: types.join(',') }),
    },
    (line) => console.warn(`lambda-profile: ${line}`),
  );
  return (handler) => {
    if (!agent) return handler;
    agent.endInit();
    return wrapHandler(handler as unknown as Handler, agent) as unknown as typeof handler;
  };
}
