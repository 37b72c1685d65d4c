import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { type Declaration, declarationsOf } from '../../src/pprof/map-frames.ts';
import { createBundleTranslator } from '../../src/pprof/source-map.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import { type Manifest, manifestSchema, type Recording } from '../../src/recordings/recording.ts';
import { applyMapped, mapSources } from '../../src/source-maps.ts';

const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')));
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const write = (path: string, text: string): string => {
  const file = join(workspace, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

const loop = (times: number): string => `
  let sum = 0;
  for (let i = 0; i < units * ${times}e4; i++) {
    const price = Math.sqrt(i * 1.19) + Math.log1p(i) - Math.cbrt(i);
    sum += price > 100 ? Math.hypot(price, sum % 7) : Math.atan2(price, sum % 11);
  }
  return sum;`;

/** Two commits of one function: the head has more in front, so that a minifier names everything anew. */
const SOURCES = {
  base: {
    'src/tax.ts': `export type Units = number;\n\nexport function computeTax(units: Units): number {${loop(3)}\n}\n`,
    'src/index.ts': `import { computeTax } from './tax.ts';\nimport { packParcels } from './shipping.ts';\n\nexport const handler = (units: number): number => computeTax(units) + packParcels(units);\n`,
    'src/shipping.ts': `// Parcels.\n\nexport const packParcels = (units: number): number => {${loop(6)}\n};\n`,
  },
  head: {
    'src/tax.ts': `export type Units = number;\n\nconst rates = [1, 2, 3];\nconst rateOf = (units: number) => rates[units % 3]!;\nexport function computeTax(units: Units): number {${loop(3)}\n}\nexport const rate = rateOf;\n`,
    'src/index.ts': `import { packParcels } from './shipping.ts';\nimport { computeTax, rate } from './tax.ts';\n\nexport const handler = (units: number): number => packParcels(units) + computeTax(units) * rate(units);\n`,
    'src/shipping.ts': `// Parcels.\n\nexport const packParcels = (units: number): number => {${loop(6)}\n};\n`,
  },
};

/** Builds a commit in a folder of the checkout as functions are built, and profiles the minified bundle. */
async function profileBundle(commit: keyof typeof SOURCES): Promise<Recording> {
  for (const [path, text] of Object.entries(SOURCES[commit])) write(`${commit}/${path}`, text);
  const build = await rolldown({ input: join(workspace, commit, 'src/index.ts'), platform: 'node' });
  const file = join(workspace, commit, 'dist/index.mjs');
  await build.write({ file, format: 'esm', minify: true, sourcemap: true });
  await build.close();
  const out = join(workspace, `${commit}.pb.gz`);
  const program = fileURLToPath(new URL('profile-bundle.ts', import.meta.url));
  execFileSync(process.execPath, ['--no-warnings', program, file, out]);
  return { manifest: {} as Manifest, profiles: new Map([['cpu', decodeProfile(readFileSync(out))]]) };
}

const cpuOf = ({ profiles }: Recording) => declarationsOf(profiles.get('cpu')!);
const named = (recording: Recording, name: string): Declaration | undefined =>
  cpuOf(recording).find((declaration) => declaration.name === name);
const lineOf = (commit: keyof typeof SOURCES, file: keyof (typeof SOURCES)['base'], text: string): number =>
  SOURCES[commit][file].split('\n').findIndex((line) => line.includes(text)) + 1;

describe('a function in a minified bundle', () => {
  let base: Recording;
  let head: Recording;
  beforeAll(async () => {
    base = await profileBundle('base');
    head = await profileBundle('head');
  });

  it('has other names in the bundles of two commits, and none of them from the sources', () => {
    const names = [base, head].map((recording) =>
      cpuOf(recording)
        .filter(({ file }) => file === 'index.mjs')
        .map(({ name }) => name),
    );
    expect(names.flat()).not.toContain('computeTax');
    expect(names[0]).not.toEqual(names[1]);
  });

  it.each(['base', 'head'] as const)('reports the names, files and lines of the sources of the %s', (commit) => {
    const { recording, warnings } = mapSources(commit === 'base' ? base : head, join(workspace, commit));
    expect(warnings).toEqual([]);
    for (const [name, file, text] of [
      ['computeTax', 'src/tax.ts', 'function computeTax'],
      ['packParcels', 'src/shipping.ts', 'const packParcels'],
      ['handler', 'src/index.ts', 'const handler'],
    ] as const)
      expect(named(recording, name)).toMatchObject({ file, line: lineOf(commit, file, text) });
    expect(cpuOf(recording).filter(({ file }) => file === 'index.mjs' || file === 'dist/index.mjs')).toEqual([]);
  });

  it('has the same functions in both commits, with their shares', () => {
    const shares = [base, head].map((recording, i) => {
      const mapped = mapSources(recording, join(workspace, i === 0 ? 'base' : 'head')).recording;
      const { names, total } = weighProfile(mapped.profiles.get('cpu')!, 'cpu');
      const of = (name: string): number => total[0]![names.indexOf(name)]!;
      return of('packParcels') / of('handler');
    });
    for (const share of shares) expect(share).toBeGreaterThan(0.5);
    for (const share of shares) expect(share).toBeLessThan(0.8);
  });

  it('keeps what was mapped in the manifest, and applies it to a later measurement without maps', () => {
    const { recording } = mapSources(base, join(workspace, 'base'));
    const again = applyMapped(base, recording.manifest.mapped!);
    expect(cpuOf(again)).toEqual(cpuOf(recording));
    expect(manifestSchema.shape.mapped.safeParse(recording.manifest.mapped).success).toBe(true);
  });

  it('is left as it is when the bundle of the checkout is not the one that was deployed', () => {
    const { recording, warnings } = mapSources(head, join(workspace, 'base'));
    expect(recording).toBe(head);
    expect(warnings).toEqual([
      'dist/index.mjs.map is not the map of the index.mjs that was measured: its functions are elsewhere. Have the bundle that was deployed in the checkout when the gate runs.',
    ]);
  });

  it('takes the bundle that agrees among several of one name', () => {
    const { recording, warnings } = mapSources(head, workspace);
    expect(warnings).toEqual([]);
    expect(named(recording, 'computeTax')).toMatchObject({ file: 'head/src/tax.ts' });
  });

  it.each([
    ['no map', 'empty', () => write('empty/readme.md', '')],
    ['a map without its bundle', 'alone', () => write('alone/index.mjs.map', '{}')],
    [
      'a link out of the checkout',
      'linked',
      () => {
        write('linked/readme.md', '');
        symlinkSync(join(workspace, 'head/dist/index.mjs.map'), join(workspace, 'linked/index.mjs.map'));
        symlinkSync(join(workspace, 'head/dist/index.mjs'), join(workspace, 'linked/index.mjs'));
      },
    ],
    ['no checkout', 'nowhere', () => undefined],
  ])('stays as it is with %s', (_, folder, prepare) => {
    prepare();
    expect(mapSources(head, join(workspace, folder)).recording).toBe(head);
  });
});

describe('createBundleTranslator()', () => {
  const map = (sources: string[], more: object = {}): string =>
    JSON.stringify({ version: 3, sources, names: ['computeTax'], mappings: 'SASAA', ...more });
  const declaration = { name: 'a', file: 'index.mjs', line: 1, column: 11 };
  const code = 'function a(b){return b}';

  it.each([
    ['../src/tax.ts', 'services/orders/src/tax.ts'],
    ['../../../../../etc/passwd', 'etc/passwd'],
    ['/etc/passwd', 'etc/passwd'],
    ['webpack://orders/./src/tax.ts', 'src/tax.ts'],
    ['file:///etc/passwd', 'etc/passwd'],
  ])('names the source %s %s', (source, file) => {
    const translator = createBundleTranslator({ code, map: map([source]), directory: 'services/orders/dist' });
    expect(translator.translate(declaration)).toEqual({ name: 'computeTax', file, line: 10, column: 1 });
  });

  it('reads the name in the source when the map has none', () => {
    const sourcesContent = [`${'\n'.repeat(9)}computeTax(units) {}`];
    const text = map(['tax.ts'], { names: [], mappings: 'SASA', sourcesContent });
    const translator = createBundleTranslator({ code, map: text, directory: '' });
    expect(translator.translate(declaration)).toMatchObject({ name: 'computeTax', file: 'tax.ts', line: 10 });
  });

  it.each([
    ['function a(b)', 11, 'a'],
    ['const a=(b)=>b', 9, 'a'],
    ['const a=async function(b){}', 23, 'a'],
    ['class a{constructor(b){}}', 1, 'a'],
    ['({total(b){}})', 8, 'total'],
    ['export default function(b){}', 24, undefined],
  ])('finds the name in `%s`', (text, column, name) => {
    const translator = createBundleTranslator({ code: text, map: map(['tax.ts']), directory: '' });
    const at = { file: '', line: 1, column };
    expect(translator.agreement([{ ...at, name: name ?? 'x' }])).toBe(name === undefined ? 0 : 1);
    expect(translator.agreement([{ ...at, name: 'other' }])).toBe(0);
  });

  it('knows nothing of positions that are not there', () => {
    const translator = createBundleTranslator({ code, map: map(['tax.ts'], { mappings: '' }), directory: '' });
    for (const [line, column] of [
      [0, 0],
      [1, 11],
      [99, 3],
      [1, 1e9],
    ] as const)
      expect(translator.translate({ ...declaration, line, column })).toBeUndefined();
  });

  it('refuses what is no map', () => {
    expect(() => createBundleTranslator({ code, map: 'nothing', directory: '' })).toThrow(SyntaxError);
  });
});
