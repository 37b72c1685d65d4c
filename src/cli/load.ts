import type { Command } from 'commander';
import { addGateOptions } from './gate-options.ts';
import type { Shell } from './shell.ts';

export interface LoadOptions extends Record<string, unknown> {
  json?: true;
}

const SETTINGS = [
  'qualifier',
  'payload',
  'invocations',
  'warmup-invocations',
  'concurrency',
  'rate',
  'ramp',
  'duration',
  'max-duration',
  'config',
];

/** `load FUNCTION`: the calls of the gate, without the rest. */
export function addLoad(program: Command, shell: Shell): void {
  const command = program
    .command('load')
    .summary('invoke a function many times, and tell how it went')
    .description(
      'Invokes a function as the gate does: warm-up, then a closed loop, or an open one with --rate. Throttled calls are sent again, nothing else ever is. At the end, agents are asked to publish; `collect --run` fetches what they published.',
    )
    .argument('<function>', 'name or ARN of the function, with or without a version or alias');
  addGateOptions(command, SETTINGS)
    .option('--json', 'print JSON: every call as a record, and the summary')
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile load orders:live --invocations 1000 --concurrency 20
  lambda-profile load orders --payload file:events/ --rate 50 --duration 2m --json`,
    )
    .action(async (name: string, options: LoadOptions) => {
      const { runLoadCommand } = await import('./load-run.ts');
      process.exitCode = await runLoadCommand(name, options, shell);
    });
}
