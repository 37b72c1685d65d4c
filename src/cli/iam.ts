import { type Command, Option } from 'commander';
import { type Policies, renderPolicies } from '../iam.ts';
import { addPolicyOptions, type PolicyOptions, policyFlags, policyInput } from './policy-options.ts';
import { type Shell, shellWord } from './shell.ts';

/** What each policy is for, in the order they are printed. */
export const POLICY_TEXTS: Record<keyof Policies, string> = {
  function: "The function's role publishes its snapshots.",
  read: 'The role of pull requests invokes, collects and compares.',
  readTrust: 'Who may assume the role of pull requests.',
  store: 'The role of the base branch stores recordings, too.',
  storeTrust: 'Who may assume the role of the base branch.',
  prune: 'Added to your own role: deletes recordings (`lambda-profile recordings prune`).',
};

interface IamOptions extends PolicyOptions {
  only?: keyof Policies;
  json?: true;
  shards?: true;
}

/** `iam FUNCTION`: the policies of all roles. */
export function addIam(program: Command, shell: Shell): void {
  const command = program
    .command('iam')
    .summary('print the IAM policies that function and jobs need')
    .description(
      'Prints the least that each role needs, with your names in it. Nothing is created; nothing in AWS is read.',
    )
    .argument('[function]', 'name or ARN of the function');
  addPolicyOptions(command)
    .addOption(
      new Option('--only <policy>', 'print one policy alone, for `aws iam put-role-policy`').choices(
        Object.keys(POLICY_TEXTS),
      ),
    )
    .option('--shards', 'jobs of pull requests measure in shards (`mode: measure`), which they store')
    .option('--json', 'print JSON: all policies')
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile iam orders --s3-bucket octo-profiles --region eu-west-1 --account-id 123456789012 --repository octo-org/orders
  lambda-profile iam arn:aws:lambda:eu-west-1:123456789012:function:orders --s3-bucket octo-profiles --only function`,
    )
    .action(async (name: string | undefined, options: IamOptions) => {
      const input = { ...(await policyInput(name, options, shell)), ...(options.shards && { shards: true }) };
      const policies = renderPolicies(input);
      if (shell.interactive)
        shell.say(
          `The same again: ${['lambda-profile', 'iam', input.functionName, ...policyFlags(input)].map(shellWord).join(' ')}`,
        );
      if (options.only) return shell.print(`${JSON.stringify(policies[options.only], null, 2)}\n`);
      if (options.json) return shell.print(`${JSON.stringify({ schemaVersion: 1, policies }, null, 2)}\n`);
      for (const [policy, text] of Object.entries(POLICY_TEXTS))
        shell.print(`# ${policy}: ${text}\n${JSON.stringify(policies[policy as keyof Policies], null, 2)}\n\n`);
    });
}
