import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  ListVersionsByFunctionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archive, invokeFunction, lambdaClient, nodeFunction } from './deployment.ts';
import { type LambdaOptions, type LambdaServer, startLambda } from './server.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:orders';
const answering = (word: string) => ({ 'index.mjs': `export const handler = async () => '${word}';` });

let server: LambdaServer;
let client: LambdaClient;

async function start(options: Partial<LambdaOptions> = {}) {
  server = await startLambda({ region: 'us-east-1', accountId: '123456789012', ...options });
  client = lambdaClient(server.url);
}

beforeEach(() => start());
afterEach(() => server.close());

const create = (overrides = {}) =>
  client.send(new CreateFunctionCommand(nodeFunction('orders', answering('one'), overrides)));
const configuration = (FunctionName = 'orders', Qualifier?: string) =>
  client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));
const updateCode = (word: string) =>
  client.send(new UpdateFunctionCodeCommand({ FunctionName: 'orders', ZipFile: archive(answering(word)) }));
const publish = () => client.send(new PublishVersionCommand({ FunctionName: 'orders' }));

describe('functions', () => {
  test('CreateFunction answers the configuration with the defaults of Lambda', async () => {
    const zip = archive(answering('one'));
    const created = await create({ Code: { ZipFile: zip }, MemorySize: undefined });
    expect(created).toMatchObject({
      FunctionName: 'orders',
      FunctionArn: ARN,
      Version: '$LATEST',
      Runtime: 'nodejs24.x',
      Timeout: 3,
      MemorySize: 128,
      CodeSize: zip.length,
      State: 'Active',
      LastUpdateStatus: 'Successful',
      PackageType: 'Zip',
      Architectures: ['x86_64'],
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/orders' },
    });
    expect(created.CodeSha256).toMatch(/^[\w+/]{43}=$/);
    const { $metadata: _, ...same } = await configuration();
    expect(same).toMatchObject({ CodeSha256: created.CodeSha256, RevisionId: created.RevisionId });
  });

  test.each([
    ['a second time', {}, 'ResourceConflictException', 'Function already exist: orders'],
    ['with another runtime', { FunctionName: 'b', Runtime: 'python3.13' }, 'ValidationException', 'runtime'],
    ['with too much memory', { FunctionName: 'b', MemorySize: 20_000 }, 'ValidationException', 'memorySize'],
    ['with a timeout of 0', { FunctionName: 'b', Timeout: 0 }, 'ValidationException', 'timeout'],
    [
      'with a reserved variable',
      { FunctionName: 'b', Environment: { Variables: { AWS_REGION: 'x' } } },
      'InvalidParameterValueException',
      'Reserved keys used in this request: AWS_REGION',
    ],
    [
      'with a broken archive',
      { FunctionName: 'b', Code: { ZipFile: Buffer.from('no') } },
      'InvalidParameterValueException',
      'Could not unzip uploaded file',
    ],
    [
      'with an unknown layer',
      { FunctionName: 'b', Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:agent:1'] },
      'InvalidParameterValueException',
      'does not exist',
    ],
  ])('CreateFunction refuses a function %s', async (_how, overrides, name, message) => {
    await create();
    await expect(create(overrides)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  test('an update changes code and configuration, and RevisionId guards it', async () => {
    const first = await create();
    const second = await updateCode('two');
    expect(second.CodeSha256).not.toBe(first.CodeSha256);
    const update = { FunctionName: 'orders', Timeout: 7, RevisionId: first.RevisionId };
    await expect(client.send(new UpdateFunctionConfigurationCommand(update))).rejects.toMatchObject({
      name: 'PreconditionFailedException',
    });
    const third = await client.send(
      new UpdateFunctionConfigurationCommand({ ...update, RevisionId: second.RevisionId }),
    );
    expect(third).toMatchObject({ Timeout: 7, MemorySize: 512, CodeSha256: second.CodeSha256 });
    expect(third.ConfigSha256).not.toBe(second.ConfigSha256);
    expect((await invokeFunction(client, 'orders')).payload).toBe('two');
  });

  test('DeleteFunction deletes the function', async () => {
    await create();
    expect((await client.send(new DeleteFunctionCommand({ FunctionName: ARN }))).$metadata.httpStatusCode).toBe(204);
    await expect(configuration()).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}`,
    });
  });

  test('an unknown path is refused', async () => {
    const response = await fetch(`${server.url}/2015-03-31/event-source-mappings`);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
  });
});

describe('names', () => {
  test.each(['orders', '123456789012:function:orders', ARN, `${ARN}:$LATEST`, 'orders:$LATEST'])(
    'the function is found as %s',
    async (name) => {
      await create();
      expect((await configuration(name)).FunctionName).toBe('orders');
      expect((await invokeFunction(client, name)).payload).toBe('one');
    },
  );

  test('an unescaped ARN in the path is understood, too', async () => {
    await create();
    const response = await fetch(`${server.url}/2015-03-31/functions/${ARN}/configuration`);
    expect(await response.json()).toMatchObject({ FunctionArn: ARN });
  });

  test('a qualified ARN with another Qualifier is refused', async () => {
    await create();
    await expect(configuration(`${ARN}:1`, '2')).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'The derived qualifier from the function name does not match the specified qualifier.',
    });
  });

  test('another region is out of reach, another account is not allowed', async () => {
    await create();
    await expect(configuration(ARN.replace('us-east-1', 'eu-west-1'))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    });
    await expect(configuration(ARN.replace('123456789012', '210987654321'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('because no resource-based policy allows the lambda:GetFunctionConfiguration'),
    });
  });
});

describe('versions and aliases', () => {
  test('PublishVersion freezes code and configuration, and publishes nothing twice', async () => {
    await create();
    expect(await publish()).toMatchObject({ Version: '1', FunctionArn: `${ARN}:1` });
    expect(await publish()).toMatchObject({ Version: '1' });
    await updateCode('two');
    expect(await publish()).toMatchObject({ Version: '2' });
    const invoked = async (Qualifier?: string) => {
      const { payload, version } = await invokeFunction(client, 'orders', {}, { Qualifier });
      return [payload, version];
    };
    expect(await invoked('1')).toEqual(['one', '1']);
    expect(await invoked('2')).toEqual(['two', '2']);
    expect(await invoked()).toEqual(['two', '$LATEST']);
    const { Versions } = await client.send(new ListVersionsByFunctionCommand({ FunctionName: 'orders' }));
    expect(Versions?.map((version) => version.Version)).toEqual(['$LATEST', '1', '2']);
  });

  test('PublishVersion refuses another CodeSha256 than that of $LATEST', async () => {
    await create();
    const command = new PublishVersionCommand({ FunctionName: 'orders', CodeSha256: 'x'.repeat(43) });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  test('an alias points to a version, and UpdateAlias moves it', async () => {
    await create();
    await publish();
    await updateCode('two');
    await publish();
    const alias = { FunctionName: 'orders', Name: 'live' };
    const created = await client.send(new CreateAliasCommand({ ...alias, FunctionVersion: '1' }));
    expect(created).toMatchObject({ AliasArn: `${ARN}:live`, FunctionVersion: '1' });
    expect(await invokeFunction(client, 'orders:live')).toMatchObject({ payload: 'one', version: '1' });
    expect(await configuration('orders', 'live')).toMatchObject({ Version: '1', FunctionArn: `${ARN}:live` });
    await client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: '2' }));
    expect(await client.send(new GetAliasCommand(alias))).toMatchObject({ FunctionVersion: '2' });
    expect(await invokeFunction(client, 'orders:live')).toMatchObject({ payload: 'two', version: '2' });
  });

  test('an alias with weights sends that share to another version', async () => {
    await create();
    await publish();
    await updateCode('two');
    await publish();
    const RoutingConfig = { AdditionalVersionWeights: { '2': 1 } };
    const alias = { FunctionName: 'orders', Name: 'live', FunctionVersion: '1', RoutingConfig };
    expect(await client.send(new CreateAliasCommand(alias))).toMatchObject({ RoutingConfig });
    expect(await invokeFunction(client, 'orders:live')).toMatchObject({ version: '2' });
  });

  test('what an alias uses cannot be deleted; a free version can', async () => {
    await create();
    await publish();
    await updateCode('two');
    await publish();
    await client.send(new CreateAliasCommand({ FunctionName: 'orders', Name: 'live', FunctionVersion: '1' }));
    const remove = (Qualifier: string) => client.send(new DeleteFunctionCommand({ FunctionName: 'orders', Qualifier }));
    await expect(remove('1')).rejects.toMatchObject({ name: 'ResourceConflictException' });
    await expect(remove('$LATEST')).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await remove('2');
    await expect(configuration('orders', '2')).rejects.toMatchObject({ message: `Function not found: ${ARN}:2` });
  });

  test('an alias that does not exist is not found', async () => {
    await create();
    await expect(client.send(new GetAliasCommand({ FunctionName: 'orders', Name: 'live' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Cannot find alias arn: ${ARN}:live`,
    });
    await expect(invokeFunction(client, 'orders:live')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:live`,
    });
  });
});

describe('changes that take time', () => {
  beforeEach(async () => {
    await server.close();
    await start({ pendingPolls: 2 });
  });

  test('a new function is Pending and cannot be invoked until the polls are over', async () => {
    expect(await create()).toMatchObject({ State: 'Pending', StateReasonCode: 'Creating' });
    await expect(invokeFunction(client, 'orders')).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: expect.stringContaining('following state: Pending'),
    });
    const states = [await configuration(), await configuration(), await configuration()];
    expect(states.map(({ State }) => State)).toEqual(['Pending', 'Pending', 'Active']);
    expect((await invokeFunction(client, 'orders')).payload).toBe('one');
  });

  test('while an update is in progress the old code runs and nothing else can change', async () => {
    await create();
    await waitUntilFunctionActiveV2(
      { client, maxWaitTime: 30, minDelay: 0.01, maxDelay: 0.05 },
      { FunctionName: 'orders' },
    );
    expect(await updateCode('two')).toMatchObject({ State: 'Active', LastUpdateStatus: 'InProgress' });
    expect((await invokeFunction(client, 'orders')).payload).toBe('one');
    await expect(updateCode('three')).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}`,
    });
    await waitUntilFunctionUpdatedV2(
      { client, maxWaitTime: 30, minDelay: 0.01, maxDelay: 0.05 },
      { FunctionName: 'orders' },
    );
    expect((await invokeFunction(client, 'orders')).payload).toBe('two');
  });
});

describe('concurrency settings and account', () => {
  test('reserved concurrency is set, read, and taken from the account', async () => {
    await create();
    const read = () => client.send(new GetFunctionConcurrencyCommand({ FunctionName: 'orders' }));
    expect((await read()).ReservedConcurrentExecutions).toBeUndefined();
    const reserve = { FunctionName: 'orders', ReservedConcurrentExecutions: 5 };
    await client.send(new PutFunctionConcurrencyCommand(reserve));
    expect((await read()).ReservedConcurrentExecutions).toBe(5);
    const { Concurrency } = await client.send(new GetFunctionCommand({ FunctionName: 'orders' }));
    expect(Concurrency).toEqual({ ReservedConcurrentExecutions: 5 });
    const { AccountLimit, AccountUsage } = await client.send(new GetAccountSettingsCommand({}));
    expect(AccountLimit).toMatchObject({ ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 995 });
    expect(AccountUsage).toMatchObject({ FunctionCount: 1 });
    const tooMuch = new PutFunctionConcurrencyCommand({ ...reserve, ReservedConcurrentExecutions: 1001 });
    await expect(client.send(tooMuch)).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  test('there is no provisioned concurrency', async () => {
    await create();
    const command = new GetProvisionedConcurrencyConfigCommand({ FunctionName: 'orders', Qualifier: '$LATEST' });
    await expect(client.send(command)).rejects.toMatchObject({
      name: 'ProvisionedConcurrencyConfigNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('PublishLayerVersion counts the versions of a layer', async () => {
    const layer = { LayerName: 'agent', Content: { ZipFile: archive({ file: 'one' }) } };
    const first = await client.send(new PublishLayerVersionCommand(layer));
    const second = await client.send(new PublishLayerVersionCommand(layer));
    expect(first.LayerVersionArn).toBe('arn:aws:lambda:us-east-1:123456789012:layer:agent:1');
    expect(second.Version).toBe(2);
    const created = await create({ Layers: [second.LayerVersionArn!] });
    expect(created.Layers).toEqual([{ Arn: second.LayerVersionArn, CodeSize: second.Content?.CodeSize }]);
  });
});
