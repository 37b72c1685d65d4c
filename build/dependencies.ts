/**
 * Writes `docs/dependencies.md`: what others wrote and users run, as `dist/` and the layer hold it: `node
 * build/dependencies.ts`. A test compares packages, versions and licences.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable } from 'markdown-table';
import { bundle } from './bundle.ts';
import { manifestOf, packageFolder } from './packages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is built, and what of it. */
const BUNDLES = { action: 'action.js', 'comment-action': 'comment.js', cli: 'cli.js' } as const;
type Bundle = keyof typeof BUNDLES;

/** A package whose code is in a bundle. */
export interface BundledPackage {
  name: string;
  version: string;
  licence: string;
  /** Bytes of its code in each bundle, before it is minified; 0 where it is not used. */
  bytes: Record<Bundle, number>;
}

/** In the layer, whole: what bundles do not hold. `agents/node/build/layer.ts` packs them. */
const LAYER = ['@datadog/pprof', 'pprof-format', 'aws4'];

/** What the bundles hold, by name, from a build of them. */
export async function bundledPackages(): Promise<BundledPackage[]> {
  const directory = mkdtempSync(join(tmpdir(), 'dependencies-'));
  const packages = new Map<string, BundledPackage>();
  try {
    for (const entry of Object.keys(BUNDLES) as Bundle[])
      for (const [id, bytes] of await bundle(entry, directory)) {
        const folder = packageFolder(id);
        if (folder === undefined || bytes === 0) continue;
        const { name, version, license } = manifestOf(folder);
        const key = `${name}@${version}`;
        const known = packages.get(key) ?? {
          ...{ name, version, licence: license },
          bytes: { action: 0, 'comment-action': 0, cli: 0 },
        };
        known.bytes[entry] += bytes;
        packages.set(key, known);
      }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return [...packages.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** The text of `docs/dependencies.md`. */
export function renderDependencies(packages: BundledPackage[]): string {
  const kilobytes = (bytes: number) => (bytes === 0 ? '' : `${Math.max(1, Math.round(bytes / 1000))}`);
  const rows = packages.map(({ name, version, licence, bytes }) => [
    name,
    version,
    licence,
    ...(Object.keys(BUNDLES) as Bundle[]).map((entry) => kilobytes(bytes[entry])),
  ]);
  const total = (entry: Bundle) => kilobytes(packages.reduce((sum, { bytes }) => sum + bytes[entry], 0));
  const direct = Object.keys(readDirect());
  const layer = LAYER.map((name) => manifestOf(join(root, 'node_modules', name)));
  return `# Dependencies

What others wrote and users run. Everything is in the lockfile with a version and a hash, and bundled into \`dist/\`, with the
licences in \`dist/third-party-licenses.txt\`: a job installs nothing. \`.npmrc\` turns install scripts off; \`.github/workflows/audit.yml\` asks every week, and for every
change, whether a vulnerability is known. Written by \`node build/dependencies.ts\`.

The project names ${direct.length} packages; with theirs, ${packages.length} are in the bundles. Sizes are kB of code before it is minified.

${markdownTable([['package', 'version', 'licence', ...Object.values(BUNDLES)], ...rows, ['all', '', '', ...(Object.keys(BUNDLES) as Bundle[]).map(total)]], { align: ['l', 'l', 'l', 'r', 'r', 'r'] })}

The layer of the Node.js agent holds, next to its own code:

${markdownTable([['package', 'version', 'licence'], ...layer.map(({ name, version, license }) => [name, version, license])])}

The Go agent is a module of its own: the standard library and ${goModules()}.
`;
}

function readDirect(): Record<string, string> {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> })
    .dependencies;
}

/** What `agents/go/go.mod` requires, as Markdown. */
function goModules(): string {
  const text = readFileSync(join(root, 'agents/go/go.mod'), 'utf8');
  const required = Array.from(text.matchAll(/^(?:require|\t)\s*(\S+\.\S+\/\S+) (v\S+)/gm));
  return required.map(([, path, version]) => `\`${path}\` ${version}`).join(', ');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, 'docs/dependencies.md'), renderDependencies(await bundledPackages()));
