import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { extractZip } from './archive.ts';
import { conflict, functionNotFound, invalidParameter, LambdaApiError } from './errors.ts';
import type { LayerStore, LayerVersion } from './layers.ts';
import { functionArn, isVersionNumber, type Scope } from './names.ts';
import type { FunctionSettings } from './settings.ts';

/** An uploaded archive, unpacked into `directory`. */
export interface Code {
  /** Base64, as in `CodeSha256`. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly directory: string;
}

/** What an invocation runs: code, settings and layers as they were at one moment. Never changed, only replaced. */
export interface FunctionVersion {
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly settings: FunctionSettings;
  readonly code: Code;
  readonly layers: readonly LayerVersion[];
  readonly revisionId: string;
  readonly lastModified: string;
}

/** An alias, with the weights of further versions in percent of 1. */
export interface Alias {
  readonly name: string;
  readonly functionVersion: string;
  readonly description: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

/** A change that is still being applied: the number of times its state will yet be read as unfinished. */
export interface Pending {
  readonly kind: 'create' | 'update';
  pollsLeft: number;
}

/** A function with all its versions and aliases. */
export interface LambdaFunction {
  readonly name: string;
  /** $LATEST as it was last set. */
  latest: FunctionVersion;
  /** $LATEST as it is invoked: while an update is in progress, still the one before. */
  live: FunctionVersion;
  readonly published: Map<string, FunctionVersion>;
  lastPublished: number;
  readonly aliases: Map<string, Alias>;
  reservedConcurrency: number | undefined;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

/** Hash of everything that decides what a version does; equal hashes mean that there is nothing new to publish. */
const fingerprint = ({ settings, code, layers }: FunctionVersion) =>
  sha256(JSON.stringify([{ ...settings, Description: '' }, code.sha256, layers.map((layer) => layer.arn)]));

/** Hash of the configuration alone, as `ConfigSha256`. */
export const configSha256 = ({ settings, layers }: FunctionVersion): string =>
  sha256(JSON.stringify([settings, layers.map((layer) => layer.arn)]));

/**
 * The functions, versions and aliases of one account in one region.
 * Archives are unpacked into directories below `root`; `pendingPolls` is how often a new or changed version reads as
 * unfinished; `onReplaced` hears of versions that nobody can invoke any more.
 */
export class FunctionStore {
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #pending = new Map<FunctionVersion, Pending>();
  readonly #unpacked = new Set<string>();
  readonly #scope: Scope;
  readonly #layers: LayerStore;
  readonly #root: string;
  readonly #pendingPolls: number;
  readonly #onReplaced: (version: FunctionVersion) => void;

  constructor(
    scope: Scope,
    layers: LayerStore,
    root: string,
    pendingPolls: number,
    onReplaced: (version: FunctionVersion) => void,
  ) {
    this.#scope = scope;
    this.#layers = layers;
    this.#root = root;
    this.#pendingPolls = pendingPolls;
    this.#onReplaced = onReplaced;
  }

  /** Number of functions. */
  get size(): number {
    return this.#functions.size;
  }

  /** @throws LambdaApiError 404 */
  get(name: string, qualifier?: string): LambdaFunction {
    const found = this.#functions.get(name);
    if (found === undefined) throw functionNotFound(functionArn(this.#scope, name, qualifier));
    return found;
  }

  create(name: string, settings: FunctionSettings, zip: Uint8Array): FunctionVersion {
    if (this.#functions.has(name)) throw conflict(`Function already exist: ${name}`);
    const version = this.#version(name, '$LATEST', settings, this.#unpack(zip));
    this.#functions.set(name, {
      name,
      latest: version,
      live: version,
      published: new Map(),
      lastPublished: 0,
      aliases: new Map(),
      reservedConcurrency: undefined,
    });
    this.#setPending(version, 'create');
    return version;
  }

  /** Replaces the code or the settings of $LATEST. */
  update(
    name: string,
    change: { settings?: FunctionSettings; zip?: Uint8Array },
    revisionId?: string,
  ): FunctionVersion {
    const found = this.get(name);
    this.#checkRevision(found.latest.revisionId, revisionId);
    this.#refuseWhilePending(found);
    const code = change.zip === undefined ? found.latest.code : this.#unpack(change.zip);
    found.latest = this.#version(name, '$LATEST', change.settings ?? found.latest.settings, code);
    this.#setPending(found.latest, 'update');
    if (!this.#pending.has(found.latest)) this.#goLive(found);
    return found.latest;
  }

  /** Publishes $LATEST, or answers the newest version when nothing has changed since. */
  publish(name: string, description?: string, expected: { codeSha256?: string; revisionId?: string } = {}) {
    const found = this.get(name);
    this.#refuseWhilePending(found);
    const { latest } = found;
    this.#checkRevision(latest.revisionId, expected.revisionId);
    if (expected.codeSha256 !== undefined && expected.codeSha256 !== latest.code.sha256) {
      throw invalidParameter(
        `CodeSHA256 (${expected.codeSha256}) is different from current CodeSHA256 in $LATEST (${latest.code.sha256}). ` +
          'Please try again with the CodeSHA256 in $LATEST.',
      );
    }
    const newest = found.published.get(String(found.lastPublished));
    if (newest !== undefined && fingerprint(newest) === fingerprint(latest)) return newest;
    found.lastPublished++;
    const settings = description === undefined ? latest.settings : { ...latest.settings, Description: description };
    const version = this.#version(name, String(found.lastPublished), settings, latest.code, latest.layers);
    found.published.set(version.version, version);
    this.#setPending(version, 'create');
    return version;
  }

  /** Deletes a function, or one of its versions. */
  delete(name: string, qualifier: string | undefined): void {
    const found = this.get(name, qualifier);
    if (qualifier === undefined) {
      this.#functions.delete(name);
      for (const version of [found.latest, found.live, ...found.published.values()]) this.#onReplaced(version);
      return;
    }
    if (qualifier === '$LATEST') {
      throw invalidParameter('$LATEST version cannot be deleted without deleting the function.');
    }
    if (!isVersionNumber(qualifier)) throw invalidParameter('Deletion of aliases is not currently supported.');
    const users = [...found.aliases.values()].filter(
      (alias) => alias.functionVersion === qualifier || qualifier in alias.weights,
    );
    if (users.length > 0) {
      const names = users.map((alias) => alias.name).join(', ');
      throw conflict(`Unable to delete version because the following aliases reference it: [${names}]`);
    }
    const version = found.published.get(qualifier);
    if (version === undefined) throw functionNotFound(functionArn(this.#scope, name, qualifier));
    found.published.delete(qualifier);
    this.#onReplaced(version);
  }

  /** The version that a qualifier shows: $LATEST as it was last set, a number, or what an alias points to. */
  resolve(name: string, qualifier: string | undefined): FunctionVersion {
    const found = this.get(name, qualifier);
    if (qualifier === undefined || qualifier === '$LATEST') return found.latest;
    const number = isVersionNumber(qualifier) ? qualifier : found.aliases.get(qualifier)?.functionVersion;
    const version = number === '$LATEST' ? found.latest : found.published.get(number ?? '');
    if (version === undefined) throw functionNotFound(functionArn(this.#scope, name, qualifier));
    return version;
  }

  /**
   * The version that an invocation with a qualifier runs. An alias with weights picks one: `random` is in [0, 1).
   * @throws LambdaApiError 404, or 409 while the version is being created
   */
  resolveForInvoke(name: string, qualifier: string | undefined, random: number): FunctionVersion {
    const found = this.get(name, qualifier);
    let number = qualifier;
    const alias = found.aliases.get(qualifier ?? '');
    if (alias !== undefined) {
      number = alias.functionVersion;
      let threshold = 0;
      for (const [version, weight] of Object.entries(alias.weights)) {
        if (random >= threshold && random < threshold + weight) number = version;
        threshold += weight;
      }
    }
    const shown = this.resolve(name, number);
    const version = shown === found.latest ? found.live : shown;
    if (this.#pending.get(version)?.kind === 'create') {
      throw conflict(
        'The operation cannot be performed at this time. The function is currently in the following state: Pending',
      );
    }
    return version;
  }

  /** What is pending of a version; each call counts as one poll. */
  poll(version: FunctionVersion): Pending['kind'] | undefined {
    const pending = this.#pending.get(version);
    if (pending === undefined) return undefined;
    pending.pollsLeft--;
    if (pending.pollsLeft <= 0) {
      this.#pending.delete(version);
      const found = this.#functions.get(version.functionName);
      if (found?.latest === version) this.#goLive(found);
    }
    return pending.kind;
  }

  /** What is pending of a version, without counting. */
  pending(version: FunctionVersion): Pending['kind'] | undefined {
    return this.#pending.get(version)?.kind;
  }

  createAlias(name: string, alias: Omit<Alias, 'revisionId'>): Alias {
    const { aliases } = this.get(name);
    if (aliases.has(alias.name)) {
      throw conflict(`Alias already exists: ${functionArn(this.#scope, name, alias.name)}`);
    }
    return this.#setAlias(name, alias);
  }

  updateAlias(name: string, aliasName: string, change: Partial<Alias>, revisionId?: string): Alias {
    const alias = this.getAlias(name, aliasName);
    this.#checkRevision(alias.revisionId, revisionId);
    return this.#setAlias(name, { ...alias, ...change });
  }

  getAlias(name: string, aliasName: string): Alias {
    const alias = this.get(name).aliases.get(aliasName);
    if (alias === undefined) {
      const arn = functionArn(this.#scope, name, aliasName);
      throw new LambdaApiError(404, 'ResourceNotFoundException', `Cannot find alias arn: ${arn}`);
    }
    return alias;
  }

  /** Sum of the reserved concurrency of all functions but one. */
  reservedConcurrency(except?: string): number {
    let sum = 0;
    for (const { name, reservedConcurrency } of this.#functions.values()) {
      if (name !== except) sum += reservedConcurrency ?? 0;
    }
    return sum;
  }

  #setAlias(name: string, alias: Omit<Alias, 'revisionId'>): Alias {
    for (const version of [alias.functionVersion, ...Object.keys(alias.weights)]) this.resolve(name, version);
    const set = { ...alias, revisionId: randomUUID() };
    this.get(name).aliases.set(set.name, set);
    return set;
  }

  #version(
    functionName: string,
    version: string,
    settings: FunctionSettings,
    code: Code,
    layers: readonly LayerVersion[] = settings.Layers.map((arn) => this.#layers.find(arn)),
  ): FunctionVersion {
    const lastModified = lambdaDate(new Date());
    return { functionName, version, settings, code, layers, revisionId: randomUUID(), lastModified };
  }

  #unpack(zip: Uint8Array): Code {
    const hash = createHash('sha256').update(zip).digest();
    const directory = join(this.#root, hash.toString('hex').slice(0, 32));
    if (!this.#unpacked.has(directory)) {
      extractZip(zip, directory);
      this.#unpacked.add(directory);
    }
    return { sha256: hash.toString('base64'), sizeBytes: zip.length, directory };
  }

  #setPending(version: FunctionVersion, kind: Pending['kind']) {
    if (this.#pendingPolls > 0) this.#pending.set(version, { kind, pollsLeft: this.#pendingPolls });
  }

  #goLive(found: LambdaFunction) {
    const replaced = found.live;
    found.live = found.latest;
    if (replaced !== found.live) this.#onReplaced(replaced);
  }

  #refuseWhilePending(found: LambdaFunction) {
    if (!this.#pending.has(found.latest)) return;
    const arn = functionArn(this.#scope, found.name);
    throw conflict(`The operation cannot be performed at this time. An update is in progress for resource: ${arn}`);
  }

  #checkRevision(current: string, expected: string | undefined) {
    if (expected === undefined || expected === current) return;
    throw new LambdaApiError(
      412,
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve ' +
        'the latest Revision Id',
    );
  }
}

/** A time as Lambda writes it: `2026-11-20T10:15:00.000+0000`. */
export const lambdaDate = (date: Date) => date.toISOString().replace('Z', '+0000');
