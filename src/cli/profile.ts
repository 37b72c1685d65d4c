import type { Command } from 'commander';
import { addBucketOption } from './bucket-options.ts';
import { addViewOptions, type ViewOptions } from './filter-options.ts';
import type { Shell } from './shell.ts';

export interface ProfileCommandOptions extends ViewOptions {
  s3Bucket?: string;
  s3Prefix: string;
  baselinePrefix: string;
  type?: string;
  function?: string;
  qualifier?: string;
  commentKey?: string;
  cached?: true;
  base?: string;
  output?: string;
  open: boolean;
  pprof?: true;
  speedscope?: string;
  serve?: true;
  port?: string;
}

/** `profile [STACK]`: look at what the instances of a stack have published. */
export function addProfile(program: Command, shell: Shell): void {
  const command = program
    .command('profile')
    .summary('look at the profile of a stack, or at what changed since a recording')
    .description(
      'Downloads the snapshots that the instances of a stack have published, folds them into one profile, and opens it as a flame graph. Asks for what is not given. Nothing in S3 is changed or deleted.',
    )
    .argument('[stack]', "LAMBDA_PROFILE_STACK of the functions: by default a function's name");
  addBucketOption(command)
    .option('--type <type>', 'which profile: cpu, heap, … of those that were published')
    .option('--function <name>', 'only windows of this function')
    .option('--qualifier <version>', 'only windows of this version')
    .option('--cached', 'what was downloaded last, without asking S3 for new snapshots')
    .option('--base <what>', 'compare with: none, branch (the recording of the merge base), a commit, or a file')
    .option('-o, --output <file>', 'where to write the page (default: .lambda-profile/STACK-TYPE.html)')
    .option('--no-open', 'write the page, do not open it')
    .option('--serve', 'serve the page on 127.0.0.1 until Ctrl-C: for machines without a browser')
    .option('--port <port>', 'port of --serve and --pprof (default: any)')
    .option('--pprof', 'open it in the web page of go tool pprof')
    .option('--speedscope <file>', 'write it for https://www.speedscope.app')
    .option('--s3-prefix <prefix>', 'where snapshots are in the bucket', 'sparta/pprof')
    .option('--baseline-prefix <prefix>', 'where recordings are in the bucket', 'lambda-profile/recordings')
    .option('--comment-key <key>', 'comment-key of the recordings to compare with');
  addViewOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile profile                                               # asks
  lambda-profile profile orders --type cpu --base branch --s3-bucket octo-profiles
  lambda-profile profile orders --type heap --sample-type alloc_space --pprof
  ssh -L 8080:127.0.0.1:8080 build lambda-profile profile orders --type cpu --serve --port 8080`,
    )
    .action(async (stack: string | undefined, options: ProfileCommandOptions) => {
      const { runProfile } = await import('./profile-run.ts');
      process.exitCode = await runProfile(stack, options, shell);
    });
}
