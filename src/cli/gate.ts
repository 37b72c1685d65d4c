import type { Command } from 'commander';
import { addGateOptions } from './gate-options.ts';
import type { Shell } from './shell.ts';

/** `gate FUNCTION`: the whole job, as the Action runs it. */
export function addGate(program: Command, shell: Shell): void {
  const command = program
    .command('gate')
    .summary('measure a function, compare it with the base commit, and decide')
    .description(
      "Does what the Action does: invokes the deployed function, collects the profiles its instances publish, compares them with the recording of the base commit, and tells what got slower. The base commit is found in this checkout's history. Prints the comment of the pull request; on a terminal, the same for people to read. Exits 1 when a function got slower.",
    )
    .argument('<function>', 'name or ARN of the function, with or without a version or alias');
  addGateOptions(command)
    .option('--update-baseline', 'store this measurement as the recording of its commit')
    .option('--no-fail-on-error', 'exit 0 when nothing could be measured')
    .option('-o, --output <folder>', 'where to write report, page, pictures and profiles', '.lambda-profile/gate')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Exit codes:
  0 nothing got slower, or nothing to compare with   1 slower   2 wrong usage   3 could not measure
  4 inconclusive, with \`fail-on: inconclusive\` in the config file   130 interrupted

Examples:
  lambda-profile gate orders:live --s3-bucket octo-profiles
  lambda-profile gate orders:7 --update-baseline                       # on the base branch
  lambda-profile gate orders --payload file:events/order.json --fail-threshold 20%`,
    )
    .action(async (name: string, options: GateOptions) => {
      const { runGate } = await import('./gate-run.ts');
      process.exitCode = await runGate(name, options, shell);
    });
}

export interface GateOptions extends Record<string, unknown> {
  output: string;
  json?: true;
}
