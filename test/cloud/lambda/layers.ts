import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { extractZip } from './archive.ts';
import { relocateScript } from './environment.ts';
import { invalidParameter } from './errors.ts';
import { layerArn, type Scope } from './names.ts';

/** One published version of a layer. */
export interface LayerVersion {
  readonly arn: string;
  readonly version: number;
  readonly zip: Uint8Array;
  /** Base64, as in `CodeSha256`. */
  readonly sha256: string;
}

/** The layers of one account in one region; `root` is where they are unpacked. */
export class LayerStore {
  readonly #versions = new Map<string, LayerVersion[]>();
  readonly #unpacked = new Set<string>();
  readonly #scope: Scope;
  readonly #root: string;

  constructor(scope: Scope, root: string) {
    this.#scope = scope;
    this.#root = root;
  }

  /** @throws LambdaApiError 400 for an archive that cannot be unpacked */
  publish(name: string, zip: Uint8Array): LayerVersion {
    const versions = this.#versions.get(name) ?? [];
    const version = versions.length + 1;
    const sha256 = createHash('sha256').update(zip).digest('base64');
    const layer = { arn: `${layerArn(this.#scope, name)}:${version}`, version, zip, sha256 };
    this.optDirectory([layer]);
    this.#versions.set(name, [...versions, layer]);
    return layer;
  }

  /** @throws LambdaApiError 400 when there is no such layer version */
  find(arn: string): LayerVersion {
    for (const versions of this.#versions.values()) {
      const layer = versions.find((version) => version.arn === arn);
      if (layer !== undefined) return layer;
    }
    throw invalidParameter(`Layer version ${arn} does not exist.`);
  }

  /** The directory that plays `/opt` for a list of layers, later ones over earlier ones. Unpacked when first needed. */
  optDirectory(layers: readonly LayerVersion[]): string {
    const key = createHash('sha256')
      .update(layers.map((layer) => layer.arn).join('\n'))
      .digest('hex');
    const directory = join(this.#root, key.slice(0, 32));
    if (!this.#unpacked.has(directory)) {
      for (const layer of layers) extractZip(layer.zip, directory, (file) => relocateScript(file, directory));
      this.#unpacked.add(directory);
    }
    return directory;
  }
}
