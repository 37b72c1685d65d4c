import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readAction, renderConfiguration, splitDefault } from '../build/configuration-reference.ts';
import { releaseNotes } from '../build/release-notes.ts';
import { renderInitFiles } from '../src/cli/init-files.ts';
import { createProgram } from '../src/cli/program.ts';
import type { Shell } from '../src/cli/shell.ts';
import { systemClock } from '../src/clock.ts';
import { type PolicyInput, renderPolicies } from '../src/iam.ts';
import { priceOf } from '../src/lambda/cost.ts';
import { DEFAULTS, INPUT_NAMES, parseSettings } from '../src/settings.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...['agents/node/README.md', 'agents/go/README.md'],
];

/** Fenced blocks of a document. */
function blocksOf(markdown: string): { language: string; text: string }[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}

/** Prose of a document: what is not in a fenced block. */
const proseOf = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, '');

/** The anchors GitHub gives to the headings of a document. */
function anchorsOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

/** Lines of shell commands, continued ones joined. */
function commandsOf(markdown: string): string[] {
  return blocksOf(markdown)
    .filter(({ language }) => ['', 'sh', 'bash', 'shell'].includes(language))
    .flatMap(({ text }) => text.replace(/\\\n\s*/g, '').split('\n'))
    .flatMap((line) => line.replace(/\s+#.*$/, '').split(/\s+&&\s+/))
    .map((line) => line.trim());
}

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

const words = (line: string): string[] =>
  (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));

describe.each(documents)('%s', (path) => {
  const markdown = read(path);
  const links = [...proseOf(markdown).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, link]) => link!);

  test('links to files and headings that are there', () => {
    const broken = links.filter((link) => {
      if (/^https:\/\//.test(link)) return false;
      const [file, anchor] = link.split('#') as [string, string | undefined];
      const target = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('gives commands that are understood', async () => {
    const wrong: string[] = [];
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const command of commandsOf(markdown)) {
      const ours = /^(?:ssh .* )?(?:npx (?:-p github:\S+ )?)?lambda-profile (.*)$/.exec(command);
      if (ours && !/^--(help|version)/.test(ours[1]!))
        await inertProgram()
          .parseAsync(words(ours[1]!), { from: 'user' })
          .catch((error: Error) => wrong.push(`${command}: ${error.message}`));
      const script = /^npm (?:run )?(?:--silent )?([\w:-]+)/.exec(command)?.[1];
      if (script !== undefined && !['ci', 'install'].includes(script) && !(script in scripts)) wrong.push(command);
      const file = /^(?:npx )?(?:node|bash) ([\w./-]+)/.exec(command)?.[1];
      if (file !== undefined && !existsSync(join(root, file))) wrong.push(command);
    }
    expect(wrong).toEqual([]);
  });

  test('has JSON and YAML that can be read, and workflows with inputs that exist', () => {
    for (const { language, text } of blocksOf(markdown)) {
      if (language === 'json') expect(() => JSON.parse(text), text).not.toThrow();
      if (language !== 'yaml') continue;
      expect(parseAllDocuments(text, { logLevel: 'silent' }).flatMap(({ errors }) => errors.map(String))).toEqual([]);
      for (const [, folder, given] of text.matchAll(
        /uses: \S+\/lambda-profile-action(\/comment)?@v1\n\s+with:\n((?:\s+[\w-]+: .*\n?)+)/g,
      ))
        expect(Object.keys(readAction(folder ? 'comment/' : '').inputs)).toEqual(
          expect.arrayContaining(Object.keys(parse(given!) as object)),
        );
    }
  });
});

describe('config files in the documents', () => {
  const configs = documents.flatMap((path) =>
    blocksOf(read(path))
      .filter(
        ({ language, text }) =>
          language === 'yaml' && /^(fail-threshold|invocations):/m.test(text) && !/uses:/.test(text),
      )
      .map(({ text }) => text),
  );
  test.each(configs)('are accepted: %s', (text) => {
    expect(() => parseSettings({ 'function-name': 'orders', 's3-bucket': 'octo-profiles' }, text)).not.toThrow();
  });
});

describe('docs/configuration.md', () => {
  test('is what action.yml, command line and config file say; `npm run reference` writes it', () => {
    expect(read('docs/configuration.md')).toBe(renderConfiguration());
  });

  test('action.yml has every input that is read, and no other', () => {
    expect(Object.keys(readAction().inputs).sort()).toEqual([...INPUT_NAMES].sort());
  });

  test('action.yml tells the defaults of the code', () => {
    const differing = Object.entries(readAction().inputs).filter(([name, { description, default: given }]) => {
      const { byDefault } = splitDefault(description);
      const known = DEFAULTS[name];
      const spoken = name === 'monthly-invocations' ? 'not stated' : known;
      return given === undefined && known !== undefined && byDefault !== spoken;
    });
    expect(differing).toEqual([]);
  });
});

describe('docs/troubleshooting.md', () => {
  const sources = execFileSync('git', ['ls-files', 'src', 'agents/node/src'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path.endsWith('.ts') && existsSync(join(root, path)))
    .map(read);
  const messages = [...read('docs/troubleshooting.md').matchAll(/^### `(.+)`$/gm)].map(([, message]) => message!);

  test.each(messages)('explains a message that there is: %s', (message) => {
    const parts = message
      .split('…')
      .map((part) => part.trim())
      .filter((part) => part.length > 2);
    // What stands between the parts is put in: any expression.
    const known = sources.some((source) => parts.every((part) => source.includes(part)));
    expect(known).toBe(true);
  });
});

describe('docs/cost.md', () => {
  const rows = [
    ...read('docs/cost.md').matchAll(/^\| (\d+) ms, (\d+) MB \| \$([\d.]+) \| \$([\d.]+) \| \$([\d.]+) \|$/gm),
  ];

  test('has prices that the table of the code gives', () => {
    expect(rows).toHaveLength(4);
    for (const [, durationMs, memoryMb, run, confirmed, hundred] of rows) {
      const price = priceOf({ region: 'eu-west-1', architecture: 'x86_64', memoryMb: Number(memoryMb) });
      if (!price.known) throw new Error(price.reason);
      const perCall = (Number(durationMs) * price.perBilledMs + price.requests) / 1e6;
      expect([run, confirmed, hundred].map(Number)).toEqual([
        Number((1300 * perCall).toFixed(4)),
        Number((3900 * perCall).toFixed(4)),
        Number((90 * 1300 * perCall + 10 * 3900 * perCall).toFixed(2)),
      ]);
    }
  });
});

describe('dist/cli.js', () => {
  test('can be started as it is, as `npx lambda-profile` does', () => {
    const mode = execFileSync('git', ['ls-files', '-s', 'dist/cli.js'], { cwd: root, encoding: 'utf8' }).slice(0, 6);
    expect(mode).toBe('100755');
  });
});

describe('workflows', () => {
  const input: PolicyInput = {
    ...{ functionName: 'orders', region: 'eu-west-1', accountId: '123456789012', bucket: 'octo-profiles' },
    ...{ prefix: 'sparta/pprof', stack: 'orders', baselinePrefix: 'lambda-profile/recordings' },
    ...{ repository: 'octo-org/orders', branch: 'main' },
  };
  const texts = [
    ...execFileSync('git', ['ls-files', '.github/workflows', 'examples/workflows'], { cwd: root, encoding: 'utf8' })
      .split('\n')
      .filter((path) => path.endsWith('.yml') && existsSync(join(root, path)))
      .map((path) => [path, read(path)] as const),
    ...documents.map((path) => [path, read(path)] as const),
    ['init', renderInitFiles(input, renderPolicies(input))['.github/workflows/lambda-profile.yml']!] as const,
  ];

  test('pin the actions of others by commit, the same everywhere', () => {
    const pins = new Map<string, Set<string>>();
    const loose: string[] = [];
    for (const [path, text] of texts)
      for (const [, action, ref] of text.matchAll(/uses: ([\w-]+\/[\w-]+)(?:\/[\w/-]+)?@(.+)$/gm)) {
        if (action!.endsWith('/lambda-profile-action')) continue;
        if (!/^[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(ref!)) loose.push(`${path}: ${action}@${ref}`);
        pins.set(action!, (pins.get(action!) ?? new Set()).add(ref!));
      }
    expect(loose).toEqual([]);
    expect([...pins].filter(([, refs]) => refs.size > 1)).toEqual([]);
    expect(pins.size).toBeGreaterThan(5);
  });
});

describe('examples/functions/*/deploy/serverless.yml', () => {
  test.each(['node', 'go'])('gives the %s function the permission that it needs, and nothing else', (language) => {
    const text = read(`examples/functions/${language}/deploy/serverless.yml`).replaceAll(
      `\${param:bucket}`,
      'octo-profiles',
    );
    const { provider, functions } = parse(text) as {
      provider: { iam: { role: { statements: Record<string, string>[] } }; environment: Record<string, string> };
      functions: Record<string, { name: string }>;
    };
    expect(provider.iam.role.statements).toEqual([
      {
        Effect: 'Allow',
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::octo-profiles/sparta/pprof/orders/profiles/*',
      },
    ]);
    expect(provider.environment.LAMBDA_PROFILE_BUCKET).toBe('octo-profiles');
    expect(functions.orders?.name).toBe('orders');
  });
});

describe('releaseNotes()', () => {
  const changelog = '# Changes\n\n## 1.2.0\n\nFaster.\n\n## 1.1.0\n\nFirst.\n';
  test('is the section of the version', () => {
    expect(releaseNotes('v1.2.0', '1.2.0', changelog)).toBe('Faster.\n');
  });
  test('refuses a tag that is not the version, and a version nobody wrote about', () => {
    expect(() => releaseNotes('v1.2.1', '1.2.0', changelog)).toThrow('the tag must be v1.2.0');
    expect(() => releaseNotes('v1.3.0', '1.3.0', changelog)).toThrow('CHANGELOG.md says nothing below "## 1.3.0"');
  });
});
