/** Absolute directories of this process, each without a trailing slash; '' when there is none. */
export interface Roots {
  /** The function's code, LAMBDA_TASK_ROOT. */
  readonly task: string;
  /** The layers, mounted at /opt in Lambda. */
  readonly layer: string;
  /** The runtime client, at /var/runtime in Lambda. */
  readonly runtime: string;
  /** This agent's own files. */
  readonly agent: string;
}

/** A script as the profile names it; `agent` scripts are the profiler's own and are left out. */
export interface ScriptName {
  readonly file: string;
  readonly agent: boolean;
}

/**
 * Names a script so that the same code has the same name on every machine: the function's own code relative to its
 * root (`src/x.mjs`, `node_modules/…`), layers under /opt, the runtime client under /var/runtime, `node:` as it is.
 */
export function nameScript(script: string, roots: Roots): ScriptName {
  if (script === '' || script.startsWith('node:')) return { file: script, agent: false };
  const path = script.startsWith('file://') ? decode(script.slice('file://'.length)) : script;
  if (isUnder(path, roots.agent)) return { file: path, agent: true };
  if (isUnder(path, roots.task)) return { file: path.slice(roots.task.length + 1), agent: false };
  if (isUnder(path, roots.layer)) return { file: `/opt${path.slice(roots.layer.length)}`, agent: false };
  if (isUnder(path, roots.runtime)) return { file: `/var/runtime${path.slice(roots.runtime.length)}`, agent: false };
  return { file: path, agent: false };
}

function isUnder(path: string, root: string): boolean {
  return root !== '' && path.startsWith(`${root}/`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
