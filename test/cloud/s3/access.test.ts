import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ACCOUNT, sdkClient } from './clients.ts';
import { type S3Server, startS3 } from './server.ts';

const Bucket = 'recordings';
let server: S3Server;
let client: S3Client;
let denied: string[] = [];
const asked: string[] = [];

beforeAll(async () => {
  const allows = (action: string, resource: string) => {
    asked.push(`${action} ${resource}`);
    return !denied.includes(action) && !denied.includes(`${action} ${resource}`);
  };
  server = await startS3({ accounts: [{ ...ACCOUNT, allows }] });
  server.createBucket(Bucket);
  server.put(Bucket, 'key', 'body');
  client = sdkClient(server);
});
beforeEach(() => {
  denied = [];
  asked.length = 0;
});
afterAll(() => server.close());

const get = (Key: string) => client.send(new GetObjectCommand({ Bucket, Key }));

test('a missing permission is a 403 that names the action and the resource', async () => {
  denied = ['s3:PutObject'];
  await expect(client.send(new PutObjectCommand({ Bucket, Key: 'λ/a', Body: 'x' }))).rejects.toMatchObject({
    name: 'AccessDenied',
    message:
      'User: arn:aws:sts::123456789012:assumed-role/lambda-profile/github-actions is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::recordings/λ/a" because no identity-based policy allows the s3:PutObject action',
    $metadata: { httpStatusCode: 403 },
  });
  expect(server.objects(Bucket, 'λ')).toEqual([]);
});

test('each operation asks for the action AWS documents', async () => {
  await client.send(new ListBucketsCommand({}));
  await client.send(new HeadBucketCommand({ Bucket }));
  await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'k' }));
  await get('key');
  await client.send(new GetObjectCommand({ Bucket, Key: 'key', VersionId: 'null' }));
  await client.send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'x', Tagging: 'a=1' }));
  await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/key` }));
  expect(asked).toEqual([
    's3:ListAllMyBuckets *',
    's3:ListBucket recordings',
    's3:ListBucket recordings',
    's3:GetObject recordings/key',
    's3:GetObjectVersion recordings/key',
    's3:PutObject recordings/new',
    's3:PutObjectTagging recordings/new',
    's3:PutObject recordings/copy',
    's3:GetObject recordings/key',
  ]);
});

test('who may not list a bucket is not told that an object is missing', async () => {
  await expect(get('absent')).rejects.toMatchObject({ name: 'NoSuchKey' });
  denied = ['s3:ListBucket'];
  await expect(get('absent')).rejects.toMatchObject({
    name: 'AccessDenied',
    message: expect.stringContaining('not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::recordings"'),
  });
  await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'absent' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
  expect((await get('key')).ContentLength).toBe(4);
});

test('replacing with If-Match needs permission to read as well', async () => {
  denied = ['s3:GetObject'];
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'swap', Body: 'x' }));
  await client.send(new PutObjectCommand({ Bucket, Key: 'unseen', Body: 'x', IfNoneMatch: '*' }));
  await expect(
    client.send(new PutObjectCommand({ Bucket, Key: 'swap', Body: 'y', IfMatch: ETag })),
  ).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('DeleteObjects refuses key by key', async () => {
  server.put(Bucket, 'd/1', 'x');
  server.put(Bucket, 'd/2', 'x');
  denied = ['s3:DeleteObject recordings/d/2'];
  const Objects = [{ Key: 'd/1' }, { Key: 'd/2' }];
  const reply = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(reply.Deleted).toEqual([{ Key: 'd/1' }]);
  expect(reply.Errors).toMatchObject([{ Key: 'd/2', Code: 'AccessDenied' }]);
  expect(server.objects(Bucket, 'd/').map(({ key }) => key)).toEqual(['d/2']);
});

test('a missing bucket is said before a missing permission', async () => {
  denied = ['s3:GetObject'];
  await expect(client.send(new GetObjectCommand({ Bucket: 'no-such-bucket', Key: 'key' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
    BucketName: 'no-such-bucket',
  });
});

test('a bucket of another owner than expected is refused', async () => {
  const expecting = (ExpectedBucketOwner: string) =>
    client.send(new ListObjectsV2Command({ Bucket, ExpectedBucketOwner }));
  await expecting('123456789012');
  await expect(expecting('111122223333')).rejects.toMatchObject({ name: 'AccessDenied' });
});
