import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { PROFILE_TYPES, type ProfileType } from '../snapshots/layout.ts';
import { addBucketOption, bucketOf, prefixOf } from './bucket-options.ts';
import type { Shell } from './shell.ts';

export interface CollectOptions {
  s3Bucket?: string;
  s3Prefix: string;
  profileTypes?: string;
  run?: string;
  function?: string;
  output: string;
  json?: true;
}

/** `collect STACK -o FOLDER`: the snapshots of a stack or of one run, as files. */
export function addCollect(program: Command, shell: Shell): void {
  const command = program
    .command('collect')
    .summary('download the snapshots of a stack')
    .description(
      'Downloads the snapshots that the instances of a stack have published into a folder, one file each. Nothing is deleted. Snapshots that are no profiles are left out and named. `merge` and `top` add files up, which is right for cpu; `profile` knows that snapshots of a heap must not be added.',
    )
    .argument('<stack>', "LAMBDA_PROFILE_STACK of the functions: by default a function's name");
  addBucketOption(command)
    .option('--s3-prefix <prefix>', 'where snapshots are in the bucket', 'sparta/pprof')
    .option('--profile-types <types>', `of ${PROFILE_TYPES.join(', ')}, separated by commas (default: all)`)
    .option('--run <run>', 'only windows of this run')
    .option('--function <name>', 'only windows of this function')
    .requiredOption('-o, --output <folder>', 'where to write them')
    .option('--json', 'print JSON: what was written')
    .addHelpText(
      'after',
      `
Example:
  lambda-profile collect orders --s3-bucket octo-profiles --profile-types cpu -o snapshots`,
    )
    .action(async (stack: string, options: CollectOptions) => {
      if (!/^[\w-][\w.-]{0,127}$/.test(stack))
        throw new ConfigurationError(
          `Cannot use the stack ${JSON.stringify(stack.slice(0, 80))}: it has 1 to 128 letters, digits, dots, hyphens and underscores.`,
        );
      const source = {
        bucket: bucketOf(options, shell),
        prefix: prefixOf('--s3-prefix', options.s3Prefix),
        stack,
        types: profileTypesOf(options.profileTypes),
      };
      const { collectFiles } = await import('./collect-files.ts');
      await collectFiles(source, options, shell);
    });
}

/** The profile types of an option, all of them without one. @throws ConfigurationError */
export function profileTypesOf(option: string | undefined): ProfileType[] {
  if (option === undefined) return [...PROFILE_TYPES];
  return option.split(/[\s,]+/).map((name) => {
    const type = PROFILE_TYPES.find((known) => known === name);
    if (type === undefined)
      throw new ConfigurationError(
        `Cannot use the profile type ${JSON.stringify(name.slice(0, 40))}: it must be one of ${PROFILE_TYPES.join(', ')}.`,
      );
    return type;
  });
}
