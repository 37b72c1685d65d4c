import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A Lambda handler as the runtime's client calls it: (event, context), (event, context, callback) or streaming. */
export type Handler = (...args: unknown[]) => unknown;

/** Same name and text as the runtime's own error, so an init error reads as it does without the agent. */
class HandlerNotFoundError extends Error {
  override name = 'Runtime.HandlerNotFound';
}
class MalformedHandlerNameError extends Error {
  override name = 'Runtime.MalformedHandlerName';
}

const EXTENSIONS = ['', '.js', '.mjs', '.cjs'];

/**
 * Loads the function's handler the way AWS's runtime client does (aws-lambda-ric 4, `UserFunctionLoader`): the file
 * `taskRoot/dir/name` with no extension, .js, .mjs or .cjs, then CommonJS resolution; a dotted export, then the same
 * under `default`. What the user's module throws passes through unchanged: the runtime client classifies it.
 */
export async function loadUserHandler(taskRoot: string, handlerString: string): Promise<Handler> {
  if (handlerString.includes('..')) {
    throw new MalformedHandlerNameError(
      `'${handlerString}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(handlerString);
  const directory = handlerString.slice(0, handlerString.indexOf(base)).replace(/\/$/, '');
  const dot = base.indexOf('.');
  if (dot < 0) throw new MalformedHandlerNameError('Bad handler');
  const loaded = await loadModule(taskRoot, directory, base.slice(0, dot));
  const exportName = base.slice(dot + 1);

  const handler = find(exportName, loaded) || find(exportName, (loaded as { default?: unknown } | null)?.default);
  if (!handler) throw new HandlerNotFoundError(`${handlerString} is undefined or not exported`);
  if (typeof handler !== 'function') throw new HandlerNotFoundError(`${handlerString} is not a function`);
  return handler as Handler;
}

async function loadModule(taskRoot: string, directory: string, name: string): Promise<unknown> {
  const file = path.resolve(taskRoot, directory, name);
  for (const extension of EXTENSIONS) {
    if (existsSync(file + extension)) {
      const loaded: unknown = await import(file + extension);
      if (loaded) return loaded;
    }
  }
  // The runtime client resolves from its own file; the same starting point gives the same result and message.
  const require = createRequire(process.argv[1] ?? import.meta.url);
  return require(require.resolve(name, { paths: [taskRoot, path.join(taskRoot, directory)] }));
}

function find(exportName: string, root: unknown): unknown {
  return exportName
    .split('.')
    .reduce<unknown>(
      (nested, key) => (nested && typeof nested === 'object' ? (nested as Record<string, unknown>)[key] : undefined),
      root,
    );
}
