import type { Command } from 'commander';
import { computeTop } from '../pprof/top.ts';
import { addViewOptions, columnOfOptions, filterOf, type ViewOptions } from './filter-options.ts';
import { renderRows } from './json.ts';
import { FILE_HELP, readProfiles } from './profile-files.ts';
import type { Shell } from './shell.ts';
import { renderTop } from './top-text.ts';

interface TopCommandOptions extends ViewOptions {
  json?: true;
  cum?: true;
}

/** `top FILE`: the functions of a profile, as `go tool pprof -top` lists them. */
export function addTop(program: Command, shell: Shell): void {
  const command = program
    .command('top')
    .summary('list the functions of a profile')
    .description(
      'Lists the functions of a profile by their own value (flat), or by their value with all they call (cum), as `go tool pprof -top` does. With --json, all of them.',
    )
    .argument('<file...>', FILE_HELP)
    .option('--cum', 'sort by the value with all they call')
    .option('--json', 'print JSON: every function, exact values');
  addViewOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile top head.cpu.pb.gz
  lambda-profile top --cum --focus 'pricing\\.' snapshots/
  lambda-profile top --json --sample-type alloc_space heap.pb.gz`,
    )
    .action(async (files: string[], options: TopCommandOptions) => {
      const filter = filterOf(options);
      const profile = await readProfiles(files, shell);
      columnOfOptions(profile, options);
      const top = computeTop(profile, {
        sampleType: options.sampleType,
        sort: options.cum ? 'total' : 'self',
        filter,
        trim: !options.json,
      });
      if (!options.json) return shell.print(renderTop(top, filter));
      const { type, unit } = profile.sampleTypes[top.column]!;
      const functions = top.rows.map(({ name, self, total }) => ({ name, self, total }));
      shell.print(renderRows({ schemaVersion: 1, sampleType: type, unit, total: top.total }, 'functions', functions));
    });
}
