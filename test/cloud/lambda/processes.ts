import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import type { Command } from './environment.ts';

/** How a process came to its end. `reason` is worded as Lambda words it. */
export interface Exit {
  readonly reason: string;
  /** True when the program could not be started at all. */
  readonly neverStarted: boolean;
}

/** A running program with all its children, which share its process group. */
export interface ProcessGroup {
  readonly pid: number | undefined;
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
}

const groups = new Set<number>();
const directories = new Set<string>();

function signalGroup(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** Removes everything that would outlive this process. Synchronous, because it also runs while the process exits. */
function cleanUp() {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function onSignal(signal: NodeJS.Signals) {
  cleanUp();
  process.removeListener(signal, onSignal);
  // Without a listener of somebody else the signal ends the process, as it would have without ours.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/**
 * Promises to kill all process groups and to remove `directory` when this process ends, by itself or by a signal.
 * @returns removes the directory now and takes the promise back
 */
export function guard(directory: string): () => void {
  if (directories.size === 0) {
    process.on('exit', cleanUp);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  directories.add(directory);
  return () => {
    rmSync(directory, { recursive: true, force: true });
    directories.delete(directory);
    if (directories.size > 0) return;
    process.removeListener('exit', cleanUp);
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  };
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${SIGNAL_NAMES[signal] ?? signal}`;
  return code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`;
}

const SIGNAL_NAMES: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
};

/**
 * Starts a program in a process group of its own with exactly this environment; both its outputs go to the file
 * `output`. What is left of the group when the program itself ends is killed.
 */
export function startProcess(command: Command, cwd: string, env: Record<string, string>, output: number): ProcessGroup {
  const child = spawn(command.file, command.args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
  const { pid } = child;
  if (pid !== undefined) groups.add(pid);
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const cause = error.code === 'ENOENT' ? 'no such file or directory' : 'permission denied';
      if (pid === undefined) resolve({ reason: `fork/exec ${command.file}: ${cause}`, neverStarted: true });
    });
    child.once('exit', (code, signal) => {
      signalGroup(pid!, 'SIGKILL');
      groups.delete(pid!);
      resolve({ reason: describeExit(code, signal), neverStarted: false });
    });
  });
  return {
    pid,
    exited,
    signal(signal) {
      if (pid !== undefined && groups.has(pid)) signalGroup(pid, signal);
    },
  };
}

/**
 * Resident memory of a process in MB, rounded up; undefined when the process is gone. On Linux the high-water mark that
 * the kernel keeps, elsewhere what is resident now.
 */
export function residentMemoryMB(pid: number): number | undefined {
  try {
    const kilobytes =
      process.platform === 'linux'
        ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return kilobytes === undefined ? undefined : Math.ceil(Number(kilobytes) / 1024);
  } catch {
    return undefined;
  }
}
