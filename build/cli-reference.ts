/**
 * Writes `docs/cli.md` from the help of the command line, and `docs/configuration.md`: `npm run reference`. A test
 * compares them.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createProgram } from '../src/cli/program.ts';
import type { Shell } from '../src/cli/shell.ts';
import { systemClock } from '../src/clock.ts';
import { renderConfiguration } from './configuration-reference.ts';

const INTRODUCTION = `# The command line

Everything the Action does, from a shell: against AWS with the credentials of your profile, or against a loopback cloud
(\`AWS_ENDPOINT_URL_S3\`, \`AWS_ENDPOINT_URL_LAMBDA\`). \`top\`, \`diff\`, \`merge\` and \`flamegraph\` work on any pprof file.

\`\`\`
npx lambda-profile --help                                             # in a clone of the project
npx -p github:org/lambda-profile-action lambda-profile --help         # anywhere else
\`\`\`

* Results go to standard output, progress and everything else to standard error. \`--json\` prints one document with a
  \`schemaVersion\`.
* Questions are asked on terminals only. Elsewhere a missing answer is exit code 2, with the flag in the message; after
  questions, the command that needs none is printed.
* \`NO_COLOR\` and \`FORCE_COLOR\` are respected. Names from profiles, keys and logs cannot move the cursor.
* Nothing in S3 is deleted, except by \`recordings prune --yes\`.

| exit code | meaning |
|--:|:--|
| 0 | done; of \`gate\`: nothing got slower, or there was nothing to compare with |
| 1 | \`gate\`: a function got slower |
| 2 | wrong usage or configuration: the message names the flag |
| 3 | could not read or measure |
| 4 | \`gate\`: inconclusive, where that fails |
| 130 | interrupted |
`;

/** The text of `docs/cli.md`. */
export function renderReference(): string {
  let printed = '';
  const shell: Shell = {
    env: {},
    clock: systemClock,
    print: (text) => {
      printed += text;
    },
    say: () => {},
    interactive: false,
    color: false,
    takeSignals: () => process,
    columns: 110,
  };
  const helpOf = (command: Command): string => {
    printed = '';
    command.outputHelp();
    return printed.trimEnd();
  };
  const section = (command: Command, path: string, level: string): string[] => {
    const nested = command.commands.filter((one) => one.name() !== 'help');
    const text = `${level} ${path}\n\n\`\`\`\n${helpOf(command)}\n\`\`\`\n`;
    return [text, ...nested.flatMap((one) => section(one, `${path} ${one.name()}`, `${level}#`))];
  };
  const commands = createProgram(shell).commands.filter((one) => one.name() !== 'help');
  return [INTRODUCTION, ...commands.flatMap((one) => section(one, one.name(), '##'))].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, text] of [
    ['cli.md', renderReference()],
    ['configuration.md', renderConfiguration()],
  ] as const)
    writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
