import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { renderReference } from '../../build/cli-reference.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { Shell } from '../../src/cli/shell.ts';
import { systemClock } from '../../src/clock.ts';

const shell: Shell = {
  env: {},
  clock: systemClock,
  print: () => {},
  say: () => {},
  interactive: false,
  color: false,
  takeSignals: () => process,
  columns: 110,
};

/** The command line without what its commands do. */
function inertProgram(): Command {
  const program = createProgram(shell);
  const disarm = (command: Command): void => {
    if (command.commands.length === 0) command.action(() => {});
    for (const nested of command.commands) disarm(nested);
  };
  disarm(program);
  return program;
}

/** Words of a command line as a shell splits them, without comments. */
function words(line: string): string[] {
  return (line.replace(/\s+#.*$/, '').match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
}

const reference = renderReference();
const examples = [...reference.matchAll(/^ {2}(?:ssh .* )?lambda-profile (.*)$/gm)].map(([, rest]) => rest!);

describe('docs/cli.md', () => {
  test('is what the command line says of itself; `node build/cli-reference.ts` writes it', () => {
    expect(readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')).toBe(reference);
  });

  test('has an example for every command that needs one', () => {
    const missing = createProgram(shell)
      .commands.map((command) => command.name())
      .filter((name) => name !== 'demo' && !examples.some((example) => example.startsWith(name)));
    expect(missing).toEqual([]);
  });

  test.each(examples)('the example `lambda-profile %s` is understood', async (example) => {
    await expect(inertProgram().parseAsync(words(example), { from: 'user' })).resolves.toBeDefined();
  });
});
