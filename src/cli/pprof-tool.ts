import { spawn, spawnSync } from 'node:child_process';
import { ConfigurationError } from '../errors.ts';

/** The pprof of this machine: that of Go, or one on its own. @throws ConfigurationError if there is none */
export function findPprof(): string[] {
  const runs = (command: string, args: string[]): boolean =>
    spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;
  if (runs('go', ['tool', '-n', 'pprof'])) return ['go', 'tool', 'pprof'];
  if (spawnSync('pprof', ['-h'], { stdio: 'ignore', timeout: 60_000 }).error === undefined) return ['pprof'];
  throw new ConfigurationError(
    'Cannot find pprof: install Go (https://go.dev/dl), or `go install github.com/google/pprof@latest`.',
  );
}

/** The arguments of pprof for a profile, or for what changed since another one. */
export function pprofArguments(head: string, base: string | undefined, sampleType: string, port: number): string[] {
  return [
    `-http=localhost:${port || ''}`,
    ...(sampleType ? [`-sample_index=${sampleType}`] : []),
    ...(base ? [`-diff_base=${base}`] : []),
    head,
  ];
}

/** Runs pprof on this terminal until it ends. @returns its exit code */
export function runPprof([command, ...first]: string[], args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command!, [...first, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 0));
  });
}
