import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLayer, type Layer } from '../build/layer.ts';
import { ENGINE } from '../src/addon.ts';

describe('buildLayer()', () => {
  const directories = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'layer-')));
  let layers: Layer[];
  beforeAll(async () => {
    layers = await Promise.all(directories.map(buildLayer));
  });
  afterAll(() => {
    for (const directory of directories) rmSync(directory, { recursive: true });
  });

  it('makes the same bytes every time', () => {
    expect(Buffer.compare(layers[0]!.zip, layers[1]!.zip)).toBe(0);
    expect(Buffer.compare(readFileSync(join(directories[0]!, 'lambda-profile-layer.zip')), layers[0]!.zip)).toBe(0);
  });

  it('has the wrapper, three files of code, the licenses and an addon for each platform and runtime of Lambda', () => {
    const files = Object.keys(unzipSync(layers[0]!.zip));
    const addons = files.filter((name) => name.endsWith('.node'));
    expect(files.filter((name) => !name.endsWith('.node'))).toEqual([
      'lambda-profile',
      'nodejs/lambda-profile/LICENSE',
      'nodejs/lambda-profile/THIRD-PARTY-LICENSES',
      'nodejs/lambda-profile/agent.mjs',
      'nodejs/lambda-profile/handler.mjs',
      'nodejs/lambda-profile/index.mjs',
      'nodejs/lambda-profile/publish.mjs',
    ]);
    for (const platform of ['linux-x64', 'linux-arm64']) {
      for (const abi of [127, 137, 147]) {
        expect(addons).toContain(
          `nodejs/lambda-profile/node_modules/@datadog/pprof/prebuilds/${platform}/dd_pprof.node.abi${abi}.node`,
        );
      }
    }
    // Elsewhere the builder's own platform is added.
    if (process.platform === 'linux') expect(addons).toHaveLength(6);
  });

  it('reports the version of the engine that it contains', () => {
    const { version } = createRequire(import.meta.url)('@datadog/pprof/package.json');
    expect(ENGINE).toBe(`dd-pprof/${version}`);
  });

  it('is at most 1.2 MB', () => {
    expect(layers[0]!.zip.byteLength).toBeLessThan(1_200_000);
  });

  it('unpacks to what the zip holds, with an executable wrapper', () => {
    const { directory, zip } = layers[0]!;
    for (const [name, contents] of Object.entries(unzipSync(zip))) {
      expect(Buffer.compare(readFileSync(join(directory, name)), contents)).toBe(0);
    }
    expect(statSync(join(directory, 'lambda-profile')).mode & 0o777).toBe(0o755);
  });

  it('names no path of the machine it was built on', () => {
    for (const [name, contents] of Object.entries(unzipSync(layers[0]!.zip))) {
      if (name.endsWith('.mjs')) expect(Buffer.from(contents).toString()).not.toContain(process.cwd());
    }
  });
});
