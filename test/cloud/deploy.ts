import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  CreateFunctionCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import type { Cloud } from './cloud.ts';
import { archive } from './lambda/deployment.ts';

export interface DeployOptions {
  /** Zip of the agent layer; without one the function has no agent. */
  layer?: Uint8Array;
  /** An executable for provided.al2023, in place of the files of a Node.js function. */
  bootstrap?: Uint8Array;
  bucket?: string;
  memoryMb?: number;
  environment?: Record<string, string>;
}

/** What the deploy step of a workflow does. */
export interface Deployer {
  /** Creates or updates a function from its files, path -> text, and publishes a version; answers its number. */
  deploy(name: string, files: Record<string, string>, options?: DeployOptions): Promise<string>;
  close(): void;
}

/** Deploys to a loopback cloud with the AWS SDK, as a workflow would to AWS. */
export function createDeployer(cloud: Pick<Cloud, 'jobEnvironment'> & { lambda: { url: string } }): Deployer {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = cloud.jobEnvironment;
  const lambda = new LambdaClient({
    region: AWS_REGION!,
    endpoint: cloud.lambda.url,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! },
  });
  const created = new Set<string>();
  const publishLayer = async (zip: Uint8Array): Promise<string> => {
    const layer = await lambda.send(
      new PublishLayerVersionCommand({ LayerName: 'lambda-profile', Content: { ZipFile: zip } }),
    );
    return layer.LayerVersionArn!;
  };
  return {
    async deploy(name, files, { layer, bootstrap, bucket, memoryMb = 1024, environment = {} } = {}) {
      const zip = archive(bootstrap ? { bootstrap: { contents: bootstrap, mode: 0o755 } } : files);
      if (created.has(name)) await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip }));
      else
        await lambda.send(
          new CreateFunctionCommand({
            FunctionName: name,
            Runtime: bootstrap ? 'provided.al2023' : 'nodejs24.x',
            Role: 'arn:aws:iam::123456789012:role/orders',
            Handler: bootstrap ? 'bootstrap' : 'index.handler',
            Timeout: 30,
            MemorySize: memoryMb,
            ...(layer && { Layers: [await publishLayer(layer)] }),
            Environment: {
              Variables: {
                ...(layer && { AWS_LAMBDA_EXEC_WRAPPER: '/opt/lambda-profile' }),
                ...(bucket && { LAMBDA_PROFILE_BUCKET: bucket }),
                ...environment,
              },
            },
            Code: { ZipFile: zip },
          }),
        );
      created.add(name);
      const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
      return Version!;
    },
    close: () => lambda.destroy(),
  };
}

/** The files below a folder, path -> text. */
export function readFiles(folder: string, from = folder): Record<string, string> {
  return Object.assign(
    {},
    ...readdirSync(folder)
      .sort()
      .map((name) => {
        const path = join(folder, name);
        return statSync(path).isDirectory()
          ? readFiles(path, from)
          : { [relative(from, path)]: readFileSync(path, 'utf8') };
      }),
  );
}
