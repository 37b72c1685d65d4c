import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Zippable, zipSync } from 'fflate';
import { rolldown } from 'rolldown';

/** A built layer. */
export interface Layer {
  /** The unpacked layer; what Lambda mounts at /opt. */
  readonly directory: string;
  /** The zip to publish; the same bytes on every build of the same sources. */
  readonly zip: Uint8Array;
}

/** A file of the layer by its path in it. */
interface LayerFile {
  readonly data: Uint8Array;
  readonly executable: boolean;
}

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const SOURCES = join(REPOSITORY, 'agents/node/src');
const MODULES = join(REPOSITORY, 'node_modules');
const AGENT_DIRECTORY = 'nodejs/lambda-profile';

/** Node.js 22, 24 and 26: the runtimes Lambda offers. */
const ABIS = ['127', '137', '147'];
const PLATFORMS = ['linux-x64', 'linux-arm64'];
const THIRD_PARTY = ['@datadog/pprof', 'pprof-format', 'aws4'];

/**
 * Builds the layer into `outputDirectory`: `opt/` unpacked and `lambda-profile-layer.zip`, replacing what was there.
 * On a machine that is not Linux the native addon of this platform is added, so that functions can run locally.
 */
export async function buildLayer(outputDirectory: string): Promise<Layer> {
  const files = new Map<string, LayerFile>();
  const add = (path: string, data: Uint8Array, executable = false) => files.set(path, { data, executable });

  add('lambda-profile', readFileSync(join(REPOSITORY, 'agents/node/build/lambda-profile.sh')), true);
  for (const [name, code] of await bundle()) add(`${AGENT_DIRECTORY}/${name}`, Buffer.from(code));
  for (const name of nativeAddons()) {
    add(`${AGENT_DIRECTORY}/node_modules/${name}`, readFileSync(join(MODULES, name)));
  }
  add(`${AGENT_DIRECTORY}/LICENSE`, readFileSync(join(REPOSITORY, 'LICENSE')));
  add(`${AGENT_DIRECTORY}/THIRD-PARTY-LICENSES`, Buffer.from(thirdPartyLicenses()));

  const directory = join(resolve(outputDirectory), 'opt');
  rmSync(directory, { recursive: true, force: true });
  for (const [path, { data, executable }] of files) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, data);
    chmodSync(target, executable ? 0o755 : 0o644);
  }
  const zip = pack(files);
  writeFileSync(join(resolve(outputDirectory), 'lambda-profile-layer.zip'), zip);
  return { directory, zip };
}

/** The agent's code: the two entries and the half that is loaded at the first publish. */
async function bundle(): Promise<Map<string, string>> {
  const build = await rolldown({
    cwd: REPOSITORY,
    input: { handler: join(SOURCES, 'handler.ts'), index: join(SOURCES, 'index.ts') },
    platform: 'node',
    logLevel: 'warn',
  });
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
    // One file to load at a cold start besides the entry; what only a publish needs stays in its own.
    codeSplitting: { groups: [{ name: 'agent', test: /src\/(start|wrap-handler|window)\.ts$/ }] },
  });
  await build.close();
  return new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file.code] as const] : [])));
}

function nativeAddons(): string[] {
  const local = `${process.platform}-${process.arch}`;
  const platforms = process.platform === 'linux' ? PLATFORMS : [...PLATFORMS, local];
  return platforms.flatMap((platform) =>
    ABIS.map((abi) => `@datadog/pprof/prebuilds/${platform}/dd_pprof.node.abi${abi}.node`),
  );
}

function thirdPartyLicenses(): string {
  return THIRD_PARTY.map((name) => {
    const { version } = JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8')) as { version: string };
    const license = readFileSync(join(MODULES, name, 'LICENSE'), 'utf8').trim();
    return `${name} ${version}\n\n${license}\n`;
  }).join(`\n${'-'.repeat(80)}\n\n`);
}

/** A zip with sorted names, one fixed time and Unix permissions. */
function pack(files: ReadonlyMap<string, LayerFile>): Uint8Array {
  const entries: Zippable = {};
  for (const path of [...files.keys()].sort()) {
    const { data, executable } = files.get(path)!;
    const mode = 0o100000 | (executable ? 0o755 : 0o644);
    // The zip format has no time zone: a local date gives the same bytes everywhere.
    entries[path] = [data, { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: (mode << 16) >>> 0 }];
  }
  return zipSync(entries);
}

if (import.meta.main) {
  const output = process.argv[2] ?? join(REPOSITORY, 'agents/node/layer');
  const { directory, zip } = await buildLayer(output);
  console.log(`${directory}\n${output}/lambda-profile-layer.zip ${(zip.byteLength / 1e6).toFixed(2)} MB`);
}
