import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bundledPackages, renderDependencies } from '../build/dependencies.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');
/** Licences under which the code of others may be part of what we publish. */
const PERMISSIVE = ['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'];
/** Package, version, licence of every row: sizes change with our own code. */
const facts = (markdown: string) =>
  markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim())
        .join(' '),
    );

interface Lockfile {
  packages: Record<string, { integrity?: string; resolved?: string; link?: boolean; hasInstallScript?: boolean }>;
}

describe('what others wrote and users run', () => {
  it('is what docs/dependencies.md lists, under licences that allow it', async () => {
    const packages = await bundledPackages();
    expect(packages.length).toBeGreaterThan(50);
    expect(facts(read('docs/dependencies.md')), 'run: node build/dependencies.ts').toEqual(
      facts(renderDependencies(packages)),
    );
    expect(packages.filter(({ licence }) => !PERMISSIVE.includes(licence))).toEqual([]);
  });

  it('is locked by hash, from the registry, and runs no script when it is installed', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as Lockfile;
    const others = Object.entries(packages).filter(([path, { link }]) => path !== '' && !link);
    expect(others.length).toBeGreaterThan(100);
    expect(others.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? '')).map(([path]) => path)).toEqual([]);
    expect(
      others.filter(([, { resolved }]) => resolved && !resolved.startsWith('https://registry.npmjs.org/')),
    ).toEqual([]);
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  });

  it('is named with exact versions', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('is audited for every change', () => {
    expect(read('.github/workflows/audit.yml')).toMatch(/^ *- run: npm audit --omit=dev/m);
  });
});
