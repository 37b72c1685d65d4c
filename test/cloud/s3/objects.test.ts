import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT, sdkClient } from './clients.ts';
import { type S3Server, startS3 } from './server.ts';

const Bucket = 'recordings';
const START = new Date('2026-03-01T12:00:00.750Z');
let server: S3Server;
let client: S3Client;
let clock = START;

beforeAll(async () => {
  server = await startS3({ accounts: [ACCOUNT], now: () => clock });
  server.createBucket(Bucket);
  client = sdkClient(server, { systemClockOffset: START.getTime() - Date.now() });
});
afterAll(() => server.close());

const put = (Key: string, Body: string, rest: Partial<PutObjectCommandInput> = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }));
const text = async (Key: string, rest = {}) =>
  (await client.send(new GetObjectCommand({ Bucket, Key, ...rest }))).Body?.transformToString();
const stored = (key: string) => server.objects(Bucket, key)[0]?.body.toString();

describe('an object', () => {
  test('keeps its content headers and metadata, in whole seconds', async () => {
    await put('meta', 'body', {
      ContentType: 'application/x-pprof',
      ContentEncoding: 'gzip',
      CacheControl: 'no-store',
      Metadata: { 'Instance-Id': 'i-1', commit: 'abc' },
    });
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: 'meta' }))).toMatchObject({
      ContentType: 'application/x-pprof',
      ContentEncoding: 'gzip',
      CacheControl: 'no-store',
      ContentLength: 4,
      ETag: '"841a2d689ad86bd1611447453c22c6fc"',
      Metadata: { 'instance-id': 'i-1', commit: 'abc' },
      LastModified: new Date('2026-03-01T12:00:00.000Z'),
      ServerSideEncryption: 'AES256',
      AcceptRanges: 'bytes',
    });
  });

  test('has no type of its own unless it is given one', async () => {
    server.put(Bucket, 'seeded', 'x', { Commit: 'abc' });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'seeded' }));
    expect(head.ContentType).toBe('binary/octet-stream');
    expect(head.Metadata).toEqual({ commit: 'abc' });
  });

  test('is distinct from another whose key differs by a slash', async () => {
    const keys = ['p//q', 'p/q', 'p/q/', 'p/./q', 'p/../q', 'both', 'both/x'];
    for (const key of keys) await put(key, key);
    for (const key of keys) expect(await text(key)).toBe(key);
  });

  test('that does not exist is NoSuchKey for GET, NotFound for HEAD and no matter for DELETE', async () => {
    await expect(text('absent')).rejects.toMatchObject({ name: 'NoSuchKey', Key: 'absent' });
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'absent' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    const deleted = await client.send(new DeleteObjectCommand({ Bucket, Key: 'absent' }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
  });

  test('may not have more than 2 KB of metadata, nor a key of more than 1024 bytes', async () => {
    await expect(put('meta', '', { Metadata: { a: 'x'.repeat(2048) } })).rejects.toMatchObject({
      name: 'MetadataTooLarge',
    });
    await expect(put('λ'.repeat(513), '')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  test('is refused rather than stored without a feature the server lacks', async () => {
    await expect(put('locked', '', { ObjectLockMode: 'GOVERNANCE' })).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(put('public', '', { ACL: 'public-read' })).rejects.toMatchObject({
      name: 'AccessControlListNotSupported',
    });
    expect(server.objects(Bucket, 'locked')).toEqual([]);
  });
});

describe('a range', () => {
  const range = async (Range: string) => {
    const { Body, ContentRange, $metadata } = await client.send(new GetObjectCommand({ Bucket, Key: 'digits', Range }));
    return [$metadata.httpStatusCode, await Body?.transformToString(), ContentRange];
  };
  beforeAll(() => put('digits', '0123456789'));

  test('may have a start and an end, only a start, or be the last bytes', async () => {
    expect(await range('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10']);
    expect(await range('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10']);
    expect(await range('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10']);
    expect(await range('bytes=8-99')).toEqual([206, '89', 'bytes 8-9/10']);
  });

  test('that makes no sense is ignored', async () => {
    for (const nonsense of ['bytes=5-2', 'lines=1-2', 'bytes=0-1,3-4']) {
      expect((await range(nonsense)).slice(0, 2)).toEqual([200, '0123456789']);
    }
  });

  test('outside the object cannot be satisfied', async () => {
    await expect(range('bytes=10-')).rejects.toMatchObject({ name: 'InvalidRange', ActualObjectSize: '10' });
  });
});

describe('a conditional write', () => {
  test('with If-None-Match creates an object once', async () => {
    await put('once', 'first', { IfNoneMatch: '*' });
    await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      Condition: 'If-None-Match',
      $metadata: { httpStatusCode: 412 },
    });
    expect(stored('once')).toBe('first');
  });

  test('with If-None-Match has one winner among twenty', async () => {
    const writes = Array.from({ length: 20 }, (_, index) => put('race', String(index), { IfNoneMatch: '*' }));
    const results = await Promise.allSettled(writes);
    const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [String(index)] : []));
    expect(winners).toEqual([stored('race')]);
  });

  test('with If-Match replaces only the object it saw', async () => {
    const { ETag } = await put('swap', 'one');
    await put('swap', 'two', { IfMatch: ETag });
    await expect(put('swap', 'three', { IfMatch: ETag })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(stored('swap')).toBe('two');
    await expect(put('absent', 'x', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('with If-Match has one winner among twenty', async () => {
    const { ETag } = await put('swap race', 'start');
    const writes = Array.from({ length: 20 }, (_, index) => put('swap race', String(index), { IfMatch: ETag }));
    const results = await Promise.allSettled(writes);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('with an ETag in If-None-Match does not exist in S3', async () => {
    await expect(put('once', 'x', { IfNoneMatch: '"abc"' })).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

describe('a conditional read', () => {
  const LATER = new Date('2026-03-01T13:00:00Z');
  const EARLIER = new Date('2026-03-01T11:00:00Z');
  let ETag: string | undefined;
  beforeAll(async () => {
    ({ ETag } = await put('read', 'body'));
  });

  test.each<[string, () => Record<string, unknown>, number]>([
    ['If-None-Match with its ETag', () => ({ IfNoneMatch: ETag }), 304],
    ['If-None-Match with a list that has its ETag', () => ({ IfNoneMatch: `"x", W/${ETag}` }), 304],
    ['If-Match with another ETag', () => ({ IfMatch: '"other"' }), 412],
    ['If-Modified-Since a later time', () => ({ IfModifiedSince: LATER }), 304],
    ['If-Unmodified-Since an earlier time', () => ({ IfUnmodifiedSince: EARLIER }), 412],
    ['If-None-Match with its ETag though modified since', () => ({ IfNoneMatch: ETag, IfModifiedSince: EARLIER }), 304],
  ])('%s has no body', async (_, condition, status) => {
    await expect(text('read', condition())).rejects.toMatchObject({ $metadata: { httpStatusCode: status } });
  });

  test.each<[string, () => Record<string, unknown>]>([
    ['If-Match with its ETag', () => ({ IfMatch: ETag })],
    ['If-None-Match with another ETag', () => ({ IfNoneMatch: '"other"' })],
    ['If-Modified-Since an earlier time', () => ({ IfModifiedSince: EARLIER })],
    ['If-Match with its ETag though modified since', () => ({ IfMatch: ETag, IfUnmodifiedSince: EARLIER })],
  ])('%s is answered', async (_, condition) => {
    expect(await text('read', condition())).toBe('body');
  });
});

describe('a copy', () => {
  const copy = (Key: string, CopySource: string, rest = {}) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...rest }));
  beforeAll(async () => {
    await put('λ source', 'body', { Metadata: { a: '1' }, ContentType: 'text/plain', Tagging: 'k=v' });
  });

  test('takes body, headers, metadata, tags and checksum along', async () => {
    const { CopyObjectResult } = await copy('copied', `${Bucket}/${encodeURIComponent('λ source')}`);
    expect(CopyObjectResult?.ETag).toBe('"841a2d689ad86bd1611447453c22c6fc"');
    expect(CopyObjectResult?.ChecksumCRC32).toBeDefined();
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'copied' }));
    expect(head).toMatchObject({ ContentType: 'text/plain', Metadata: { a: '1' }, TagCount: 1 });
  });

  test('may replace the metadata, even onto itself', async () => {
    const source = `/${Bucket}/${encodeURIComponent('λ source')}`;
    await copy('λ source', source, { MetadataDirective: 'REPLACE', Metadata: { b: '2' } });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'λ source' }));
    expect(head.Metadata).toEqual({ b: '2' });
    await expect(copy('λ source', source)).rejects.toMatchObject({ name: 'InvalidRequest' });
  });

  test('depends on conditions of its source and of its target', async () => {
    const source = `${Bucket}/${encodeURIComponent('λ source')}`;
    await expect(copy('elsewhere', source, { CopySourceIfMatch: '"no"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await copy('elsewhere', source, { IfNoneMatch: '*' });
    await expect(copy('elsewhere', source, { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test('of something that is not there fails', async () => {
    await expect(copy('x', `${Bucket}/absent`)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(copy('x', 'no-such-bucket/key')).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(copy('x', 'nonsense')).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});

describe('tags', () => {
  const tags = async (Key: string) => (await client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;
  const tag = (Key: string, TagSet: { Key: string; Value: string }[]) =>
    client.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));

  test('come with the object, can be replaced and removed', async () => {
    await put('tagged', 'x', { Tagging: 'a=1&b=%CE%BB' });
    expect(await tags('tagged')).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'λ' },
    ]);
    await tag('tagged', [{ Key: 'c', Value: '<&>' }]);
    expect(await tags('tagged')).toEqual([{ Key: 'c', Value: '<&>' }]);
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect(await tags('tagged')).toEqual([]);
  });

  test('are at most ten, each key once', async () => {
    const many = Array.from({ length: 11 }, (_, index) => ({ Key: String(index), Value: '' }));
    await expect(tag('tagged', many)).rejects.toMatchObject({ name: 'BadRequest' });
    await expect(tag('tagged', [many[0]!, many[0]!])).rejects.toMatchObject({ name: 'InvalidTag' });
  });
});

describe('DeleteObjects', () => {
  test('deletes what is there and does not mind what is not', async () => {
    for (const key of ['d/1', 'd/2', 'd/<&>']) await put(key, 'x');
    const Objects = ['d/1', 'd/<&>', 'd/absent'].map((Key) => ({ Key }));
    const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['d/1', 'd/<&>', 'd/absent']);
    expect(server.objects(Bucket, 'd/').map(({ key }) => key)).toEqual(['d/2']);
  });

  test('says nothing of successes when asked to be quiet, and refuses more than a thousand', async () => {
    const quiet = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'd/2' }], Quiet: true } });
    expect((await client.send(quiet)).Deleted).toBeUndefined();
    const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: String(index) }));
    await expect(client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).rejects.toMatchObject({
      name: 'MalformedXML',
    });
  });
});

test('the clock of the server decides when an object was written', async () => {
  clock = new Date('2026-03-01T12:05:00.999Z');
  await put('later', 'x');
  clock = START;
  expect(server.objects(Bucket, 'later')[0]?.lastModified).toEqual(new Date('2026-03-01T12:05:00Z'));
});
