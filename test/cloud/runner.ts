import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One step of a workflow, as the runner starts it. */
export interface ActionStep {
  /** The bundle to run. */
  main: string;
  /** `with:` of the workflow. */
  inputs: Record<string, string>;
  eventName: string;
  event: Record<string, unknown>;
  sha: string;
  runId: number;
  attempt?: number;
  /** Where the files of the runner, the temporary files and, unless given, the workspace go. */
  directory: string;
  workspace?: string;
  environment: Record<string, string>;
  onOutput?: (text: string) => void;
  /** Gets the process, to end it. */
  onStart?: (child: ChildProcess) => void;
}

export interface ActionResult {
  /** Null when a signal ended the process. */
  exitCode: number | null;
  /** stdout, with workflow commands. */
  log: string;
  stderr: string;
  outputs: Record<string, string>;
  summary: string;
}

/**
 * Runs an action's bundle in a process of its own, the way the runner does: inputs as `INPUT_*`, files for outputs and
 * summary, and nothing of this process's environment but PATH.
 */
export async function runAction(step: ActionStep): Promise<ActionResult> {
  const file = (name: string): string => join(step.directory, name);
  mkdirSync(file('temp'), { recursive: true });
  mkdirSync(file('workspace'), { recursive: true });
  for (const name of ['output', 'summary', 'state', 'env', 'path']) writeFileSync(file(name), '');
  writeFileSync(file('event.json'), JSON.stringify(step.event));
  const inputs = Object.fromEntries(
    Object.entries(step.inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const child = spawn(process.execPath, [step.main], {
    cwd: step.workspace ?? file('workspace'),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: file('temp'),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: step.eventName,
      GITHUB_EVENT_PATH: file('event.json'),
      GITHUB_SHA: step.sha,
      GITHUB_RUN_ID: String(step.runId),
      GITHUB_RUN_ATTEMPT: String(step.attempt ?? 1),
      GITHUB_WORKSPACE: step.workspace ?? file('workspace'),
      GITHUB_OUTPUT: file('output'),
      GITHUB_STEP_SUMMARY: file('summary'),
      GITHUB_STATE: file('state'),
      GITHUB_ENV: file('env'),
      GITHUB_PATH: file('path'),
      RUNNER_TEMP: file('temp'),
      RUNNER_OS: 'Linux',
      ...step.environment,
      ...inputs,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  step.onStart?.(child);
  let log = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    step.onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return {
    exitCode,
    log,
    stderr,
    outputs: parseOutputs(readFileSync(file('output'), 'utf8')),
    summary: readFileSync(file('summary'), 'utf8'),
  };
}

/** The runner's file format: `name<<delimiter`, lines, `delimiter`. */
function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const open = /^([^=<]+)<<(.+)$/.exec(lines[i]!);
    if (!open) continue;
    const end = lines.indexOf(open[2]!, i + 1);
    outputs[open[1]!] = lines.slice(i + 1, end).join('\n');
    i = end;
  }
  return outputs;
}
