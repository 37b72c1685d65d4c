/**
 * The text of `docs/configuration.md`: every setting, where it can be given, and what it is when nobody gives it; from
 * action.yml, the options of the command line, the keys of the config file and the defaults in the code.
 * `npm run reference` writes it, and a test compares.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { GATE_OPTIONS } from '../src/cli/gate-options.ts';
import { configSchema } from '../src/config-schema.ts';
import { CONFIG_KEYS, DEFAULTS } from '../src/settings.ts';

interface ActionFile {
  inputs: Record<string, { description: string; default?: string; required?: boolean }>;
  outputs: Record<string, { description: string }>;
}

interface Schema {
  description?: string;
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  enum?: string[];
  examples?: string[];
}

const SWITCHES: Record<string, string> = {
  'update-baseline': '--update-baseline',
  'fail-on-error': '--no-fail-on-error',
};

const INTRODUCTION = `# Configuration reference

Every setting, and where it can be given. An input of the Action and an option of the command line win over the config
file, and the config file over the default. [config.md](config.md) explains the file; the variables of the agents are in
[agents/node](../agents/node/README.md#settings) and [agents/go](../agents/go/README.md).

Written by \`npm run reference\` from \`action.yml\`, the command line and the schema of the config file.
`;

/** The action.yml of a folder of the repository. */
export function readAction(folder = ''): ActionFile {
  return parse(readFileSync(new URL(`../${folder}action.yml`, import.meta.url), 'utf8')) as ActionFile;
}

/** What a description says of the default, apart from what else it says. */
export function splitDefault(description: string): { text: string; byDefault: string } {
  const at = description.search(/\bDefault(:| is) /);
  if (at < 0) return { text: description.trim(), byDefault: '' };
  return {
    text: description.slice(0, at).trim().replace(/\.$/, ''),
    byDefault: description.slice(at).replace(/^Default(:| is) /, ''),
  };
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function optionOf(name: string): string {
  if (name === 'function-name') return 'the argument';
  if (GATE_OPTIONS[name]) return `\`--${name}\``;
  return SWITCHES[name] ? `\`${SWITCHES[name]}\`` : '';
}

function renderInputs({ inputs }: ActionFile): string {
  const rows = Object.entries(inputs).map(([name, { description, required, default: given }]) => {
    const { text, byDefault } = splitDefault(description);
    const known = DEFAULTS[name];
    const shown = required
      ? '**required**'
      : given !== undefined
        ? `\`${given}\``
        : known !== undefined
          ? `\`${known}\``
          : byDefault;
    const inFile = (CONFIG_KEYS as readonly string[]).includes(name) ? 'yes' : '';
    return `| \`${name}\` | ${optionOf(name)} | ${inFile} | ${cell(shown)} | ${cell(text)} |`;
  });
  return `| input | option | in the file | default | what it is |\n|:--|:--|:--|:--|:--|\n${rows.join('\n')}\n`;
}

/** What a value may be, in a few words. */
function kindOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kindOf))].join(', or ');
  if (schema.type === 'array') return schema.items?.properties ? 'list' : `list of ${kindOf(schema.items ?? {})}`;
  if (schema.properties)
    return Object.keys(schema.properties)
      .map((key) => `\`${key}\``)
      .join(', ');
  return schema.examples ? `such as \`${schema.examples[0]}\`` : (schema.type ?? 'any');
}

function renderPolicy(): string {
  const { properties } = z.toJSONSchema(configSchema, { io: 'input' }) as Schema;
  const rows = Object.entries(properties!)
    .filter(([key]) => !(CONFIG_KEYS as readonly string[]).includes(key))
    .flatMap(([key, schema]) => {
      const row = (name: string, one: Schema): string =>
        `| \`${name}\` | ${cell(kindOf(one))} | ${cell(one.description ?? '')} |`;
      return [
        row(key, schema),
        ...Object.entries(schema.items?.properties ?? {}).map(([name, one]) => row(`${key}[].${name}`, one)),
      ];
    });
  return `| key | value | what it is |\n|:--|:--|:--|\n${rows.join('\n')}\n`;
}

function renderPlain(entries: Record<string, { description: string }>, head: string): string {
  const rows = Object.entries(entries).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`);
  return `| ${head} | what it is |\n|:--|:--|\n${rows.join('\n')}\n`;
}

/** The text of `docs/configuration.md`. */
export function renderConfiguration(): string {
  const action = readAction();
  const comment = readAction('comment/');
  return [
    INTRODUCTION,
    '## Settings\n',
    renderInputs(action),
    '## Keys of the config file alone\n',
    renderPolicy(),
    '## Outputs\n',
    renderPlain(action.outputs, 'output'),
    '## Inputs of `comment/action.yml`\n',
    renderPlain(comment.inputs, 'input'),
  ].join('\n');
}
