import { type Command, Option } from 'commander';
import { ConfigurationError } from '../errors.ts';
import type { Profile } from '../pprof/columns.ts';
import type { Filter } from '../pprof/filter.ts';
import { ProfileError } from '../pprof/limits.ts';
import { compilePattern } from '../pprof/pattern.ts';
import { sampleColumn } from '../pprof/top.ts';

/** What is shown of a profile, as the options say it. */
export interface ViewOptions extends Filter {
  sampleType: string;
}

/** Adds the options that choose samples and frames; names and meaning are those of `go tool pprof`. */
export function addViewOptions(command: Command): Command {
  const pattern = (name: string, text: string): Option => new Option(`--${name} <regexp>`, text);
  return command
    .addOption(
      new Option('--sample-type <type>', 'what is counted, by name or number').default(
        '',
        'what the profile shows first',
      ),
    )
    .addOption(pattern('focus', 'only samples with a function, file or binary that matches'))
    .addOption(pattern('ignore', 'not the samples with one that matches'))
    .addOption(pattern('hide', 'without the functions that match'))
    .addOption(pattern('show', 'only the functions that match'))
    .option('--tagfocus <filter>', 'only samples with such a label: regexp, key=regexp, or a range as 1kb:64kb')
    .option('--tagignore <filter>', 'not the samples with such a label');
}

/** The filter of the options. @throws ConfigurationError if a pattern cannot be understood. */
export function filterOf({ focus, ignore, hide, show, tagfocus, tagignore }: ViewOptions): Filter {
  try {
    for (const source of [focus, ignore, hide, show]) if (source) compilePattern(source);
    for (const source of [tagfocus, tagignore]) {
      const value = source?.slice(source.indexOf('=') + 1) ?? '';
      for (const part of value.split(',')) compilePattern(part);
    }
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
  return {
    ...(focus && { focus }),
    ...(ignore && { ignore }),
    ...(hide && { hide }),
    ...(show && { show }),
    ...(tagfocus && { tagfocus }),
    ...(tagignore && { tagignore }),
  };
}

/** The column that the options ask for. @throws ConfigurationError that names the sample types there are. */
export function columnOfOptions(profile: Profile, { sampleType }: Pick<ViewOptions, 'sampleType'>): number {
  try {
    return sampleColumn(profile, sampleType);
  } catch (error) {
    if (error instanceof ProfileError && sampleType !== '') throw new ConfigurationError(error.message);
    throw error;
  }
}
