import { startAgent } from './start.ts';
import { type Handler, loadUserHandler } from './user-handler.ts';
import { wrapHandler } from './wrap-handler.ts';

// The module the layer's exec wrapper puts in place of the function's: starts the sampler, then loads the function's
// own module as the runtime would have, and exports its handler with the agent around it.
const agent = startAgent(process.env, (line) => console.warn(`lambda-profile: ${line}`));
const handlerName = process.env.LAMBDA_PROFILE_HANDLER ?? '';
process.env._HANDLER = handlerName;
delete process.env.LAMBDA_PROFILE_HANDLER;

const userHandler = await loadUserHandler(process.env.LAMBDA_TASK_ROOT ?? '', handlerName);
agent?.endInit();

/** The function's handler, measured. */
export const handler: Handler = agent ? wrapHandler(userHandler, agent) : userHandler;
