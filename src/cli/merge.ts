import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { gzipProfile } from '../pprof/encode.ts';
import { FILE_HELP, fileFailure, readProfiles } from './profile-files.ts';
import type { Shell } from './shell.ts';

/** `merge FILE… -o OUT`: one profile of many. */
export function addMerge(program: Command, shell: Shell): void {
  program
    .command('merge')
    .summary('merge profiles into one')
    .description(
      'Adds up the samples of all profiles, as `go tool pprof -proto` does, and writes one that any pprof tool opens. What cannot be read is left out and named. Sample types that not all of them have are left out, units are converted.',
    )
    .argument('<file...>', FILE_HELP)
    .requiredOption('-o, --output <file>', 'where to write it; - for standard output')
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile merge snapshots/*.profile -o merged.pb.gz
  lambda-profile merge s3://octo-profiles/sparta/pprof/orders/profiles/cpu/ -o orders.cpu.pb.gz`,
    )
    .action(async (files: string[], { output }: { output: string }) => {
      const bytes = gzipProfile(await readProfiles(files, shell));
      if (output === '-') shell.print(bytes);
      else writeResult(output, bytes);
    });
}

/** Writes a result to a file. @throws ConfigurationError if that cannot be. */
export function writeResult(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new ConfigurationError(`Cannot write ${path}: ${fileFailure(error)}.`);
  }
}
