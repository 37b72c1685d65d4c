import { createHash } from 'node:crypto';
import { invalidMember, invalidParameter, LambdaApiError } from './errors.ts';
import { type Alias, configSha256, type FunctionStore, type FunctionVersion, lambdaDate } from './functions.ts';
import type { LayerStore, LayerVersion } from './layers.ts';
import { type FunctionReference, functionArn, layerArn, type Scope } from './names.ts';
import { applySettings, defaultSettings, type SettingsInput } from './settings.ts';

/** A request to the control plane. What it names that does not apply to the operation is empty. */
export interface ControlRequest {
  readonly reference: FunctionReference;
  /** Name of the alias or the layer in the path. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What operations work on. */
export interface ControlPlane {
  readonly scope: Scope;
  readonly store: FunctionStore;
  readonly layers: LayerStore;
  readonly accountConcurrency: number;
}

/** Answers a request with a JSON body; undefined is an empty body. */
export type Operation = (request: ControlRequest, plane: ControlPlane) => unknown;

interface Archive {
  readonly ZipFile?: string;
}

function decodeZip(archive: Archive | undefined): Buffer {
  if (archive?.ZipFile === undefined) {
    throw invalidParameter('Only an archive in the request itself (ZipFile) can be uploaded here.');
  }
  return Buffer.from(archive.ZipFile, 'base64');
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** FunctionConfiguration of the API. `qualifier` is the one the function was asked by; it is a part of the ARN. */
function configuration(plane: ControlPlane, version: FunctionVersion, qualifier?: string, poll = false) {
  const { settings } = version;
  const pending = poll ? plane.store.poll(version) : plane.store.pending(version);
  const creating = { StateReason: 'The function is being created.', StateReasonCode: 'Creating' };
  const updating = {
    LastUpdateStatusReason: 'The function is being created.',
    LastUpdateStatusReasonCode: 'Creating',
  };
  return {
    FunctionName: version.functionName,
    FunctionArn: functionArn(plane.scope, version.functionName, qualifier),
    Version: version.version,
    Runtime: settings.Runtime,
    Role: settings.Role,
    Handler: settings.Handler,
    CodeSize: version.code.sizeBytes,
    CodeSha256: version.code.sha256,
    ConfigSha256: configSha256(version),
    Description: settings.Description,
    Timeout: settings.TimeoutSeconds,
    MemorySize: settings.MemorySize,
    LastModified: version.lastModified,
    RevisionId: version.revisionId,
    Environment: settings.Environment,
    Layers:
      version.layers.length === 0
        ? undefined
        : version.layers.map((layer) => ({ Arn: layer.arn, CodeSize: layer.zip.length })),
    LoggingConfig: settings.LoggingConfig,
    Architectures: settings.Architectures,
    EphemeralStorage: { Size: 512 },
    PackageType: 'Zip',
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    TracingConfig: { Mode: 'PassThrough' },
    RuntimeVersionConfig: {
      RuntimeVersionArn: `arn:aws:lambda:${plane.scope.region}::runtime:${runtimeHash(settings.Runtime)}`,
    },
    State: pending === 'create' ? 'Pending' : 'Active',
    ...(pending === 'create' ? creating : {}),
    ...(pending === 'update' ? { LastUpdateStatus: 'InProgress', ...updating } : {}),
    ...(pending === undefined ? { LastUpdateStatus: 'Successful' } : {}),
  };
}

const runtimeHash = (runtime: string) => createHash('sha256').update(`${runtime} ${process.version}`).digest('hex');

function aliasConfiguration(plane: ControlPlane, functionName: string, alias: Alias) {
  return {
    AliasArn: functionArn(plane.scope, functionName, alias.name),
    Name: alias.name,
    FunctionVersion: alias.functionVersion,
    Description: alias.description,
    RevisionId: alias.revisionId,
    ...(Object.keys(alias.weights).length === 0 ? {} : { RoutingConfig: { AdditionalVersionWeights: alias.weights } }),
  };
}

function weights(body: ControlRequest['body']): Record<string, number> | undefined {
  const routing = body.RoutingConfig as { AdditionalVersionWeights?: Record<string, number> } | undefined;
  return routing === undefined ? undefined : (routing.AdditionalVersionWeights ?? {});
}

function layerConfiguration(plane: ControlPlane, layerName: string, layer: LayerVersion, body: ControlRequest['body']) {
  return {
    Content: { CodeSha256: layer.sha256, CodeSize: layer.zip.length },
    LayerArn: layerArn(plane.scope, layerName),
    LayerVersionArn: layer.arn,
    Version: layer.version,
    CreatedDate: lambdaDate(new Date()),
    Description: text(body.Description) ?? '',
    CompatibleRuntimes: body.CompatibleRuntimes,
    CompatibleArchitectures: body.CompatibleArchitectures,
    LicenseInfo: body.LicenseInfo,
  };
}

/** The operations of the control plane by their names in the API. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateFunction({ reference, body }, plane) {
    const settings = applySettings(defaultSettings(reference.name), body as SettingsInput);
    const created = plane.store.create(reference.name, settings, decodeZip(body.Code as Archive));
    if (body.Publish !== true) return configuration(plane, created);
    const version = plane.store.publish(reference.name);
    return configuration(plane, version, version.version);
  },

  UpdateFunctionCode({ reference, body }, plane) {
    const updated = plane.store.update(reference.name, { zip: decodeZip(body as Archive) }, text(body.RevisionId));
    if (body.Publish !== true) return configuration(plane, updated);
    const version = plane.store.publish(reference.name);
    return configuration(plane, version, version.version);
  },

  UpdateFunctionConfiguration({ reference, body }, plane) {
    const { latest } = plane.store.get(reference.name);
    const settings = applySettings(latest.settings, body as SettingsInput);
    return configuration(plane, plane.store.update(reference.name, { settings }, text(body.RevisionId)));
  },

  GetFunction({ reference }, plane) {
    const version = plane.store.resolve(reference.name, reference.qualifier);
    const reserved = plane.store.get(reference.name).reservedConcurrency;
    return {
      Configuration: configuration(plane, version, reference.qualifier, true),
      Code: { RepositoryType: 'S3' },
      ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
    };
  },

  GetFunctionConfiguration({ reference }, plane) {
    const version = plane.store.resolve(reference.name, reference.qualifier);
    return configuration(plane, version, reference.qualifier, true);
  },

  PublishVersion({ reference, body }, plane) {
    const codeSha256 = text(body.CodeSha256);
    const revisionId = text(body.RevisionId);
    const expected = {
      ...(codeSha256 === undefined ? {} : { codeSha256 }),
      ...(revisionId === undefined ? {} : { revisionId }),
    };
    const version = plane.store.publish(reference.name, text(body.Description), expected);
    return configuration(plane, version, version.version);
  },

  ListVersionsByFunction({ reference }, plane) {
    const { latest, published } = plane.store.get(reference.name);
    return { Versions: [latest, ...published.values()].map((each) => configuration(plane, each, each.version)) };
  },

  DeleteFunction({ reference }, plane) {
    plane.store.delete(reference.name, reference.qualifier);
  },

  CreateAlias({ reference, body }, plane) {
    const name = text(body.Name) ?? '';
    if (!/^(?!\d+$)[a-zA-Z0-9-_]{1,128}$/.test(name)) {
      throw invalidMember('name', name, 'Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)');
    }
    const alias = plane.store.createAlias(reference.name, {
      name,
      functionVersion: text(body.FunctionVersion) ?? '',
      description: text(body.Description) ?? '',
      weights: weights(body) ?? {},
    });
    return aliasConfiguration(plane, reference.name, alias);
  },

  UpdateAlias({ reference, name, body }, plane) {
    const functionVersion = text(body.FunctionVersion);
    const description = text(body.Description);
    const changedWeights = weights(body);
    const change = {
      ...(functionVersion === undefined ? {} : { functionVersion }),
      ...(description === undefined ? {} : { description }),
      ...(changedWeights === undefined ? {} : { weights: changedWeights }),
    };
    const alias = plane.store.updateAlias(reference.name, name, change, text(body.RevisionId));
    return aliasConfiguration(plane, reference.name, alias);
  },

  GetAlias: ({ reference, name }, plane) =>
    aliasConfiguration(plane, reference.name, plane.store.getAlias(reference.name, name)),

  PublishLayerVersion({ name, body }, plane) {
    const layer = plane.layers.publish(name, decodeZip(body.Content as Archive));
    return layerConfiguration(plane, name, layer, body);
  },

  /** Unlike on Lambda, all of the account's concurrency can be reserved; there nobody can reserve the last 100. */
  PutFunctionConcurrency({ reference, body }, plane) {
    const reserved = Number(body.ReservedConcurrentExecutions);
    const left = plane.accountConcurrency - plane.store.reservedConcurrency(reference.name);
    if (!Number.isInteger(reserved) || reserved < 0 || reserved > left) {
      throw invalidParameter(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below " +
          'its minimum value of [0].',
      );
    }
    plane.store.get(reference.name).reservedConcurrency = reserved;
    return { ReservedConcurrentExecutions: reserved };
  },

  GetFunctionConcurrency({ reference }, plane) {
    return { ReservedConcurrentExecutions: plane.store.get(reference.name).reservedConcurrency };
  },

  /** Provisioned concurrency does not exist here, so there never is a configuration of it. */
  GetProvisionedConcurrencyConfig({ reference }, plane) {
    plane.store.resolve(reference.name, reference.qualifier);
    throw new LambdaApiError(
      404,
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
    );
  },

  GetAccountSettings(_request, plane) {
    return {
      AccountLimit: {
        TotalCodeSize: 80_530_636_800,
        CodeSizeUnzipped: 262_144_000,
        CodeSizeZipped: 52_428_800,
        ConcurrentExecutions: plane.accountConcurrency,
        UnreservedConcurrentExecutions: plane.accountConcurrency - plane.store.reservedConcurrency(),
      },
      AccountUsage: { TotalCodeSize: 0, FunctionCount: plane.store.size },
    };
  },
};
