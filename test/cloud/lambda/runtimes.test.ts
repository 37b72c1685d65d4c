import { CreateFunctionCommand, type LambdaClient, PublishLayerVersionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveFile, archive, invokeFunction, lambdaClient, nodeFunction, until } from './deployment.ts';
import { type LambdaServer, startLambda } from './server.ts';

let server: LambdaServer;
let client: LambdaClient;
let deployed = 0;

beforeAll(async () => {
  server = await startLambda({ region: 'us-east-1', accountId: '123456789012' });
  client = lambdaClient(server.url);
});
afterAll(() => server.close());

async function deploy(files: Readonly<Record<string, ArchiveFile>>, overrides = {}): Promise<string> {
  const name = `orders-${++deployed}`;
  await client.send(new CreateFunctionCommand(nodeFunction(name, files, overrides)));
  return name;
}

async function publishLayer(LayerName: string, files: Readonly<Record<string, ArchiveFile>>): Promise<string> {
  const layer = { LayerName, Content: { ZipFile: archive(files) } };
  return (await client.send(new PublishLayerVersionCommand(layer))).LayerVersionArn!;
}

const executable = (contents: string): ArchiveFile => ({ contents, mode: 0o755 });

describe('Node.js handlers', () => {
  test.each([
    ['an ES module', { 'index.mjs': `export const handler = async (event) => event.n + 1;` }, 'index.handler'],
    ['a CommonJS module', { 'index.js': `exports.handler = async (event) => event.n + 1;` }, 'index.handler'],
    ['a nested export', { 'src/app.cjs': `exports.api = { run: async ({ n }) => n + 1 };` }, 'src/app.api.run'],
    [
      'a function that returns no promise',
      { 'index.mjs': `export const handler = ({ n }) => n + 1;` },
      'index.handler',
    ],
  ])('%s', async (_kind, files, Handler) => {
    expect((await invokeFunction(client, await deploy(files, { Handler }), { n: 1 })).payload).toBe(2);
  });

  test('a callback handler is refused by the runtime', async () => {
    const name = await deploy({ 'index.js': `exports.handler = (event, context, callback) => callback(null, 1);` });
    const { functionError, payload } = await invokeFunction(client, name);
    expect(functionError).toBe('Unhandled');
    expect(payload).toMatchObject({ errorType: 'Runtime.CallbackHandlerDeprecated' });
  });

  test('a streaming handler answers what it has written', async () => {
    const name = await deploy({
      'index.mjs': `
        export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
          stream.write('{"parts":[');
          for (let i = 0; i < event.parts; i++) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            stream.write((i > 0 ? ',' : '') + i);
          }
          stream.write(']}');
          stream.end();
        });`,
    });
    for (let i = 0; i < 2; i++) {
      const { payload, functionError } = await invokeFunction(client, name, { parts: 3 });
      expect([payload, functionError]).toEqual([{ parts: [0, 1, 2] }, undefined]);
    }
  });

  test('a streaming handler that fails midway is a function error', async () => {
    const name = await deploy({
      'index.mjs': `
        export const handler = awslambda.streamifyResponse(async (event, stream) => {
          stream.write('half');
          throw new TypeError('no more');
        });`,
    });
    expect(await invokeFunction(client, name)).toMatchObject({
      functionError: 'Unhandled',
      payload: { errorType: 'TypeError', errorMessage: 'no more' },
    });
  });
});

describe('layers', () => {
  test('are under /opt: packages, NODE_OPTIONS, and the later layer over the earlier one', async () => {
    const first = await publishLayer('first', {
      'nodejs/node_modules/greeting/index.js': `module.exports = 'hello';`,
      'nodejs/node_modules/name/index.js': `module.exports = 'first';`,
      'preload.cjs': `globalThis.preloaded = __filename;`,
    });
    const second = await publishLayer('second', { 'nodejs/node_modules/name/index.js': `module.exports = 'second';` });
    const name = await deploy(
      {
        'index.js': `
          exports.handler = async () => [require('greeting'), require('name'), typeof globalThis.preloaded];`,
      },
      { Layers: [first, second], Environment: { Variables: { NODE_OPTIONS: '--require /opt/preload.cjs' } } },
    );
    expect((await invokeFunction(client, name)).payload).toEqual(['hello', 'second', 'string']);
  });

  test('an exec wrapper may put its own handler around the function', async () => {
    const layer = await publishLayer('wrapping', {
      wrapper: executable(
        '#!/bin/sh\nexport INNER_HANDLER="$_HANDLER" _HANDLER=/opt/nodejs/wrapping.handler\nexport ARGUMENTS="$*"\nexec "$@"\n',
      ),
      'nodejs/wrapping.mjs': `
        const [module, name] = process.env.INNER_HANDLER.split('.');
        const inner = (await import(process.env.LAMBDA_TASK_ROOT + '/' + module + '.mjs'))[name];
        export const handler = async (event, context) => ({
          inner: await inner(event, context), handler: process.env.INNER_HANDLER, arguments: process.env.ARGUMENTS });`,
    });
    const name = await deploy(
      { 'index.mjs': `export const handler = async () => 'one';` },
      { Layers: [layer], Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' } } },
    );
    const { payload } = await invokeFunction(client, name);
    expect(payload).toMatchObject({ inner: 'one', handler: 'index.handler' });
    expect(payload.arguments).toMatch(/^\/.*node .*--max-old-space-size=461 .*aws-lambda-ric\/index\.mjs$/);
  });

  test('an exec wrapper that does not exist is an init error', async () => {
    const name = await deploy(
      { 'index.mjs': `export const handler = async () => 'one';` },
      { Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' } } },
    );
    expect((await invokeFunction(client, name)).payload).toMatchObject({
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: expect.stringMatching(/fork\/exec \S+\/wrapper: no such file or directory$/),
    });
  });
});

// A runtime in plain Node.js that asks for one invocation after the other.
const BOOTSTRAP = `#!/usr/bin/env node
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API;
let count = 0;
(async () => {
  for (;;) {
    const next = await fetch(api + '/2018-06-01/runtime/invocation/next');
    const id = next.headers.get('lambda-runtime-aws-request-id');
    const event = await next.json();
    const body = JSON.stringify({ count: ++count, event, handler: process.env._HANDLER,
      arn: next.headers.get('lambda-runtime-invoked-function-arn'), executionEnv: process.env.AWS_EXECUTION_ENV });
    const path = '/2018-06-01/runtime/invocation/' + id + (event.fail ? '/error' : '/response');
    const answer = await fetch(api + path, { method: 'POST', body });
    console.log('answered', answer.status, await answer.text());
  }
})();`;

describe('provided.al2023', () => {
  test('runs the bootstrap of the archive', async () => {
    const name = await deploy({ bootstrap: executable(BOOTSTRAP) }, { Runtime: 'provided.al2023', Handler: 'main' });
    const { payload } = await invokeFunction(client, name, { a: 1 });
    expect(payload).toEqual({
      count: 1,
      event: { a: 1 },
      handler: 'main',
      arn: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
    });
    const failed = await invokeFunction(client, name, { fail: true });
    expect(failed).toMatchObject({ functionError: 'Unhandled', payload: { count: 2 } });
    expect(failed.log).toContain('answered 202 {"status":"OK"}');
    await until('the instance is frozen', () => server.instances().at(-1)?.frozen === true);
  });

  test('needs a bootstrap that is executable', async () => {
    const name = await deploy({ bootstrap: BOOTSTRAP }, { Runtime: 'provided.al2023', Handler: 'main' });
    expect((await invokeFunction(client, name)).payload).toMatchObject({
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: expect.stringMatching(/bootstrap: permission denied$/),
    });
  });
});
