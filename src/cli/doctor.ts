import type { Command } from 'commander';
import { addGateOptions } from './gate-options.ts';
import type { Shell } from './shell.ts';

export interface DoctorOptions extends Record<string, unknown> {
  s3Bucket?: string;
  json?: true;
  invoke: boolean;
}

const SETTINGS = ['qualifier', 'payload', 's3-bucket', 's3-prefix', 'stack', 'baseline-prefix'];

/** `doctor FUNCTION`: why a function publishes nothing, or that it does. */
export function addDoctor(program: Command, shell: Shell): void {
  const command = program
    .command('doctor')
    .summary('check permissions, agent, bucket and sampling of a function')
    .description(
      'Looks at everything the gate needs, from the permissions of this role to a snapshot of the function, and says what to do about what is missing. Nothing is written but what the agent publishes. Invokes the function three times, the last time to have the agent publish. Exits 3 when something is missing.',
    )
    .argument('<function>', 'name or ARN of the function, with or without a version or alias');
  addGateOptions(command, SETTINGS)
    .option('--no-invoke', 'do not invoke the function: its configuration and the bucket only')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile doctor orders:live --s3-bucket octo-profiles
  lambda-profile doctor orders --payload file:events/order.json`,
    )
    .action(async (name: string, options: DoctorOptions) => {
      const { runDoctor } = await import('./doctor-run.ts');
      process.exitCode = await runDoctor(name, options, shell);
    });
}
