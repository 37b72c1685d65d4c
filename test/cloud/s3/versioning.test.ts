import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { ACCOUNT, sdkClient } from './clients.ts';
import { type S3Server, startS3 } from './server.ts';

const Bucket = 'recordings';
let server: S3Server | undefined;
let client: S3Client;

beforeEach(async () => {
  await server?.close();
  server = await startS3({ accounts: [ACCOUNT] });
  server.createBucket(Bucket);
  client = sdkClient(server);
});
afterAll(() => server?.close());

const set = (Status: 'Enabled' | 'Suspended') =>
  client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = async (Key: string, Body: string) =>
  (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
const read = async (Key: string, VersionId?: string) =>
  (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
const remove = (Key: string, VersionId?: string) => client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));

test('a bucket has no versions until versioning is enabled', async () => {
  expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
  expect(await put('key', 'one')).toBeUndefined();
  await set('Enabled');
  expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
  const second = await put('key', 'two');
  expect(await read('key')).toBe('two');
  expect(await read('key', second)).toBe('two');
  expect(await read('key', 'null')).toBe('one');
});

test('deleting puts a marker on top, and deleting the marker brings the object back', async () => {
  await set('Enabled');
  const version = await put('key', 'one');
  const deleted = await remove('key');
  expect(deleted.DeleteMarker).toBe(true);
  await expect(read('key')).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  expect(server?.objects(Bucket)).toEqual([]);
  expect(await read('key', version)).toBe('one');
  await expect(read('key', deleted.VersionId)).rejects.toMatchObject({ name: 'MethodNotAllowed' });

  await remove('key', deleted.VersionId);
  expect(await read('key')).toBe('one');
  await remove('key', version);
  await expect(read('key', version)).rejects.toMatchObject({ name: 'NoSuchVersion' });
});

test('a conditional write looks at the newest version, and a delete marker is no object', async () => {
  await set('Enabled');
  await put('key', 'one');
  const create = () => client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x', IfNoneMatch: '*' }));
  await expect(create()).rejects.toMatchObject({ name: 'PreconditionFailed' });
  await remove('key');
  await create();
  expect(await read('key')).toBe('x');
});

test('suspended versioning writes over the version called null and keeps the others', async () => {
  await set('Enabled');
  const kept = await put('key', 'kept');
  await set('Suspended');
  expect(await put('key', 'first')).toBe('null');
  expect(await put('key', 'second')).toBe('null');
  const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  expect(Versions?.map(({ VersionId }) => VersionId)).toEqual(['null', kept]);
  expect(await read('key', kept)).toBe('kept');
});

test('versions are listed newest first, with markers, in pages', async () => {
  await set('Enabled');
  const a1 = await put('a', '1');
  const a2 = await put('a', '2');
  const b1 = await put('b', '1');
  const marker = (await remove('b')).VersionId;
  await put('tree/x', '1');

  const all = await client.send(new ListObjectVersionsCommand({ Bucket, Delimiter: '/' }));
  expect(all.Versions).toMatchObject([
    { Key: 'a', VersionId: a2, IsLatest: true, Size: 1 },
    { Key: 'a', VersionId: a1, IsLatest: false },
    { Key: 'b', VersionId: b1, IsLatest: false },
  ]);
  expect(all.DeleteMarkers).toMatchObject([{ Key: 'b', VersionId: marker, IsLatest: true }]);
  expect(all.CommonPrefixes).toEqual([{ Prefix: 'tree/' }]);

  const seen: string[] = [];
  let KeyMarker: string | undefined;
  let VersionIdMarker: string | undefined;
  for (let page = 0; page < 9; page++) {
    const reply = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1, KeyMarker, VersionIdMarker }));
    seen.push(...[...(reply.Versions ?? []), ...(reply.DeleteMarkers ?? [])].map(({ Key }) => Key ?? ''));
    if (!reply.IsTruncated) break;
    KeyMarker = reply.NextKeyMarker;
    VersionIdMarker = reply.NextVersionIdMarker;
  }
  expect(seen).toEqual(['a', 'a', 'b', 'b', 'tree/x']);
});

test('HEAD of a deleted object says that a marker is in the way', async () => {
  await set('Enabled');
  await put('key', 'one');
  await remove('key');
  const error = await client.send(new HeadObjectCommand({ Bucket, Key: 'key' })).catch((failure) => failure);
  expect(error.$response.headers['x-amz-delete-marker']).toBe('true');
});
