import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateFunctionCommand, PublishLayerVersionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { archive, invokeFunction, lambdaClient, nodeFunction } from '../cloud/lambda/deployment.ts';
import { type LambdaServer, startLambda } from '../cloud/lambda/server.ts';
import { type S3Server, startS3 } from '../cloud/s3/server.ts';
import { buildGo, GO_FUNCTIONS, goVersion } from './build.ts';

const go = await goVersion();
if (!go) console.warn('Go is not on PATH: the protocols of the two agents are not compared.');
const BUCKET = 'octo-profiles';
const role = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'role-secret', sessionToken: 'role-token' };

/** Names of all fields, at any depth, with the kinds of their values. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value))
    return [`${path}: list`, ...[...new Set(value.flatMap((one) => shapeOf(one, `${path}[]`)))]];
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`];
  return Object.keys(value)
    .sort()
    .flatMap((name) => shapeOf((value as Record<string, unknown>)[name], `${path}.${name}`));
}

describe.skipIf(!go)('the agents for Node.js and Go speak the same protocol, field by field', () => {
  let s3: S3Server;
  let lambda: LambdaServer;
  const directory = mkdtempSync(join(tmpdir(), 'parity-'));
  /** What each agent answered and wrote for the same calls. */
  const seen: Record<string, { flushes: unknown[]; comments: unknown[]; metadata: string[][]; keys: string[] }> = {};

  beforeAll(async () => {
    s3 = await startS3({ accounts: [role] });
    s3.createBucket(BUCKET);
    lambda = await startLambda({
      region: 'us-east-1',
      accountId: '123456789012',
      functionEnvironment: {
        AWS_ENDPOINT_URL_S3: s3.url,
        AWS_ACCESS_KEY_ID: role.accessKeyId,
        AWS_SECRET_ACCESS_KEY: role.secretAccessKey,
        AWS_SESSION_TOKEN: role.sessionToken,
      },
    });
    const client = lambdaClient(lambda.url);
    const { zip: ZipFile } = await buildLayer(directory);
    const layer = await client.send(new PublishLayerVersionCommand({ LayerName: 'agent', Content: { ZipFile } }));
    const variables = { LAMBDA_PROFILE_BUCKET: BUCKET, LAMBDA_PROFILE_MAX_INVOCATIONS: '2' };
    const handler = `export const handler = async ({ fail }) => { if (fail) throw new Error('no'); return {}; };`;
    await client.send(
      new CreateFunctionCommand(
        nodeFunction(
          'node',
          { 'index.mjs': handler },
          {
            Layers: [layer.LayerVersionArn!],
            Environment: { Variables: { ...variables, AWS_LAMBDA_EXEC_WRAPPER: '/opt/lambda-profile' } },
          },
        ),
      ),
    );
    const bootstrap = { contents: await buildGo(GO_FUNCTIONS.variants), mode: 0o755 };
    await client.send(
      new CreateFunctionCommand({
        ...nodeFunction('go', {}, { Runtime: 'provided.al2023', Handler: 'bootstrap' }),
        Environment: { Variables: variables },
        Code: { ZipFile: archive({ bootstrap }) },
      }),
    );
    for (const name of ['node', 'go']) {
      const call = (op?: string, run?: string, event: object = {}) => {
        const custom = { 'lambda-profile.op': op, 'lambda-profile.run': run, 'lambda-profile.commit': '0123abc' };
        const context = op && { ClientContext: Buffer.from(JSON.stringify({ custom })).toString('base64') };
        return invokeFunction(client, name, event, { ...context });
      };
      const flushes: unknown[] = [(await call('flush', 'r1')).payload];
      for (let i = 0; i < 3; i++) await call(); // of no run: two fill a window
      await call('warmup', 'r1');
      for (let i = 0; i < 4; i++) await call('invoke', 'r1', { fail: i === 2 });
      await call('invoke', 'r2');
      flushes.push(
        (await call('flush', 'r1')).payload,
        (await call('flush', 'r2')).payload,
        (await call('flush', 'r2')).payload,
      );
      const objects = s3.objects(BUCKET, `sparta/pprof/${name}/`);
      seen[name] = {
        flushes,
        comments: objects.map(({ body }) =>
          JSON.parse(decodeProfile(body).comments[0]!.slice('lambda-profile:'.length)),
        ),
        metadata: objects.map(({ metadata }) => Object.keys(metadata).sort()),
        keys: objects.map(({ key }) => key.replace(name, 'NAME').replace(/[0-9a-f]{32}/, 'INSTANCE')),
      };
    }
    client.destroy();
  }, 600_000);
  afterAll(async () => {
    await lambda?.close();
    await s3?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('in the keys of the same windows', () => expect(seen.go!.keys).toEqual(seen.node!.keys));

  it('in the comments', () => {
    const counted = (comments: unknown[]) =>
      (comments as Record<string, unknown>[]).map(({ run, commit, sequence, slot, reason, invocations, kind }) => ({
        ...{ run, commit, sequence, slot, reason, invocations, kind },
      }));
    expect(counted(seen.go!.comments)).toEqual(counted(seen.node!.comments));
    // Flags are what a runtime needs: a list of text that Go may leave empty.
    const shape = ({ comments }: { comments: unknown[] }) =>
      shapeOf(comments).filter((field) => !field.startsWith('[].flags[]'));
    expect(shape(seen.go!)).toEqual(shape(seen.node!));
  });

  it('in the metadata of the objects', () => expect(seen.go!.metadata).toEqual(seen.node!.metadata));

  it('in the answers to flushes', () => {
    const counted = (flushes: unknown[]) =>
      (flushes as { 'lambda-profile': Record<string, unknown> }[]).map(({ 'lambda-profile': reply }) => ({
        ...{ run: reply.run, invocations: reply.invocations, errors: reply.errors, failures: reply.failures },
        published: (reply.published as { type: string }[]).map(({ type }) => type),
      }));
    expect(counted(seen.go!.flushes)).toEqual(counted(seen.node!.flushes));
    expect(shapeOf(seen.go!.flushes)).toEqual(shapeOf(seen.node!.flushes));
  });
});
