import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { addViewOptions, columnOfOptions, filterOf, type ViewOptions } from './filter-options.ts';
import { writeResult } from './merge.ts';
import { FILE_HELP, readProfiles } from './profile-files.ts';
import type { Shell } from './shell.ts';

interface FlamegraphOptions extends ViewOptions {
  output: string;
  base?: string;
}

/** `flamegraph FILE -o OUT`: a profile, or what changed since another one, as a page or a picture. */
export function addFlamegraph(program: Command, shell: Shell): void {
  const command = program
    .command('flamegraph')
    .summary('draw a profile, or what changed since another one')
    .description(
      'Draws a flame graph: as a page that needs no server (.html), or as a picture (.svg). With --base, colours tell what grew and what shrank. Profiles of the agents are divided by the invocations they are of; others are shown in all.',
    )
    .argument('<file...>', FILE_HELP)
    .requiredOption('-o, --output <file>', 'where to write it: a name that ends with .html or .svg')
    .option('--base <file>', 'the profile to compare with');
  addViewOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile flamegraph head.cpu.pb.gz -o head.html
  lambda-profile flamegraph head.cpu.pb.gz --base base.cpu.pb.gz -o change.svg`,
    )
    .action(async (files: string[], options: FlamegraphOptions) => {
      const format = /\.(html|svg)$/i.exec(options.output)?.[1]?.toLowerCase();
      if (format === undefined)
        throw new ConfigurationError(`Cannot write ${options.output}: its name must end with .html or .svg.`);
      const filter = filterOf(options);
      const view = await import('./profile-view.ts');
      const head = await readProfiles(files, shell);
      columnOfOptions(head, options);
      const base = options.base === undefined ? undefined : await readProfiles([options.base], shell);
      const title = view.titleOf(files);
      const shown = {
        head,
        ...(base && { base }),
        title: base ? `${view.titleOf([options.base!])} → ${title}` : title,
        ...view.dividedBy(head, base),
        sampleType: options.sampleType,
        filter,
      };
      writeResult(options.output, format === 'html' ? view.renderViewPage(shown) : view.renderViewSvg(shown));
      shell.say(`Wrote ${options.output}.`);
    });
}
