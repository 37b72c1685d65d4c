import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateFunctionCommand, type LambdaClient, PublishLayerVersionCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archive, invokeFunction, lambdaClient, nodeFunction, until } from './deployment.ts';
import { type LambdaServer, startLambda } from './server.ts';

let server: LambdaServer;
let client: LambdaClient;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'extension-'));
  server = await startLambda({ region: 'us-east-1', accountId: '123456789012' });
  client = lambdaClient(server.url);
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const path = (name: string) => join(directory, name);
const lines = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8').trim().split('\n') : []);

/** What an extension does, as a function to put into a source text. */
const CLIENT = `
  const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension';
  async function register(name, events) {
    const response = await fetch(api + '/register', {
      method: 'POST', headers: { 'Lambda-Extension-Name': name }, body: JSON.stringify({ events }) });
    return { status: response.status, id: response.headers.get('lambda-extension-identifier'), body: await response.json() };
  }
  const next = async (id) =>
    (await fetch(api + '/event/next', { headers: { 'Lambda-Extension-Identifier': id } })).json();`;

/** A function with an extension inside its own process, which works on after each response until a file exists. */
const internal = (events: string) => `
  import { appendFileSync, existsSync } from 'node:fs';
  ${CLIENT}
  const directory = process.env.DIRECTORY;
  const registered = await register('inside', ${events});
  (async () => {
    for (;;) {
      const event = await next(registered.id);
      appendFileSync(directory + '/events', event.eventType + ' ' + event.requestId + '\\n');
      while (!existsSync(directory + '/release')) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  process.on('SIGTERM', () => { appendFileSync(directory + '/signals', 'SIGTERM\\n'); process.exit(0); });
  const closed = async () => (await register('late', [])).body.errorType;
  const refused = (await register('other', ['SHUTDOWN'])).body;
  export const handler = async () => ({ registered: registered.body, refused, late: await closed() });`;

const deploy = (source: string, overrides = {}) =>
  client.send(
    new CreateFunctionCommand(
      nodeFunction(
        'orders',
        { 'index.mjs': source },
        { Timeout: 30, Environment: { Variables: { DIRECTORY: directory } }, ...overrides },
      ),
    ),
  );

describe('an internal extension', () => {
  test('gets each invocation; the caller has its response before the extension is done', async () => {
    await deploy(internal(`['INVOKE']`));
    const { payload, requestId } = await invokeFunction(client, 'orders', {}, { LogType: 'None' });
    expect(payload).toEqual({
      registered: { functionName: 'orders', functionVersion: '$LATEST', handler: 'index.handler' },
      refused: {
        errorType: 'Extension.InvalidEventType',
        errorMessage: 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension',
      },
      late: 'Extension.RegistrationClosed',
    });
    await until('the extension has the event', () => lines('events').length === 1);
    expect(lines('events')).toEqual([`INVOKE ${requestId}`]);
    expect(server.instances()).toMatchObject([{ frozen: false, invocations: 1 }]);
    writeFileSync(path('release'), '');
    await until('the instance is frozen', () => server.instances()[0]?.frozen === true);
  });

  test('delays the next invocation of its instance, not another instance', async () => {
    await deploy(internal(`['INVOKE']`));
    await invokeFunction(client, 'orders', {}, { LogType: 'None' });
    const second = invokeFunction(client, 'orders');
    await until('the extension has the event', () => lines('events').length === 1);
    expect(server.instances()).toMatchObject([{ invocations: 1 }]);
    writeFileSync(path('release'), '');
    await second;
    expect(server.instances()).toMatchObject([{ invocations: 2 }]);
  });

  test('gives the function a SIGTERM at its end, also when it gets no events', async () => {
    await deploy(internal('[]'));
    await invokeFunction(client, 'orders');
    await server.close();
    expect(lines('signals')).toEqual(['SIGTERM']);
    expect(lines('events')).toEqual([]);
  });
});

test('without an extension there is no SIGTERM', async () => {
  await deploy(`
    import { appendFileSync } from 'node:fs';
    process.on('SIGTERM', () => appendFileSync(process.env.DIRECTORY + '/signals', 'SIGTERM\\n'));
    export const handler = async () => 1;`);
  await invokeFunction(client, 'orders');
  await server.close();
  expect(lines('signals')).toEqual([]);
});

test('an external extension is a process of its own with INVOKE and SHUTDOWN events', async () => {
  const watcher = `#!/usr/bin/env node
    const { appendFileSync } = require('node:fs');
    ${CLIENT}
    (async () => {
      const { id } = await register('watcher', ['INVOKE', 'SHUTDOWN']);
      for (;;) {
        const event = await next(id);
        appendFileSync(process.env.DIRECTORY + '/watched', event.eventType + ' ' + (event.shutdownReason ?? '') + '\\n');
        if (event.eventType === 'SHUTDOWN') process.exit(0);
      }
    })();`;
  const ZipFile = archive({ 'extensions/watcher': { contents: watcher, mode: 0o755 } });
  const layer = await client.send(new PublishLayerVersionCommand({ LayerName: 'watcher', Content: { ZipFile } }));
  await deploy('export const handler = async () => process.env._HANDLER;', { Layers: [layer.LayerVersionArn!] });
  expect((await invokeFunction(client, 'orders')).payload).toBe('index.handler');
  expect((await invokeFunction(client, 'orders')).log).toContain('REPORT');
  await server.close();
  expect(lines('watched')).toEqual(['INVOKE ', 'INVOKE ', 'SHUTDOWN spindown']);
});
