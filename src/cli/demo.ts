import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { ConfigurationError } from '../errors.ts';
import type { Shell } from './shell.ts';

/** `demo`: the whole gate on this machine. */
export function addDemo(program: Command, shell: Shell): void {
  program
    .command('demo')
    .summary('see the whole gate work on this machine')
    .description(
      'Runs Lambda, S3 and GitHub on loopback, deploys a sample function, records it, and judges two pull requests. Needs a clone of the project, where `npm ci` was run; no account and no network.',
    )
    .addOption(
      new Option('--function <language>', 'which sample function: that in Go needs Go')
        .choices(['node', 'go'])
        .default('node'),
    )
    .action(async (options: { function: string }) => {
      const root = fileURLToPath(new URL('..', import.meta.url));
      const script = join(root, 'examples/demo/demo.ts');
      if (!existsSync(script) || !existsSync(join(root, 'node_modules')))
        throw new ConfigurationError(
          'Cannot find the demo: it is in the repository of the project. Clone it, then run `npm ci && npm run demo` there.',
        );
      const own = join(root, 'node_modules/.bin/node');
      // Ctrl-C goes to the demo as well, which ends its processes first.
      shell.takeSignals().on('SIGINT', () => {});
      const child = spawn(existsSync(own) ? own : process.execPath, [script, '--function', options.function], {
        stdio: 'inherit',
        cwd: root,
      });
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve(code ?? 1));
      });
    });
}
