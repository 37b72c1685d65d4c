import {
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, test } from 'vitest';
import { invokeFunction, lambdaClient, nodeFunction } from './deployment.ts';
import { type LambdaOptions, type LambdaServer, startLambda } from './server.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:orders';
const CODE = { 'index.mjs': `export const handler = async () => 'one';` };

let server: LambdaServer;
afterEach(() => server.close());

/** Starts a server with a function `orders`; the client has the access key AKIDADMIN. */
async function start(options: Partial<LambdaOptions> = {}) {
  server = await startLambda({ region: 'us-east-1', accountId: '123456789012', ...options });
  const client = lambdaClient(server.url, 'AKIDADMIN');
  await client.send(new CreateFunctionCommand(nodeFunction('orders', CODE)));
  return client;
}

describe('permissions', () => {
  const credentials = [
    { accessKeyId: 'AKIDADMIN', secretAccessKey: 'secret' },
    {
      accessKeyId: 'AKIDREADER',
      secretAccessKey: 'secret',
      allows: (action: string) => action !== 'lambda:InvokeFunction',
    },
  ];

  test('a caller without the permission is refused in the words of IAM', async () => {
    await start({ credentials });
    const reader = lambdaClient(server.url, 'AKIDREADER');
    const command = new GetFunctionConfigurationCommand({ FunctionName: 'orders' });
    expect((await reader.send(command)).FunctionArn).toBe(ARN);
    await expect(invokeFunction(reader, 'orders', {}, { Qualifier: 'live' })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 403 },
      message:
        'User: arn:aws:sts::123456789012:assumed-role/lambda-profile/GitHubActions is not authorized to perform: ' +
        `lambda:InvokeFunction on resource: ${ARN}:live because no identity-based policy allows the ` +
        'lambda:InvokeFunction action',
    });
  });

  test('an unknown access key and a request without one are refused', async () => {
    await start({ credentials });
    const stranger = lambdaClient(server.url, 'AKIDSTRANGER');
    await expect(stranger.send(new GetAccountSettingsCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    const response = await fetch(`${server.url}/2016-08-19/account-settings`);
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'MissingAuthenticationTokenException',
    ]);
  });
});

describe('what tests see and change', () => {
  test('requests are recorded with their outcome', async () => {
    const client = await start();
    await invokeFunction(client, `${ARN}:$LATEST`);
    await expect(invokeFunction(client, 'nothing')).rejects.toThrow();
    expect(server.requests).toEqual([
      expect.objectContaining({ operation: 'CreateFunction', functionName: 'orders', status: 201 }),
      expect.objectContaining({ operation: 'Invoke', functionName: 'orders', qualifier: '$LATEST', status: 200 }),
      expect.objectContaining({ operation: 'Invoke', functionName: 'nothing', qualifier: '', status: 404 }),
    ]);
  });

  test('intercept() may answer a request itself', async () => {
    let left = 1;
    const client = await start({
      intercept: (_request, response, operation) => {
        if (operation !== 'Invoke' || left-- === 0) return false;
        response.writeHead(500, { 'X-Amzn-Errortype': 'ServiceException' }).end('{"Message":"Try again."}');
        return true;
      },
    });
    await expect(client.send(new InvokeCommand({ FunctionName: 'orders' }))).rejects.toMatchObject({
      name: 'ServiceException',
    });
    expect((await invokeFunction(client, 'orders')).payload).toBe('one');
    expect(server.requests.map(({ status }) => status)).toEqual([201, 500, 200]);
  });
});
