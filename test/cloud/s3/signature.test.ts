import { createRequire } from 'node:module';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT, elementText, loopbackHandler, sdkClient, send } from './clients.ts';
import { type S3Server, startS3 } from './server.ts';

/** An independent signer. The package has no types. */
const aws4: {
  sign(
    request: {
      service: 's3';
      region: string;
      method: string;
      host: string;
      path: string;
      headers?: Record<string, string>;
      body?: string;
      signQuery?: boolean;
    },
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  ): { path: string; headers: Record<string, string> };
} = createRequire(import.meta.url)('aws4');

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const CREDENTIAL = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';

describe("the examples of AWS's Signature Version 4 documentation", () => {
  let server: S3Server;
  const host = 'examplebucket.s3.amazonaws.com';
  const authorization = (signedHeaders: string, signature: string) =>
    `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signedHeaders},Signature=${signature}`;

  beforeAll(async () => {
    server = await startS3({ accounts: [ACCOUNT], now: () => new Date('2013-05-24T00:00:00Z') });
    server.createBucket('examplebucket');
    server.put('examplebucket', 'test.txt', 'Welcome to Amazon S3.');
    server.put('examplebucket', 'January.txt', '1');
  });
  afterAll(() => server.close());

  test('GET object with a range', async () => {
    const headers = {
      Host: host,
      Authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
      Range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY_SHA256,
      'x-amz-date': '20130524T000000Z',
    };
    expect(await send(server, { path: '/test.txt', headers })).toMatchObject({ status: 206, body: 'Welcome to' });
    const moved = { ...headers, Range: 'bytes=0-99' };
    expect(await send(server, { path: '/test.txt', headers: moved })).toMatchObject({ status: 403 });
  });

  test('PUT object with an odd key and a storage class', async () => {
    const headers = {
      Host: host,
      Date: 'Fri, 24 May 2013 00:00:00 GMT',
      Authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    };
    const body = 'Welcome to Amazon S3.';
    const put = { method: 'PUT', path: '/test%24file.text', headers: { ...headers, 'Content-Length': body.length } };
    expect(await send(server, { ...put, body })).toMatchObject({ status: 200 });
    expect(server.objects('examplebucket', 'test$')[0]?.body.toString()).toBe(body);

    const forged = await send(server, { ...put, body: 'Goodbye to Amazon S3.' });
    expect(forged.status).toBe(400);
    expect(elementText(forged.body, 'Code')).toBe('XAmzContentSHA256Mismatch');
  });

  test('GET bucket lifecycle, which this server verifies and then does not have', async () => {
    const reply = await send(server, {
      path: '/?lifecycle',
      headers: {
        Host: host,
        Authorization: authorization(
          'host;x-amz-content-sha256;x-amz-date',
          'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
        ),
        'x-amz-date': '20130524T000000Z',
        'x-amz-content-sha256': EMPTY_SHA256,
      },
    });
    expect(reply.status).toBe(501);
  });

  test('GET bucket with parameters', async () => {
    const reply = await send(server, {
      path: '/?max-keys=2&prefix=J',
      headers: {
        Host: host,
        Authorization: authorization(
          'host;x-amz-content-sha256;x-amz-date',
          '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
        ),
        'x-amz-date': '20130524T000000Z',
        'x-amz-content-sha256': EMPTY_SHA256,
      },
    });
    expect(reply.status).toBe(200);
    expect(elementText(reply.body, 'Key')).toBe('January.txt');
  });

  test('a presigned URL', async () => {
    const query =
      'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
    const reply = await send(server, { path: `/test.txt?${query}`, headers: { Host: host } });
    expect(reply).toMatchObject({ status: 200, body: 'Welcome to Amazon S3.' });
    const longer = query.replace('86400', '86401');
    expect(await send(server, { path: `/test.txt?${longer}`, headers: { Host: host } })).toMatchObject({ status: 403 });
  });
});

describe('signatures of independent clients', () => {
  let server: S3Server;
  const host = () => new URL(server.url).host;

  beforeAll(async () => {
    server = await startS3({ accounts: [ACCOUNT] });
    server.createBucket('recordings');
  });
  afterAll(() => server.close());

  test('aws4 and the SDK can read what the other wrote, whatever is in the key', async () => {
    const client = sdkClient(server);
    const oddCharacter = fc.constantFrom(...' !"#$%&\'()*+,-./0:;<=>?@A[\\]^_`a{|}~éλƒ中😀');
    const key = fc.string({ unit: oddCharacter, minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(key, async (Key) => {
        await client.send(new PutObjectCommand({ Bucket: 'recordings', Key, Body: Key }));
        const path = `/recordings/${Key.split('/').map(encodeURIComponent).join('/')}`;
        const signed = aws4.sign({ service: 's3', region: 'eu-west-1', method: 'GET', host: host(), path }, ACCOUNT);
        expect(await send(server, { path: signed.path, headers: signed.headers })).toMatchObject({
          status: 200,
          body: Key,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('aws4 presigns in the query', async () => {
    server.put('recordings', 'λ/a b', 'presigned');
    const request = { service: 's3', region: 'us-east-1', method: 'GET', host: host(), signQuery: true } as const;
    const signed = aws4.sign({ ...request, path: '/recordings/%CE%BB/a%20b' }, ACCOUNT);
    expect(await send(server, { path: signed.path, headers: { Host: host() } })).toMatchObject({
      status: 200,
      body: 'presigned',
    });
  });

  test('the SDK addresses a bucket in the host name', async () => {
    const endpoint = server.url.replace('127.0.0.1', 'localhost');
    const client = sdkClient(server, { endpoint, requestHandler: loopbackHandler() });
    await client.send(new PutObjectCommand({ Bucket: 'recordings', Key: 'hosted', Body: 'style' }));
    const listed = await client.send(new ListObjectsV2Command({ Bucket: 'recordings', Prefix: 'hosted' }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['hosted']);
    expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual(['recordings']);
    client.destroy();
  });

  test('a plus sign in a path means a space, as in S3', async () => {
    server.put('recordings', 'a b', 'space');
    const signed = aws4.sign(
      { service: 's3', region: 'us-east-1', method: 'GET', host: host(), path: '/recordings/a+b' },
      ACCOUNT,
    );
    expect(await send(server, { path: '/recordings/a+b', headers: signed.headers })).toMatchObject({ body: 'space' });
  });

  test.each([
    ['as UTF-8 bytes', (text: string) => Buffer.from(text, 'utf8').toString('latin1')],
    ['as Latin-1 bytes', (text: string) => text],
  ])('metadata beyond ASCII sent %s verifies and comes back as an RFC 2047 word', async (_, onWire) => {
    const headers = { 'x-amz-meta-name': 'café', 'content-length': '0' };
    const signed = aws4.sign(
      { service: 's3', region: 'us-east-1', method: 'PUT', host: host(), path: '/recordings/metadata', headers },
      ACCOUNT,
    );
    signed.headers['x-amz-meta-name'] = onWire('café');
    const reply = await send(server, { method: 'PUT', path: signed.path, headers: signed.headers });
    expect(reply.status).toBe(200);
    const got = aws4.sign(
      { service: 's3', region: 'us-east-1', method: 'GET', host: host(), path: '/recordings/metadata' },
      ACCOUNT,
    );
    const read = await send(server, { path: got.path, headers: got.headers });
    expect(read.headers['x-amz-meta-name']).toMatch(/^=\?UTF-8\?B\?[\w+/=]+\?=$/);
  });
});

describe('requests that must be refused', () => {
  let server: S3Server;
  let clock = new Date();
  const temporary = { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret', sessionToken: 'token/+=' };
  const stale = { accessKeyId: 'ASIAI44QH8DHBEXAMPLE', secretAccessKey: 'secret', sessionToken: 'old' };

  beforeAll(async () => {
    const accounts = [ACCOUNT, temporary, { ...stale, expired: true }];
    server = await startS3({ accounts, now: () => clock });
    server.createBucket('recordings');
    server.put('recordings', 'key', 'body');
  });
  afterAll(() => server.close());

  const get = new GetObjectCommand({ Bucket: 'recordings', Key: 'key' });
  const signed = (headers: Record<string, string> = {}, credentials = ACCOUNT) =>
    aws4.sign(
      {
        service: 's3',
        region: 'us-east-1',
        method: 'GET',
        host: new URL(server.url).host,
        path: '/recordings/key',
        headers,
      },
      credentials,
    );

  test('a wrong secret', async () => {
    const client = sdkClient(server, { credentials: { ...ACCOUNT, secretAccessKey: 'wrong' } });
    await expect(client.send(get)).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    });
  });

  test('an unknown access key', async () => {
    const client = sdkClient(server, { credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' } });
    await expect(client.send(get)).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
      $metadata: { httpStatusCode: 403 },
    });
  });

  test('no signature at all', async () => {
    const reply = await send(server, { path: '/recordings/key' });
    expect(reply.status).toBe(403);
    expect(elementText(reply.body, 'Code')).toBe('AccessDenied');
  });

  test('a session token works, a wrong one is invalid, a missing one makes the key unknown', async () => {
    await sdkClient(server, { credentials: temporary }).send(get);
    await expect(
      sdkClient(server, { credentials: { ...temporary, sessionToken: 'other' } }).send(get),
    ).rejects.toMatchObject({ name: 'InvalidToken', $metadata: { httpStatusCode: 400 } });
    const { accessKeyId, secretAccessKey } = temporary;
    await expect(sdkClient(server, { credentials: { accessKeyId, secretAccessKey } }).send(get)).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
    });
  });

  test('an expired session', async () => {
    await expect(sdkClient(server, { credentials: stale }).send(get)).rejects.toMatchObject({
      name: 'ExpiredToken',
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('a clock more than fifteen minutes off, which the SDK corrects on its next attempt', async () => {
    const { headers } = signed();
    clock = new Date(Date.now() + 14 * 60_000);
    expect(await send(server, { path: '/recordings/key', headers })).toMatchObject({ status: 200 });
    for (const minutes of [16, -16]) {
      clock = new Date(Date.now() + minutes * 60_000);
      const reply = await send(server, { path: '/recordings/key', headers });
      expect(reply.status).toBe(403);
      expect(elementText(reply.body, 'Code')).toBe('RequestTimeTooSkewed');
      expect(elementText(reply.body, 'MaxAllowedSkewMilliseconds')).toBe('900000');
      expect(reply.headers.date).toBe(clock.toUTCString());
    }
    clock = new Date(Date.now() + 16 * 60_000);
    await expect(sdkClient(server).send(get)).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
    const answer = await sdkClient(server, { maxAttempts: 3 }).send(get);
    expect(answer.$metadata.attempts).toBe(2);
    clock = new Date();
  });

  test('an x-amz header that was added after signing', async () => {
    const { headers } = signed();
    const reply = await send(server, { path: '/recordings/key', headers: { ...headers, 'x-amz-meta-a': '1' } });
    expect(reply.status).toBe(403);
    expect(elementText(reply.body, 'HeadersNotSigned')).toBe('x-amz-meta-a');
  });

  test('a signature for another service', async () => {
    const { headers } = signed();
    const reply = await send(server, {
      path: '/recordings/key',
      headers: { ...headers, Authorization: headers.Authorization?.replace('/s3/', '/lambda/') ?? '' },
    });
    expect(reply.status).toBe(400);
    expect(elementText(reply.body, 'Code')).toBe('AuthorizationHeaderMalformed');
  });

  test('an older signature version and a nonsense header', async () => {
    for (const Authorization of ['AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo', 'AWS4-HMAC-SHA256 nonsense']) {
      const reply = await send(server, { path: '/recordings/key', headers: { ...signed().headers, Authorization } });
      expect(reply.status).toBe(400);
    }
  });

  test('a signature in the header and in the query at once', async () => {
    const reply = await send(server, {
      path: '/recordings/key?X-Amz-Algorithm=AWS4-HMAC-SHA256',
      headers: signed().headers,
    });
    expect(reply.status).toBe(400);
    expect(elementText(reply.body, 'Code')).toBe('InvalidArgument');
  });

  test('a path that is not UTF-8 when decoded', async () => {
    const reply = await send(server, { path: '/recordings/%CE', headers: signed().headers });
    expect(reply.status).toBe(400);
    expect(elementText(reply.body, 'Code')).toBe('InvalidURI');
  });
});
