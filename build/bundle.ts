/**
 * Bundles what users run: `dist/action.js` and `dist/comment.js`, one file each with everything in it, and `dist/cli.js`,
 * which loads from `dist/cli/` only what a command needs: `merge` should not wait for the AWS SDK to be read. Beside them
 * are the licences of what is in them.
 * The output depends on the sources and the lockfile alone; CI compares it with what is committed.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { noticesOf } from './packages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };

/**
 * Leaves out what a job cannot reach. Of undici, @actions/* use `fetch` and the proxy agent: not its mocks, caches and
 * sockets. Its HTTP parser comes twice, with and without SIMD, which every processor that runs Node 24 has. The
 * build of yaml for browsers is the same code as modules, so that its unused half can go.
 */
const slimDependencies: Plugin = {
  name: 'slim-dependencies',
  resolveId(id) {
    if (id === 'undici') return UNDICI;
    if (id === 'yaml') return `${root}/node_modules/yaml/browser/dist/index.js`;
    if (id.endsWith('llhttp/llhttp-wasm.js')) return `${root}/node_modules/undici/lib/llhttp/llhttp_simd-wasm.js`;
    return undefined;
  },
  load(id) {
    if (id !== UNDICI) return undefined;
    return [
      `export { fetch } from '${root}/node_modules/undici/lib/web/fetch/index.js';`,
      `export { default as ProxyAgent } from '${root}/node_modules/undici/lib/dispatcher/proxy-agent.js';`,
    ].join('\n');
  },
};
const UNDICI = '\0undici';

/**
 * Bundles one entry of `src/` into `directory`, as `name`.js.
 * @returns for every module in it, its bytes before they are minified
 */
export async function bundle(entry: string, directory: string, name = entry): Promise<Map<string, number>> {
  const build = await rolldown({
    input: `${root}/src/${entry}.ts`,
    platform: 'node',
    cwd: root,
    transform: { target: 'node24', define: { __VERSION__: JSON.stringify(version) } },
    // Modules rather than CommonJS: of the AWS SDK only the commands in use stay.
    resolve: { mainFields: ['module', 'main'] },
    plugins: [slimDependencies],
    logLevel: 'warn',
  });
  const { output } = await build.write({
    ...(entry === 'cli'
      ? {
          dir: directory,
          entryFileNames: `${name}.js`,
          chunkFileNames: `${name}/[name].js`,
          codeSplitting: { groups: [{ name: 'aws', test: /node_modules[\\/](?:@aws-sdk|@smithy)[\\/]/ }] },
        }
      : { file: `${directory}/${name}.js`, codeSplitting: false }),
    format: 'esm',
    // Names of functions and classes stay, so that a stack trace can be read.
    minify: { compress: true, mangle: { toplevel: true, keepNames: true }, codegen: true },
    comments: { legal: false },
    banner: ({ isEntry }) => (entry === 'cli' && isEntry ? '#!/usr/bin/env node' : ''),
  });
  await build.close();
  if (entry === 'cli') chmodSync(`${directory}/${name}.js`, 0o755); // `npx lambda-profile` starts it as it is
  const chunks = output.filter((file) => file.type === 'chunk');
  return new Map(
    chunks.flatMap(({ modules }) => Object.entries(modules).map(([id, { renderedLength }]) => [id, renderedLength])),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2] ?? `${root}/dist`;
  rmSync(directory, { recursive: true, force: true });
  const modules = [
    await bundle('action', directory),
    await bundle('comment-action', directory, 'comment'),
    await bundle('cli', directory),
  ].flatMap((sizes) => [...sizes].filter(([, bytes]) => bytes > 0).map(([id]) => id));
  writeFileSync(`${directory}/third-party-licenses.txt`, noticesOf(modules));
}
