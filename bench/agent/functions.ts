import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateFunctionCommand, LambdaClient, PublishLayerVersionCommand } from '@aws-sdk/client-lambda';
import { buildLayer } from '../../agents/node/build/layer.ts';
import { systemClock } from '../../src/clock.ts';
import type { InvocationReport } from '../../src/lambda/invocation-report.ts';
import { createInvoke } from '../../src/lambda/invoke.ts';
import { type FlushReply, parseFlushReply, type RunMarks } from '../../src/lambda/run-protocol.ts';
import type { Profile } from '../../src/pprof/columns.ts';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { REGION, startCloud } from '../../test/cloud/cloud.ts';
import { readFiles } from '../../test/cloud/deploy.ts';
import { archive } from '../../test/cloud/lambda/deployment.ts';

const BUCKET = 'octo-profiles';

export type Language = 'node' | 'go';
/** `orders` is the sample function, `split` one that does 6 : 3 : 1 of its work in three functions. */
export type Kind = 'orders' | 'split';
export type Executables = Record<Kind, Uint8Array>;

/** A deployed function with one instance, frozen between its invocations. */
export interface BenchFunction {
  invoke(event: object, op?: RunMarks['op']): Promise<{ latencyMs: number; report: InvocationReport }>;
  /** Ends the window: what the agent counted, and the CPU profile. */
  flush(): Promise<{ reply: FlushReply; cpu: Profile; allocatedBytes: number }>;
  /** Of its instance. */
  pid(): number;
}

export interface Bench {
  deploy(language: Language, kind: Kind, agent: boolean): Promise<BenchFunction>;
  close(): Promise<void>;
}

/** Starts Lambda and S3 on loopback. @param go the executables of the Go functions, if Go is there */
export async function startBench(go: Executables | undefined): Promise<Bench> {
  const cloud = await startCloud({ owner: 'octo-org', repository: 'shop', bucket: BUCKET });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = cloud.jobEnvironment;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! };
  const client = new LambdaClient({ region: REGION, endpoint: cloud.lambda.url, credentials, maxAttempts: 1 });
  const directory = mkdtempSync(join(tmpdir(), 'bench-layer-'));
  const { zip: ZipFile } = await buildLayer(directory);
  const layer = await client.send(new PublishLayerVersionCommand({ LayerName: 'agent', Content: { ZipFile } }));
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const sources = {
    // The sample function, several orders a call, and one that splits its work.
    orders: { ...readFiles(join(root, 'bench/agent/node')), ...readFiles(join(root, 'examples/functions/node')) },
    split: readFiles(join(root, 'bench/agent/node')),
  };
  let functions = 0;
  return {
    async deploy(language, kind, agent) {
      const FunctionName = `${language}-${++functions}`;
      const bucket = agent ? { LAMBDA_PROFILE_BUCKET: BUCKET } : {};
      const common = { FunctionName, Role: 'arn:aws:iam::123456789012:role/orders', MemorySize: 1769, Timeout: 60 };
      await client.send(
        new CreateFunctionCommand(
          language === 'go'
            ? {
                ...common,
                Runtime: 'provided.al2023',
                Handler: 'bootstrap',
                Environment: { Variables: bucket },
                Code: { ZipFile: archive({ bootstrap: { contents: go![kind], mode: 0o755 } }) },
              }
            : {
                ...common,
                Runtime: 'nodejs24.x',
                Handler: kind === 'orders' ? 'batch.handler' : 'split.handler',
                ...(agent && { Layers: [layer.LayerVersionArn!] }),
                Environment: {
                  Variables: { ...bucket, ...(agent && { AWS_LAMBDA_EXEC_WRAPPER: '/opt/lambda-profile' }) },
                },
                Code: { ZipFile: archive(sources[kind]) },
              },
        ),
      );
      return benchFunction(FunctionName);
    },
    async close() {
      client.destroy();
      await cloud.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };

  function benchFunction(name: string): BenchFunction {
    const target = {
      ...{ functionName: name, invokeName: name, version: '$LATEST', region: REGION, codeSha256: '', memoryMb: 1769 },
      ...{ timeoutSeconds: 60, architecture: 'x86_64', runtime: '' },
    };
    const send = createInvoke(client, target, systemClock);
    const marks = { run: 'bench', commit: '0123abc' };
    return {
      async invoke(event, op = 'invoke') {
        const { invocation, payload } = await send(new TextEncoder().encode(JSON.stringify(event)), { op, ...marks });
        if (invocation.status !== 'succeeded') throw new Error(`${name} failed: ${new TextDecoder().decode(payload)}`);
        return { latencyMs: invocation.receivedMs - invocation.sentMs, report: invocation.report! };
      },
      async flush() {
        const { payload } = await send(new TextEncoder().encode('{}'), { op: 'flush', ...marks });
        const reply = parseFlushReply(payload);
        const published = reply?.published.find(({ type }) => type === 'cpu');
        if (!reply || !published)
          throw new Error(`${name} published no CPU profile: ${new TextDecoder().decode(payload)}`);
        const cpu = decodeProfile(cloud.s3.objects(BUCKET, published.key)[0]!.body);
        const { allocatedBytes } = JSON.parse(cpu.comments[0]!.slice('lambda-profile:'.length)) as {
          allocatedBytes: number;
        };
        return { reply, cpu, allocatedBytes };
      },
      pid: () => cloud.lambda.instances().find(({ functionName }) => functionName === name)!.pid,
    };
  }
}
