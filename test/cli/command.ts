import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { bundle } from '../../build/bundle.ts';

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** The bundled command line and a folder to use it in. */
export interface CommandLine {
  directory: string;
  /** Writes a file of the folder; answers its path. */
  write(name: string, content: string | Uint8Array): string;
  /**
   * Runs `lambda-profile` in the folder, with nothing of this process's environment but PATH.
   * @param interruptAfter sends SIGINT when this is on standard error
   */
  run(args: string[], environment?: Record<string, string>, interruptAfter?: string): Promise<CommandResult>;
}

/** Builds the command line for the tests of a file, and removes it after them. */
export function useCommandLine(): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), 'cli-'));
  beforeAll(() => bundle('cli', join(directory, '.dist')));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    write(name, content) {
      const path = join(directory, name);
      writeFileSync(path, content);
      return path;
    },
    run: (args, environment = {}, interruptAfter) =>
      runCommand(join(directory, '.dist/cli.js'), args, directory, environment, interruptAfter),
  };
}

async function runCommand(
  main: string,
  args: string[],
  cwd: string,
  environment: Record<string, string>,
  interruptAfter?: string,
): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, TZ: 'UTC', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let waiting = interruptAfter;
  const result = { exitCode: null as number | null, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      result[stream] += text;
      if (waiting !== undefined && result.stderr.includes(waiting)) {
        waiting = undefined;
        child.kill('SIGINT');
      }
    });
  result.exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return result;
}
