import {
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT, sdkClient } from './clients.ts';
import { compareUtf8, encodeKey, pageOf, readToken, writeToken } from './listing.ts';
import { type S3Server, startS3 } from './server.ts';

const anyKey = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'λ', '～', '😀', '\u{10ffff}'), maxLength: 6 });

describe('compareUtf8()', () => {
  test('orders as the UTF-8 bytes do', () => {
    // The borders of one, two, three and four bytes, and those of the surrogates.
    const borders = [0x1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10001, 0x10ffff];
    const text = fc.string({
      unit: fc.constantFrom(...borders.map((code) => String.fromCodePoint(code))),
      maxLength: 5,
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe('pageOf()', () => {
  test('pages of any size, put together, are the whole listing', () => {
    const keys = fc.uniqueArray(
      anyKey.filter((key) => key !== ''),
      { maxLength: 30 },
    );
    const prefix = fc.constantFrom('', 'a', 'a/', 'λ');
    const delimiter = fc.constantFrom('', '/', 'b/');
    fc.assert(
      fc.property(keys, prefix, delimiter, fc.integer({ min: 1, max: 7 }), (unsorted, under, separator, limit) => {
        const sorted = unsorted.sort(compareUtf8);
        const list = (after: string, size: number) =>
          pageOf(
            sorted.filter((key) => compareUtf8(key, after) > 0).map((key) => ({ key, item: key })),
            { prefix: under, delimiter: separator, after, limit: size },
          );
        const whole = list('', 1000);
        const items: string[] = [];
        const prefixes: string[] = [];
        let after = '';
        for (let pages = 0; pages <= sorted.length; pages++) {
          const page = list(after, limit);
          items.push(...page.items.map(({ key }) => key));
          prefixes.push(...page.prefixes);
          if (!page.truncated) break;
          expect(page.items.length + page.prefixes.length).toBe(limit);
          after = page.last;
        }
        expect(items).toEqual(whole.items.map(({ key }) => key));
        expect(prefixes).toEqual(whole.prefixes);
      }),
    );
  });
});

test('writeToken() hides a key that readToken() finds again, and no other text is a token', () => {
  fc.assert(fc.property(anyKey, (key) => readToken(writeToken(key)) === key));
  for (const text of ['', 'abc', 'MTp', Buffer.from('2:a').toString('base64')]) expect(readToken(text)).toBeUndefined();
});

test('encodeKey() encodes as S3 does', () => {
  expect(encodeKey('a b.txt')).toBe('a+b.txt');
  expect(encodeKey('a+b.txt')).toBe('a%2Bb.txt');
  expect(encodeKey('100%.csv')).toBe('100%25.csv');
  expect(encodeKey('λ/test_file(3).png')).toBe('%CE%BB/test_file%283%29.png');
});

describe('listing over HTTP', () => {
  const Bucket = 'recordings';
  let server: S3Server;
  let client: S3Client;
  const list = (input: Partial<ListObjectsV2CommandInput>) =>
    client.send(new ListObjectsV2Command({ Bucket, ...input }));

  beforeAll(async () => {
    server = await startS3({ accounts: [ACCOUNT] });
    server.createBucket(Bucket);
    client = sdkClient(server);
    for (let index = 0; index < 1205; index++) server.put(Bucket, `many/${String(index).padStart(5, '0')}`, 'x');
    for (const name of ['😀', '～', 'a', 'Z', 'λ', 'é +&%?=#']) server.put(Bucket, `order/${name}`, 'x');
    for (const key of ['tree/a', 'tree/b/1', 'tree/b/2', 'tree/c', 'tree/d/1']) server.put(Bucket, key, key);
  });
  afterAll(() => server.close());

  test('comes in pages of a thousand unless smaller ones are asked for', async () => {
    for (const [pageSize, expected] of [
      [undefined, [1000, 205]],
      [400, [400, 400, 400, 5]],
      [5000, [1000, 205]],
    ] as const) {
      const config = pageSize === undefined ? { client } : { client, pageSize };
      const pages: ListObjectsV2CommandOutput[] = [];
      for await (const page of paginateListObjectsV2(config, { Bucket, Prefix: 'many/' })) pages.push(page);
      expect(pages.map(({ KeyCount }) => KeyCount)).toEqual(expected);
      const keys = pages.flatMap(({ Contents }) => Contents?.map(({ Key }) => Key) ?? []);
      expect(keys).toEqual(server.objects(Bucket, 'many/').map(({ key }) => key));
    }
  });

  test('is in UTF-8 byte order, with keys as they are or URL-encoded', async () => {
    const plain = (await list({ Prefix: 'order/' })).Contents?.map(({ Key }) => Key);
    expect(plain).toEqual(['order/Z', 'order/a', 'order/é +&%?=#', 'order/λ', 'order/～', 'order/😀']);
    const encoded = await list({ Prefix: 'order/é', EncodingType: 'url' });
    expect(encoded).toMatchObject({ EncodingType: 'url', Prefix: 'order/%C3%A9' });
    expect(encoded.Contents?.map(({ Key }) => Key)).toEqual(['order/%C3%A9+%2B%26%25%3F%3D%23']);
  });

  test('rolls up what a delimiter separates, counting each prefix as one', async () => {
    const page = await list({ Prefix: 'tree/', Delimiter: '/' });
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['tree/a', 'tree/c']);
    expect(page.CommonPrefixes).toEqual([{ Prefix: 'tree/b/' }, { Prefix: 'tree/d/' }]);
    expect(page).toMatchObject({ KeyCount: 4, IsTruncated: false, Delimiter: '/', MaxKeys: 1000 });

    const first = await list({ Prefix: 'tree/', Delimiter: '/', MaxKeys: 2 });
    expect([first.Contents?.length, first.CommonPrefixes?.length, first.IsTruncated]).toEqual([1, 1, true]);
    const second = await list({ Prefix: 'tree/', Delimiter: '/', ContinuationToken: first.NextContinuationToken });
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['tree/c']);
    expect(second.CommonPrefixes).toEqual([{ Prefix: 'tree/d/' }]);
  });

  test('starts after a key, in the middle of a prefix too', async () => {
    const page = await list({ Prefix: 'tree/', StartAfter: 'tree/b/1' });
    expect(page.StartAfter).toBe('tree/b/1');
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['tree/b/2', 'tree/c', 'tree/d/1']);
  });

  test('of nothing is empty, and of no keys at all is not truncated', async () => {
    expect(await list({ Prefix: 'absent/' })).toMatchObject({ KeyCount: 0, IsTruncated: false });
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  test('says what each object is', async () => {
    const [entry] = (await list({ Prefix: 'tree/a', FetchOwner: true })).Contents ?? [];
    expect(entry).toMatchObject({ Key: 'tree/a', Size: 6, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC64NVME'] });
    expect(entry?.ETag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(entry?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  test('refuses a token it did not issue', async () => {
    await expect(list({ ContinuationToken: 'nonsense' })).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  test('in its first version goes on from a marker', async () => {
    const input = { Bucket, Prefix: 'tree/', Delimiter: '/', MaxKeys: 2 };
    const first = await client.send(new ListObjectsCommand(input));
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'tree/b/' });
    const second = await client.send(new ListObjectsCommand({ ...input, Marker: first.NextMarker }));
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['tree/c']);
    expect(second.CommonPrefixes).toEqual([{ Prefix: 'tree/d/' }]);
  });
});
