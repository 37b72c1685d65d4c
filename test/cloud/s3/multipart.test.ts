import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compositeChecksum, computeChecksum } from './checksums.ts';
import { ACCOUNT, sdkClient } from './clients.ts';
import { type S3Server, startS3 } from './server.ts';

const Bucket = 'recordings';
const MIB = 1024 * 1024;
const first = Buffer.alloc(5 * MIB, 'first');
const last = Buffer.from('last');
const START = new Date('2026-03-01T12:00:00Z');
let server: S3Server;
let client: S3Client;
let clock = START;

beforeAll(async () => {
  server = await startS3({ accounts: [ACCOUNT], now: () => clock });
  server.createBucket(Bucket);
  client = sdkClient(server, { systemClockOffset: START.getTime() - Date.now() });
});
afterAll(() => server.close());

const begin = async (Key: string, rest: Partial<CreateMultipartUploadCommandInput> = { ChecksumAlgorithm: 'CRC32' }) =>
  (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...rest }))).UploadId!;
const part = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer): Promise<CompletedPart> => {
  const sent = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  return { PartNumber, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 };
};
const complete = (Key: string, UploadId: string, Parts: CompletedPart[], rest = {}) =>
  client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...rest }));
const md5 = (body: Buffer) => createHash('md5').update(body).digest();

describe('a multipart upload', () => {
  test('by the SDK is read back whole', async () => {
    const body = Buffer.concat([first, first.subarray(1), last]);
    const upload = new Upload({ client, params: { Bucket, Key: 'λ/big', Body: body, Metadata: { a: '1' } } });
    const done = await upload.done();
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    const read = await client.send(new GetObjectCommand({ Bucket, Key: 'λ/big' }));
    expect(Buffer.from(await read.Body!.transformToByteArray()).equals(body)).toBe(true);
    expect(read.Metadata).toEqual({ a: '1' });
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads).toBeUndefined();
  });

  test('has the ETag and the checksum of its parts, and the time it was begun', async () => {
    const UploadId = await begin('sums');
    clock = new Date('2026-03-01T12:10:00Z');
    const parts = [await part('sums', UploadId, 2, last), await part('sums', UploadId, 1, first)].reverse();
    const done = await complete('sums', UploadId, parts);
    clock = START;
    const crc = (body: Buffer) => computeChecksum('CRC32', body).toString('base64');
    expect(done).toMatchObject({
      ETag: `"${md5(Buffer.concat([md5(first), md5(last)])).toString('hex')}-2"`,
      ChecksumCRC32: compositeChecksum('CRC32', [crc(first), crc(last)]).value,
      ChecksumType: 'COMPOSITE',
    });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'sums', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC32: done.ChecksumCRC32, LastModified: START });
  });

  test('may have one checksum of the whole object', async () => {
    const UploadId = await begin('whole', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const parts = [await part('whole', UploadId, 1, first), await part('whole', UploadId, 2, last)];
    const ChecksumCRC32 = computeChecksum('CRC32', Buffer.concat([first, last])).toString('base64');
    await expect(complete('whole', UploadId, parts, { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({
      name: 'BadDigest',
    });
    expect(await complete('whole', UploadId, parts, { ChecksumCRC32 })).toMatchObject({ ChecksumCRC32 });
    // The SDK verifies a checksum of the whole object when it reads it.
    const read = await client.send(new GetObjectCommand({ Bucket, Key: 'whole' }));
    expect((await read.Body!.transformToByteArray()).length).toBe(first.length + last.length);
  });

  test('without an announced checksum takes parts with any and gets CRC64NVME', async () => {
    const UploadId = await begin('unannounced', {});
    const done = await complete('unannounced', UploadId, [await part('unannounced', UploadId, 1, last)]);
    expect(done).toMatchObject({
      ChecksumCRC64NVME: computeChecksum('CRC64NVME', last).toString('base64'),
      ChecksumType: 'FULL_OBJECT',
    });
  });

  test('lists its parts and can be given up', async () => {
    const UploadId = await begin('abandoned');
    for (const number of [3, 1, 2]) await part('abandoned', UploadId, number, last);
    const listed = await client.send(new ListPartsCommand({ Bucket, Key: 'abandoned', UploadId, MaxParts: 2 }));
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 4],
      [2, 4],
    ]);
    expect(listed).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toMatchObject([{ UploadId }]);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'abandoned', UploadId }));
    await expect(part('abandoned', UploadId, 1, last)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('may copy a range of another object as a part', async () => {
    server.put(Bucket, 'source', '0123456789');
    const UploadId = await begin('assembled');
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({
        Bucket,
        Key: 'assembled',
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/source`,
        CopySourceRange: 'bytes=2-4',
      }),
    );
    await complete('assembled', UploadId, [{ PartNumber: 1, ...CopyPartResult }]);
    expect(server.objects(Bucket, 'assembled')[0]?.body.toString()).toBe('234');
  });

  test('respects a condition when it is completed, once', async () => {
    const uploads = await Promise.all([begin('once'), begin('once'), begin('once')]);
    const results = await Promise.allSettled(
      uploads.map(async (UploadId) =>
        complete('once', UploadId, [await part('once', UploadId, 1, last)], { IfNoneMatch: '*' }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a completion is refused', () => {
  test('when parts are missing, wrong, out of order or too small', async () => {
    const UploadId = await begin('refused');
    const one = await part('refused', UploadId, 1, last);
    const two = await part('refused', UploadId, 2, last);
    const refusal = (parts: CompletedPart[]) => complete('refused', UploadId, parts).catch((error) => error.name);
    expect(await refusal([{ ...one, PartNumber: 7 }])).toBe('InvalidPart');
    expect(await refusal([{ ...one, ETag: '"0"' }])).toBe('InvalidPart');
    expect(await refusal([{ ...one, ChecksumCRC32: 'AAAAAA==' }])).toBe('InvalidPart');
    expect(await refusal([{ ...one, ChecksumCRC32: undefined }])).toBe('InvalidRequest');
    expect(await refusal([two, one])).toBe('InvalidPartOrder');
    expect(await refusal([one, two])).toBe('EntityTooSmall');
    expect(await refusal([])).toBe('MalformedXML');
    expect(server.objects(Bucket, 'refused')).toEqual([]);
  });

  test('of parts sent with another checksum than announced', async () => {
    const UploadId = await begin('mixed', { ChecksumAlgorithm: 'SHA256' });
    await expect(part('mixed', UploadId, 1, last)).rejects.toMatchObject({
      message: 'Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32',
    });
    const plain = sdkClient(server, {
      requestChecksumCalculation: 'WHEN_REQUIRED',
      systemClockOffset: START.getTime() - Date.now(),
    });
    const without = new UploadPartCommand({ Bucket, Key: 'mixed', UploadId, PartNumber: 1, Body: last });
    await expect(plain.send(without)).rejects.toMatchObject({
      message: 'Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null',
    });
    await expect(begin('mixed', { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' })).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
  });

  test('of a part number out of range', async () => {
    const UploadId = await begin('numbers');
    await expect(part('numbers', UploadId, 10_001, last)).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});
