import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCOUNT, elementText, sdkClient, send } from './clients.ts';
import { type S3Server, startS3 } from './server.ts';

const START = new Date('2026-03-01T12:00:00Z');
const Bucket = 'recordings';
const session = { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret', sessionToken: 'token/+=' };
let server: S3Server;
let clock = START;
const presign = (command: GetObjectCommand | PutObjectCommand, expiresIn = 60) =>
  getSignedUrl(sdkClient(server), command, { expiresIn, signingDate: START });

beforeAll(async () => {
  server = await startS3({ accounts: [ACCOUNT, session], now: () => clock });
  server.createBucket(Bucket);
  server.put(Bucket, 'λ/é +&%20?=#.pb.gz', 'profile');
  server.put(Bucket, 'other', 'secret');
});
afterAll(() => server.close());

test('a presigned GET reads an object with an odd key', async () => {
  const reply = await fetch(await presign(new GetObjectCommand({ Bucket, Key: 'λ/é +&%20?=#.pb.gz' })));
  expect(reply.status).toBe(200);
  expect(await reply.text()).toBe('profile');
});

test('a presigned GET may rename the download', async () => {
  const disposition = 'attachment; filename="a b.txt"';
  const url = await presign(
    new GetObjectCommand({
      Bucket,
      Key: 'other',
      ResponseContentDisposition: disposition,
      ResponseContentType: 'text/plain',
    }),
  );
  const reply = await fetch(url);
  expect(reply.headers.get('content-disposition')).toBe(disposition);
  expect(reply.headers.get('content-type')).toBe('text/plain');
});

test('a presigned PUT stores any body, although the SDK signs the checksum of an empty one', async () => {
  const url = await presign(new PutObjectCommand({ Bucket, Key: 'upload', Metadata: { commit: 'abc' } }));
  expect(url).toContain('x-amz-checksum-crc32=AAAAAA%3D%3D');
  const reply = await fetch(url, { method: 'PUT', body: 'hello' });
  expect(reply.status).toBe(200);
  const [object] = server.objects(Bucket, 'upload');
  expect(object?.body.toString()).toBe('hello');
  expect(object?.metadata).toEqual({ commit: 'abc' });
});

test('a presigned URL is good for one method and one key', async () => {
  const url = await presign(new GetObjectCommand({ Bucket, Key: 'other' }));
  expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(403);
  expect((await fetch(url.replace('/other', '/upload'))).status).toBe(403);
  expect((await fetch(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=61'))).status).toBe(403);
});

test('a presigned URL works until it expires, and not before its time', async () => {
  const url = await presign(new GetObjectCommand({ Bucket, Key: 'other' }), 60);
  const at = async (offsetMs: number) => {
    clock = new Date(START.getTime() + offsetMs);
    const reply = await fetch(url);
    clock = START;
    return { status: reply.status, message: elementText(await reply.text(), 'Message') };
  };
  expect(await at(60_000)).toMatchObject({ status: 200 });
  expect(await at(61_000)).toEqual({ status: 403, message: 'Request has expired' });
  expect(await at(-16 * 60_000)).toEqual({ status: 403, message: 'Request is not yet valid' });
});

test('a presigned URL cannot last longer than a week', async () => {
  const url = await presign(new GetObjectCommand({ Bucket, Key: 'other' }), 604_800);
  const reply = await fetch(url.replace('604800', '604801'));
  expect(reply.status).toBe(400);
  expect(elementText(await reply.text(), 'Code')).toBe('AuthorizationQueryParametersError');
});

test('a presigned URL of temporary credentials carries their token', async () => {
  const client = sdkClient(server, { credentials: session });
  const command = new GetObjectCommand({ Bucket, Key: 'other' });
  const url = await getSignedUrl(client, command, { expiresIn: 60, signingDate: START });
  expect(await (await fetch(url)).text()).toBe('secret');
  expect((await fetch(url.replace('X-Amz-Security-Token=token', 'X-Amz-Security-Token=other'))).status).toBe(400);
});

test('a presigned PUT refuses a streamed body of unknown length, as S3 does', async () => {
  const url = await presign(new PutObjectCommand({ Bucket, Key: 'streamed' }));
  const { host, pathname, search } = new URL(url);
  const headers = { Host: host, 'transfer-encoding': 'chunked' };
  const reply = await send(server, { method: 'PUT', path: pathname + search, headers, body: 'hello' });
  expect(reply.status).toBe(501);
  expect(elementText(reply.body, 'Header')).toBe('Transfer-Encoding');
});

test('a presigned HEAD is another request than a presigned GET', async () => {
  const url = await getSignedUrl(sdkClient(server), new HeadObjectCommand({ Bucket, Key: 'other' }), {
    signingDate: START,
  });
  expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe('6');
  expect((await fetch(url)).status).toBe(403);
});
