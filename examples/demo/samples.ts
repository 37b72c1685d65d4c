import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLayer } from '../../agents/node/build/layer.ts';
import type { DeployOptions } from '../../test/cloud/deploy.ts';
import { readFiles } from '../../test/cloud/deploy.ts';
import { buildGo, goVersion } from '../../test/go/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A sample function, and what a pull request makes of it. */
export interface Sample {
  /** Title of the pull request's step. */
  change: string;
  /** The function that the pull request makes slower, as the report calls it. */
  slower: string;
  /** Inputs of the Action that differ from the defaults. */
  inputs: Record<string, string>;
  /** What this machine lacks for it, if it does. */
  missing(): Promise<string | undefined>;
  /** Makes the agent ready; answers a sentence about it. */
  prepare(output: string): Promise<string>;
  /** Writes the function's folder, as it is at the base or at the head of the pull request. */
  write(folder: string, withPullRequest: boolean): void;
  /** What to deploy of that folder. */
  build(folder: string): Promise<{ files: Record<string, string>; options: DeployOptions }>;
}

/** The Node.js function: its agent is a layer. */
function nodeSample(): Sample {
  let layer: Uint8Array | undefined;
  return {
    change: 'bestDiscount slower, packParcels faster, one rename, one move',
    slower: 'bestDiscount',
    inputs: {},
    missing: async () => undefined,
    async prepare(output) {
      layer = (await buildLayer(join(output, 'layer'))).zip;
      return `a layer of ${(layer.byteLength / 1e6).toFixed(2)} MB; no line of the function changes`;
    },
    write(folder, withPullRequest) {
      cpSync(join(root, 'examples/functions/node'), folder, { recursive: true });
      if (withPullRequest) cpSync(join(root, 'examples/demo/pull-request'), folder, { recursive: true });
    },
    build: async (folder) => ({ files: readFiles(folder), options: { ...(layer && { layer }) } }),
  };
}

const GO_EXACT = 'c.family != item.Product.Family';
const GO_ANY_CASE = 'strings.ToLower(c.family) != strings.ToLower(item.Product.Family)';

/** The Go function: its main starts the agent. */
function goSample(): Sample {
  return {
    change: 'BestDiscount compares names whatever their case, and is slower',
    slower: 'main.BestDiscount',
    // 100 samples a second of CPU, a tenth of what the Node.js agent takes: more of it is needed.
    inputs: { 'min-cpu-seconds': '12' },
    missing: async () =>
      (await goVersion()) === undefined ? 'there is no Go on this machine (https://go.dev/dl)' : undefined,
    async prepare(output) {
      // Where the function's go.mod looks for it, from the checkout.
      cpSync(join(root, 'agents/go'), join(output, 'agents/go'), { recursive: true });
      return `a module, one line in main; ${await goVersion()}`;
    },
    write(folder, withPullRequest) {
      cpSync(join(root, 'examples/functions/go'), folder, { recursive: true });
      const path = join(folder, 'pricing.go');
      const source = readFileSync(path, 'utf8');
      if (!source.includes(GO_EXACT)) throw new Error(`Cannot change BestDiscount: ${path} has no "${GO_EXACT}".`);
      if (withPullRequest) writeFileSync(path, source.replace(GO_EXACT, GO_ANY_CASE));
    },
    build: async (folder) => ({ files: {}, options: { bootstrap: await buildGo(folder) } }),
  };
}

export const SAMPLES: Record<string, () => Sample> = { node: nodeSample, go: goSample };

/** Makes a checkout in place of what is there. @returns all its files, path -> text */
export function writeCheckout(directory: string, service: string, sample: Sample, withPullRequest: boolean) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, service), { recursive: true });
  sample.write(join(directory, service), withPullRequest);
  return readFiles(directory);
}
