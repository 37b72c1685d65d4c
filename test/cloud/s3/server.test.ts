import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  waitUntilBucketExists,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT, elementText, sdkClient, send } from './clients.ts';
import { S3Error } from './errors.ts';
import { type S3Server, sendError, startS3 } from './server.ts';
import { escapeText, leaf, parseXml } from './xml.ts';

const Bucket = 'recordings';

describe('buckets', () => {
  let server: S3Server;
  beforeEach(async () => {
    server = await startS3({ accounts: [ACCOUNT] });
  });
  afterEach(() => server.close());

  test('are created, found, listed and deleted when empty', async () => {
    const client = sdkClient(server);
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new CreateBucketCommand({ Bucket }));
    await waitUntilBucketExists({ client, maxWaitTime: 10 }, { Bucket });
    expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1');
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
    expect((await client.send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: Bucket }]);

    server.put(Bucket, 'key', 'x');
    await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await expect(client.send(new DeleteBucketCommand({ Bucket: 'absent' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  test('elsewhere than in us-east-1 remember their region and are created once', async () => {
    const client = sdkClient(server, { region: 'eu-west-1' });
    const create = () =>
      client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
    await create();
    await expect(create()).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' });
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe('eu-west-1');
  });

  test('have no encryption configuration, and a name S3 accepts', async () => {
    const client = sdkClient(server);
    server.createBucket(Bucket);
    await expect(client.send(new GetBucketEncryptionCommand({ Bucket }))).rejects.toMatchObject({
      name: 'ServerSideEncryptionConfigurationNotFoundError',
      $metadata: { httpStatusCode: 404 },
    });
    const forced = sdkClient(server, { forcePathStyle: true });
    for (const name of ['ab', 'Upper', 'a..b', '-a-', '192.168.0.1']) {
      await expect(forced.send(new CreateBucketCommand({ Bucket: name }))).rejects.toMatchObject({
        name: 'InvalidBucketName',
      });
    }
  });

  test('refuse what this server does not have, instead of guessing', async () => {
    server.createBucket(Bucket);
    await expect(sdkClient(server).send(new GetBucketAclCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });
});

describe('answers', () => {
  test('carry a request id, the server clock and XML errors with the same id', async () => {
    const now = new Date('2026-03-01T12:00:00Z');
    const server = await startS3({ accounts: [ACCOUNT], now: () => now });
    const reply = await send(server, { path: '/absent/key' });
    expect(reply.headers).toMatchObject({
      date: 'Sun, 01 Mar 2026 12:00:00 GMT',
      server: 'AmazonS3',
      'content-type': 'application/xml',
      'x-amz-request-id': expect.stringMatching(/^[0-9A-F]{16}$/),
    });
    expect(reply.body).toContain('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>');
    expect(elementText(reply.body, 'RequestId')).toBe(reply.headers['x-amz-request-id']);
    const head = await send(server, { method: 'HEAD', path: '/absent/key' });
    expect(head).toMatchObject({ status: 403, body: '' });
    await server.close();
  });

  test('to a client that goes away in the middle of its body do not disturb the next one', async () => {
    const server = await startS3({ accounts: [ACCOUNT] });
    server.createBucket(Bucket);
    const client = sdkClient(server);
    const controller = new AbortController();
    const body = new ReadableStream({
      pull(stream) {
        stream.enqueue(new Uint8Array(10_000));
        controller.abort();
      },
    });
    const put = new PutObjectCommand({ Bucket, Key: 'half', Body: body, ContentLength: 50_000 });
    await expect(client.send(put, { abortSignal: controller.signal })).rejects.toThrow();
    await client.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: 'x' }));
    expect(server.objects(Bucket).map(({ key }) => key)).toEqual(['whole']);
    await server.close();
  });
});

describe('the request log', () => {
  test('says what was asked by whom and how it ended', async () => {
    const server = await startS3({ accounts: [ACCOUNT] });
    server.createBucket(Bucket);
    const client = sdkClient(server);
    await client.send(new PutObjectCommand({ Bucket, Key: 'λ', Body: 'body' }));
    await client.send(new GetObjectCommand({ Bucket, Key: 'λ' }));
    await client.send(new GetObjectCommand({ Bucket, Key: 'absent' })).catch(() => undefined);
    await send(server, { path: '/recordings/key?versionId=1' });
    const { accessKeyId } = ACCOUNT;
    expect(server.requests).toMatchObject([
      { operation: 'PutObject', method: 'PUT', bucket: Bucket, key: 'λ', status: 200, accessKeyId, bytes: 4 },
      { operation: 'GetObject', method: 'GET', bucket: Bucket, key: 'λ', status: 200, accessKeyId, bytes: 4 },
      { operation: 'GetObject', key: 'absent', status: 404, bytes: 0 },
      { operation: 'GetObject', key: 'key', query: { versionId: '1' }, status: 403, accessKeyId: '' },
    ]);
    await server.close();
  });
});

describe('intercept', () => {
  test('can answer in place of the server, let a request through, or cut the connection', async () => {
    const faults = ['SlowDown', 'ConditionalRequestConflict', 'cut', 'pass'];
    const server = await startS3({
      accounts: [ACCOUNT],
      async intercept(_request, response, operation) {
        expect(operation).toBe('PutObject');
        const fault = faults.shift();
        if (fault === 'cut') response.destroy();
        else if (fault === 'SlowDown' || fault === 'ConditionalRequestConflict') {
          sendError(response, new S3Error(fault));
        }
        return fault !== 'pass';
      },
    });
    server.createBucket(Bucket);
    const put = () => sdkClient(server).send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' }));
    await expect(put()).rejects.toMatchObject({ name: 'SlowDown', $metadata: { httpStatusCode: 503 } });
    await expect(put()).rejects.toMatchObject({ name: 'ConditionalRequestConflict' });
    await expect(put()).rejects.toThrow(/socket hang up|ECONNRESET/);
    await put();
    expect(server.requests.map(({ status }) => status)).toEqual([503, 409, 0, 200]);
    await server.close();
  });
});

test('put() and objects() name a bucket that does not exist', async () => {
  const server = await startS3({ accounts: [] });
  expect(() => server.put('absent', 'key', '')).toThrow("Cannot use bucket 'absent'");
  expect(() => server.objects('absent')).toThrow("Cannot use bucket 'absent'");
  await server.close();
});

describe('XML', () => {
  test('text survives writing and parsing', () => {
    const text = `a <b> & "c" 'd' \r\n\u0001 λ 😀 ]]>`;
    expect(parseXml(leaf('Key', text))).toEqual({ name: 'Key', text, children: [] });
    expect(escapeText('\r')).toBe('&#xd;');
  });

  test('comments, CDATA, attributes, prefixes and declarations are understood', () => {
    const source = '<?xml version="1.0"?><!-- c --><s3:A xmlns:s3="x"><B c=\'1\'/><B><![CDATA[<&>]]>&#65;</B></s3:A>\n';
    expect(parseXml(source)).toEqual({
      name: 'A',
      text: '',
      children: [
        { name: 'B', text: '', children: [] },
        { name: 'B', text: '<&>A', children: [] },
      ],
    });
  });

  test.each([
    '',
    'text',
    '<A>',
    '<A></B>',
    '<A/><B/>',
    '</A>',
    '<A>&unknown;</A>',
    '<A>&</A>',
    '<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>',
  ])('%j is malformed', (source) => {
    expect(() => parseXml(source)).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  });

  test('nesting deeper than any of its documents is malformed', () => {
    const nested = (depth: number) => '<A>'.repeat(depth) + '</A>'.repeat(depth);
    expect(parseXml(nested(8)).name).toBe('A');
    expect(() => parseXml(nested(50))).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  });
});
