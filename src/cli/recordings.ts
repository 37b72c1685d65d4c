import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { addBucketOption } from './bucket-options.ts';
import type { Shell } from './shell.ts';

export interface RecordingsOptions {
  s3Bucket?: string;
  baselinePrefix: string;
  json?: true;
}

export interface PruneOptions extends RecordingsOptions {
  olderThan?: string;
  keep?: string;
  yes?: true;
}

/** `recordings list|show|prune`: what is kept of measured commits. */
export function addRecordings(program: Command, shell: Shell): void {
  const group = program
    .command('recordings')
    .summary('list, show or delete what is kept of measured commits')
    .description('Recordings are the profiles and numbers of measured commits; the gate compares with them.')
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile recordings list orders --s3-bucket octo-profiles
  lambda-profile recordings show orders 4c2dece
  lambda-profile recordings prune --older-than 180d --keep 20          # tells what it would delete
  lambda-profile recordings prune --older-than 180d --keep 20 --yes`,
    );
  const withPlace = (command: Command): Command =>
    addBucketOption(command).option(
      '--baseline-prefix <prefix>',
      'where recordings are in the bucket',
      'lambda-profile/recordings',
    );
  withPlace(
    group
      .command('list')
      .description('Lists recordings, newest first.')
      .argument('[function]', 'name of a function, with .KEY if it has one (default: all)'),
  )
    .option('--json', 'print JSON')
    .action(async (functionName: string | undefined, options: RecordingsOptions) => {
      const { listCommand } = await import('./recordings-run.ts');
      await listCommand(folderName(functionName), options, shell);
    });
  withPlace(
    group
      .command('show')
      .description('Shows one recording: what was measured, where and how well.')
      .argument('<function>', 'name of the function')
      .argument('<commit>', 'the commit, or how it begins'),
  )
    .option('--json', 'print its manifest')
    .action(async (functionName: string, commit: string, options: RecordingsOptions) => {
      if (!/^[0-9a-f]{4,64}$/.test(commit))
        throw new ConfigurationError(
          `Cannot use the commit ${JSON.stringify(commit.slice(0, 80))}: give at least 4 of its digits.`,
        );
      const { showCommand } = await import('./recordings-run.ts');
      await showCommand(folderName(functionName)!, commit, options, shell);
    });
  withPlace(
    group
      .command('prune')
      .description(
        'Deletes recordings that are old enough and not among the newest. Without --yes, tells what it would delete. The newest recording of each function stays unless --keep 0 is given. This is the only command that deletes anything, and needs s3:DeleteObject.',
      )
      .argument('[function]', 'name of a function, with .KEY if it has one (default: all)'),
  )
    .option('--older-than <age>', 'delete those older than this, such as 90d or 12h')
    .option('--keep <count>', 'keep so many of the newest of each function')
    .option('--yes', 'delete them')
    .option('--json', 'print JSON')
    .action(async (functionName: string | undefined, options: PruneOptions) => {
      const { pruneCommand } = await import('./recordings-run.ts');
      await pruneCommand(folderName(functionName), options, shell);
    });
}

function folderName(name: string | undefined): string | undefined {
  if (name !== undefined && !/^[a-zA-Z0-9_-]{1,64}(\.[\w-][\w.-]{0,63})?$/.test(name))
    throw new ConfigurationError(
      `Cannot use the function ${JSON.stringify(name.slice(0, 80))}: give its name, or name.key where comment-key is set.`,
    );
  return name;
}
