import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { renderPolicies } from '../iam.ts';
import { renderInitFiles } from './init-files.ts';
import { addPolicyOptions, type PolicyOptions, policyFlags, policyInput } from './policy-options.ts';
import { fileFailure } from './profile-files.ts';
import { type Shell, shellWord } from './shell.ts';
import { renderTable } from './table.ts';

interface InitOptions extends PolicyOptions {
  force?: true;
  dryRun?: true;
}

/** `init FUNCTION`: the files a repository needs. */
export function addInit(program: Command, shell: Shell): void {
  const command = program
    .command('init')
    .summary('write workflow, config and IAM policies for this repository')
    .description(
      'Writes what a repository needs: a workflow, a config file, and the policies of the roles. Asks for what it cannot find out. Files that are there already are left as they are, unless --force is given; running it again changes nothing.',
    )
    .argument('[function]', 'name or ARN of the function');
  addPolicyOptions(command)
    .option('--force', 'write over files that are different')
    .option('--dry-run', 'tell what would be written')
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile init                                                  # asks
  lambda-profile init orders --s3-bucket octo-profiles --region eu-west-1 --account-id 123456789012 --repository octo-org/orders`,
    )
    .action(async (name: string | undefined, options: InitOptions) => {
      const input = await policyInput(name, options, shell);
      const files = renderInitFiles(input, renderPolicies(input));
      if (shell.interactive)
        shell.say(
          `The same again: ${['lambda-profile', 'init', input.functionName, ...policyFlags(input)].map(shellWord).join(' ')}`,
        );
      const rows = Object.entries(files).map(([path, content]) => [placeFile(path, content, options), path]);
      shell.print(renderTable(['', 'file'], rows));
      if (rows.some(([state]) => state === KEPT))
        shell.say('Files that are kept are different; --force writes over them.');
      if (!options.dryRun) for (const line of NEXT_STEPS) shell.say(line);
    });
}

const KEPT = 'kept';

function placeFile(path: string, content: string, { force, dryRun }: InitOptions): string {
  try {
    const known = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    if (known === content) return 'unchanged';
    if (known !== undefined && !force) return KEPT;
    if (!dryRun) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    return dryRun ? 'would write' : 'wrote';
  } catch (error) {
    throw new ConfigurationError(`Cannot write ${path}: ${fileFailure(error)}.`);
  }
}

const NEXT_STEPS = [
  '',
  'Next:',
  '1. Let the deploy step of .github/workflows/lambda-profile.yml deploy, and tell the version it published.',
  '2. Create the two roles with the policies in .github/lambda-profile/, and set the variables LAMBDA_PROFILE_READ_ROLE',
  '   and LAMBDA_PROFILE_STORE_ROLE of the repository to their ARNs. Add function.json to the role of the function.',
  '3. Attach the agent to the function (docs/agent.md), and see with `lambda-profile doctor` that it answers.',
];
