import { type Command, Option } from 'commander';
import type { Profile } from '../pprof/columns.ts';
import { diffProfiles } from '../pprof/diff.ts';
import { alignProfiles } from '../pprof/sample-types.ts';
import { computeTop, type Top } from '../pprof/top.ts';
import { addViewOptions, columnOfOptions, filterOf, type ViewOptions } from './filter-options.ts';
import { renderRows } from './json.ts';
import { FILE_HELP, readProfiles } from './profile-files.ts';
import type { Shell } from './shell.ts';
import { renderTop } from './top-text.ts';

interface DiffCommandOptions extends ViewOptions {
  json?: true;
  cum?: true;
  reading: 'diff_base' | 'base';
  normalize?: true;
}

/** `diff BASE HEAD`: what grew and shrank between two profiles, as `go tool pprof -top -diff_base=BASE HEAD` lists it. */
export function addDiff(program: Command, shell: Shell): void {
  const command = program
    .command('diff')
    .summary('compare two profiles, function by function')
    .description(
      'Lists what each function gained or lost from BASE to HEAD, as `go tool pprof -top -diff_base=BASE HEAD` does. Values are those of the whole profiles: the gate divides by invocations and knows noise from change, this does not.',
    )
    .argument('<base>', FILE_HELP)
    .argument('<head>', FILE_HELP)
    .option('--cum', 'sort by the value with all they call')
    .option('--json', 'print JSON: every function, base, head and delta')
    .addOption(
      new Option(
        '--reading <reading>',
        "the option of go tool pprof to subtract as: percentages are of BASE's total, or of all that changed",
      )
        .choices(['diff_base', 'base'])
        .default('diff_base'),
    )
    .option('--normalize', 'first scale HEAD to the total of BASE');
  addViewOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile diff base.cpu.pb.gz head.cpu.pb.gz
  lambda-profile diff --json --sample-type alloc_space s3://octo-profiles/base/ s3://octo-profiles/head/`,
    )
    .action(async (basePath: string, headPath: string, options: DiffCommandOptions) => {
      const filter = filterOf(options);
      const read = await Promise.all([readProfiles([headPath], shell), readProfiles([basePath], shell)]);
      const [head, base] = alignProfiles(read) as [Profile, Profile];
      columnOfOptions(head, options);
      const topOf = (profile: Profile): Top =>
        computeTop(profile, {
          sampleType: options.sampleType,
          sort: options.cum ? 'total' : 'self',
          filter,
          trim: !options.json,
        });
      if (options.json) return shell.print(renderDiff(topOf(base), topOf(head)));
      const reading = options.reading === 'base' ? 'base' : 'diff-base';
      shell.print(renderTop(topOf(diffProfiles(base, head, reading, options.normalize)), filter));
    });
}

/** Every function of either side, by the size of its change. */
function renderDiff(base: Top, head: Top): string {
  const sides = [base, head].map(({ rows }) => new Map(rows.map((row) => [row.name, row]))) as [Rows, Rows];
  const pair = (base: bigint, head: bigint) => ({ base, head, delta: head - base });
  const functions = [...new Set([...sides[0].keys(), ...sides[1].keys()])].map((name) => {
    const [b, h] = sides.map((rows) => rows.get(name));
    return { name, self: pair(b?.self ?? 0n, h?.self ?? 0n), total: pair(b?.total ?? 0n, h?.total ?? 0n) };
  });
  const size = (value: bigint): bigint => (value < 0n ? -value : value);
  functions.sort((a, b) => {
    const [x, y] = [size(a.self.delta), size(b.self.delta)];
    return x === y ? (a.name < b.name ? -1 : 1) : x > y ? -1 : 1;
  });
  const { type, unit } = head.profile.sampleTypes[head.column]!;
  const total = pair(base.total, head.total);
  return renderRows({ schemaVersion: 1, sampleType: type, unit, total }, 'functions', functions);
}

type Rows = Map<string, Top['rows'][number]>;
