import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The sample function, and the functions that only tests need, by the directory of their main package. */
export const GO_FUNCTIONS = {
  orders: join(root, 'examples/functions/go'),
  variants: join(root, 'test/go/functions/variants'),
  sparta: join(root, 'test/go/functions/sparta'),
} as const;

/** What `go version` says, or undefined where Go is not installed. */
export async function goVersion(): Promise<string | undefined> {
  try {
    return (await run('go', ['version'])).stdout.trim();
  } catch {
    return undefined;
  }
}

/**
 * Builds a function for provided.al2023 as its users do, with Go's own caches and module proxy.
 * @returns the executable that goes into the archive as `bootstrap`
 */
export async function buildGo(directory: string): Promise<Uint8Array> {
  const output = mkdtempSync(join(tmpdir(), 'go-function-'));
  try {
    const file = join(output, 'bootstrap');
    const flags = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-tags=lambda.norpc', '-o', file, '.'];
    await run('go', flags, { cwd: directory, env: { ...process.env, CGO_ENABLED: '0' } });
    return readFileSync(file);
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}
