import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CreateFunctionCommand, type LambdaClient, PublishLayerVersionCommand } from '@aws-sdk/client-lambda';
import { Profile } from 'pprof-format';
import {
  type ArchiveFile,
  archive,
  type Invoked,
  invokeFunction,
  lambdaClient,
  nodeFunction,
} from '../../../test/cloud/lambda/deployment.ts';
import { type LambdaServer, startLambda } from '../../../test/cloud/lambda/server.ts';
import { type S3Server, startS3 } from '../../../test/cloud/s3/server.ts';
import { buildLayer } from '../build/layer.ts';

export const BUCKET = 'profiles';

/** A published layer, functions that use it and the bucket they write to, all on loopback. */
export interface Cloud {
  readonly s3: S3Server;
  readonly lambda: LambdaServer;
  /** Creates a function of these files; `wrapped` puts the layer in front, `variables` are added to its environment. */
  deploy(
    name: string,
    files: Readonly<Record<string, ArchiveFile>>,
    options?: {
      handler?: string;
      variables?: Readonly<Record<string, string>>;
      wrapped?: boolean;
      /** Files of one more layer on top of the agent's. */
      overlay?: Readonly<Record<string, ArchiveFile>>;
    },
  ): Promise<void>;
  invoke(name: string, event?: unknown, custom?: Readonly<Record<string, string>>): Promise<Invoked>;
  /** What S3 does with a write from now on: stores it, refuses it, or never answers. */
  onWrite(behaviour: 'store' | 'refuse' | 'silence'): void;
  close(): Promise<void>;
}

/** What a run writes into the client context of an invocation. */
export const mark = (op: 'invoke' | 'flush' | 'warmup', run: string, more: Readonly<Record<string, string>> = {}) => ({
  'lambda-profile.op': op,
  'lambda-profile.run': run,
  'lambda-profile.commit': '0123abc',
  ...more,
});

/** Builds the layer and starts Lambda and S3; instances are frozen between invocations. */
export async function startCloud(): Promise<Cloud> {
  const directory = mkdtempSync(join(tmpdir(), 'layer-'));
  const { zip } = await buildLayer(directory);
  let behaviour: 'store' | 'refuse' | 'silence' = 'store';
  const role = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'role-secret', sessionToken: 'role-token' };
  const s3 = await startS3({
    accounts: [{ ...role, allows: () => behaviour !== 'refuse' }],
    intercept: () => behaviour === 'silence',
  });
  s3.createBucket(BUCKET);
  const lambda = await startLambda({
    region: 'us-east-1',
    accountId: '123456789012',
    functionEnvironment: {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ACCESS_KEY_ID: role.accessKeyId,
      AWS_SECRET_ACCESS_KEY: role.secretAccessKey,
      AWS_SESSION_TOKEN: role.sessionToken,
    },
  });
  const client: LambdaClient = lambdaClient(lambda.url);
  const publishLayer = async (LayerName: string, ZipFile: Uint8Array): Promise<string> => {
    const published = await client.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile } }));
    return published.LayerVersionArn!;
  };
  const agentLayer = await publishLayer('lambda-profile', zip);
  return {
    s3,
    lambda,
    async deploy(name, files, { handler = 'index.handler', variables = {}, wrapped = true, overlay } = {}) {
      const layers = wrapped ? [agentLayer] : [];
      if (overlay) layers.push(await publishLayer('overlay', archive(overlay)));
      const environment = wrapped
        ? { AWS_LAMBDA_EXEC_WRAPPER: '/opt/lambda-profile', LAMBDA_PROFILE_BUCKET: BUCKET, ...variables }
        : variables;
      await client.send(
        new CreateFunctionCommand(
          nodeFunction(name, files, {
            Handler: handler,
            Timeout: 60,
            Environment: { Variables: environment },
            ...(layers.length > 0 ? { Layers: layers } : {}),
          }),
        ),
      );
    },
    invoke(name, event = {}, custom) {
      const context = custom && Buffer.from(JSON.stringify({ custom })).toString('base64');
      return invokeFunction(client, name, event, context ? { ClientContext: context } : {});
    },
    onWrite(next) {
      behaviour = next;
    },
    async close() {
      await lambda.close();
      await s3.close();
      client.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A published profile, made readable. */
export interface ReadProfile {
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the snapshot.
  readonly comment: Record<string, any>;
  readonly columns: readonly string[];
  readonly periodType: string;
  readonly period: number;
  readonly defaultColumn: string;
  readonly durationNanos: number;
  readonly samples: readonly {
    /** `name file:line:column`, leaf first. */
    readonly stack: readonly string[];
    readonly values: readonly number[];
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Sum of a column over all samples. */
  total(column: string): number;
  /** Sum of a column over the samples whose leaf has this function name. */
  self(name: string, column: string): number;
}

/** Decodes a snapshot with an independent decoder. */
export function readProfile(body: Uint8Array): ReadProfile {
  const profile = Profile.decode(gunzipSync(body));
  const text = (index: number | bigint) => profile.stringTable.strings[Number(index)]!;
  const functions = new Map(profile.function.map((fn) => [Number(fn.id), fn]));
  const frames = new Map(
    profile.location.map(({ id, line }) => {
      const { functionId, line: row, column } = line[0]!;
      const fn = functions.get(Number(functionId))!;
      return [Number(id), `${text(fn.name)} ${text(fn.filename)}:${row}:${column}`];
    }),
  );
  const columns = profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`);
  const samples = profile.sample.map((sample) => ({
    stack: sample.locationId.map((id) => frames.get(Number(id))!),
    values: sample.value.map(Number),
    labels: Object.fromEntries(sample.label.map(({ key, str }) => [text(key), text(str)])),
  }));
  const comments = profile.comment.map(text);
  if (comments.length !== 1) throw new Error(`A snapshot has one comment, this one has ${comments.length}.`);
  const sum = (column: string, filter: (stack: readonly string[]) => boolean) => {
    const index = columns.indexOf(column);
    return samples.filter(({ stack }) => filter(stack)).reduce((total, { values }) => total + values[index]!, 0);
  };
  return {
    comment: JSON.parse(comments[0]!.replace(/^lambda-profile:/, '')),
    columns,
    periodType: `${text(profile.periodType!.type)}/${text(profile.periodType!.unit)}`,
    period: Number(profile.period),
    defaultColumn: text(profile.defaultSampleType),
    durationNanos: Number(profile.durationNanos),
    samples,
    total: (column) => sum(column, () => true),
    self: (name, column) => sum(column, (stack) => stack[0]!.startsWith(`${name} `)),
  };
}
