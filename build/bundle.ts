/**
 * Bundles what users run: `dist/action.js` and `dist/cli.js`, one file each, with everything in it.
 * The output depends on the sources and the lockfile alone; CI compares it with what is committed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };

/** Bundles one entry of `src/` into `directory`. */
export async function bundle(entry: string, directory: string): Promise<void> {
  const build = await rolldown({
    input: `${root}/src/${entry}.ts`,
    platform: 'node',
    cwd: root,
    transform: { target: 'node24', define: { __VERSION__: JSON.stringify(version) } },
    logLevel: 'warn',
  });
  await build.write({
    file: `${directory}/${entry}.js`,
    format: 'esm',
    codeSplitting: false,
    // Names stay, so that a stack trace and a review can be read; only white space and dead code go.
    minify: { compress: true, mangle: false, codegen: true },
    comments: { legal: false },
    banner: entry === 'cli' ? '#!/usr/bin/env node' : '',
  });
  await build.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2] ?? `${root}/dist`;
  for (const entry of ['action', 'cli']) if (existsSync(`${root}/src/${entry}.ts`)) await bundle(entry, directory);
}
