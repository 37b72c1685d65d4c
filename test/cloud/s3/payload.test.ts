import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ChecksumAlgorithm, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeAwsChunked } from './aws-chunked.ts';
import { type ChecksumAlgorithm as Algorithm, CHECKSUM_ALGORITHMS, computeChecksum } from './checksums.ts';
import { ACCOUNT, elementText, sdkClient, send } from './clients.ts';
import { MAX_BODY_BYTES } from './payload.ts';
import { type S3Server, startS3 } from './server.ts';

const data = Buffer.from(Array.from({ length: 30_000 }, (_, index) => (index * 31) % 251));

describe('computeChecksum()', () => {
  // The check value of each algorithm: that of the digits one to nine.
  test.each<[Algorithm, string]>([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ])('%s has its published check value', (algorithm, hex) => {
    expect(computeChecksum(algorithm, Buffer.from('123456789')).toString('hex')).toBe(hex);
  });

  test('the CRCs of nothing are zero', () => {
    for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
      expect([...computeChecksum(algorithm, Buffer.alloc(0))].every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe('bodies sent by the SDK', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3({ accounts: [ACCOUNT] });
    server.createBucket('recordings');
  });
  afterAll(() => server.close());

  test.each(CHECKSUM_ALGORITHMS)('a stream with a trailing %s is stored as sent, with its checksum', async (name) => {
    const client = sdkClient(server);
    const Key = `stream/${name}`;
    await client.send(
      new PutObjectCommand({
        Bucket: 'recordings',
        Key,
        Body: Readable.from([data.subarray(0, 10_000), data.subarray(10_000)]),
        ContentLength: data.length,
        ContentEncoding: 'gzip',
        ChecksumAlgorithm: ChecksumAlgorithm[name],
      }),
    );
    expect(server.requests.at(-1)?.bytes).toBe(data.length);
    // Reading with the mode on makes the SDK verify the checksum itself.
    const read = await client.send(new GetObjectCommand({ Bucket: 'recordings', Key, ChecksumMode: 'ENABLED' }));
    expect(Buffer.from(await read.Body!.transformToByteArray()).equals(data)).toBe(true);
    expect(read.ContentEncoding).toBe('gzip');
    expect(read[`Checksum${name}`]).toBe(computeChecksum(name, data).toString('base64'));
  });

  test.each(CHECKSUM_ALGORITHMS)('a buffer with a wrong %s is refused and not stored', async (name) => {
    const wrong = computeChecksum(name, Buffer.from('something else')).toString('base64');
    const put = new PutObjectCommand({ Bucket: 'recordings', Key: 'wrong', Body: data, [`Checksum${name}`]: wrong });
    await expect(sdkClient(server).send(put)).rejects.toMatchObject({
      name: 'BadDigest',
      message: `The ${name} you specified did not match the calculated checksum.`,
    });
    expect(server.objects('recordings', 'wrong')).toEqual([]);
  });

  test('a checksum that is not one is told apart from a wrong one', async () => {
    const put = new PutObjectCommand({ Bucket: 'recordings', Key: 'wrong', Body: data, ChecksumCRC32: 'AAAA' });
    await expect(sdkClient(server).send(put)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: 'Value for x-amz-checksum-crc32 header is invalid.',
    });
  });

  test('Content-MD5 is verified', async () => {
    const put = (digest: string) =>
      sdkClient(server).send(
        new PutObjectCommand({ Bucket: 'recordings', Key: 'md5', Body: data, ContentMD5: digest }),
      );
    await put(createHash('md5').update(data).digest('base64'));
    await expect(put(createHash('md5').update('x').digest('base64'))).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(put('bm8=')).rejects.toMatchObject({ name: 'InvalidDigest' });
  });

  test('an object sent without a checksum gets CRC64NVME from the server', async () => {
    const client = sdkClient(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    await client.send(new PutObjectCommand({ Bucket: 'recordings', Key: 'plain', Body: data }));
    const head = await client.send(
      new HeadObjectCommand({ Bucket: 'recordings', Key: 'plain', ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({
      ChecksumCRC64NVME: computeChecksum('CRC64NVME', data).toString('base64'),
      ChecksumType: 'FULL_OBJECT',
    });
  });

  test('a stream in small pieces is refused, which a Buffer avoids', async () => {
    const put = new PutObjectCommand({
      Bucket: 'recordings',
      Key: 'pieces',
      Body: Readable.from([Buffer.alloc(100), Buffer.alloc(100)]),
      ContentLength: 200,
    });
    await expect(sdkClient(server).send(put)).rejects.toMatchObject({ name: 'InvalidChunkSizeError' });
  });

  test('an upload announced as larger than the limit is refused before it is read', async () => {
    const reply = await send(server, {
      method: 'PUT',
      path: '/recordings/huge',
      headers: { 'content-length': MAX_BODY_BYTES + 1 },
      headersOnly: true,
    });
    // Unsigned, so the signature comes first: nothing is read for a stranger.
    expect(reply.status).toBe(403);

    const client = sdkClient(server);
    client.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        headers['x-amz-decoded-content-length'] = String(MAX_BODY_BYTES + 1);
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    const put = new PutObjectCommand({ Bucket: 'recordings', Key: 'huge', Body: 'x' });
    await expect(client.send(put)).rejects.toMatchObject({ name: 'EntityTooLarge' });
  });
});

describe("the chunked uploads of AWS's documentation", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3({ accounts: [ACCOUNT], now: () => new Date('2013-05-24T00:00:00Z') });
    server.createBucket('examplebucket');
  });
  afterAll(() => server.close());

  const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  const chunks = (signatures: string[]) =>
    [65_536, 1024, 0]
      .map((sizeBytes, index) => {
        const end = sizeBytes === 0 ? '' : '\r\n';
        return `${sizeBytes.toString(16)};chunk-signature=${signatures[index]}\r\n${'a'.repeat(sizeBytes)}${end}`;
      })
      .join('');

  const signedPut = {
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    headers: {
      Host: 's3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      Authorization: `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9`,
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'Content-Encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '66560',
      'Content-Length': '66824',
    },
    body: `${chunks([
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ])}\r\n`,
  };

  const trailerPut = {
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    headers: {
      Host: 's3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      Authorization: `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e`,
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'Content-Encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '66560',
      'x-amz-trailer': 'x-amz-checksum-crc32c',
    },
    body: `${chunks([
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ])}x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n`,
  };

  test('signed chunks are verified one by one', async () => {
    expect(await send(server, signedPut)).toMatchObject({ status: 200 });
    expect(server.objects('examplebucket')[0]?.body.toString()).toBe('a'.repeat(66_560));

    const tampered = await send(server, { ...signedPut, body: signedPut.body.replace('aaa', 'aba') });
    expect(elementText(tampered.body, 'Code')).toBe('SignatureDoesNotMatch');
  });

  test('a signed trailer is verified and stored', async () => {
    const reply = await send(server, trailerPut);
    expect(reply).toMatchObject({ status: 200, headers: { 'x-amz-checksum-crc32c': 'sOO8/Q==' } });

    const otherSum = await send(server, { ...trailerPut, body: trailerPut.body.replace('sOO8', 'sOO9') });
    expect(elementText(otherSum.body, 'Code')).toBe('SignatureDoesNotMatch');
    const otherName = await send(server, { ...trailerPut, body: trailerPut.body.replace('crc32c:', 'crc32:') });
    expect(elementText(otherName.body, 'Code')).toBe('MalformedTrailerError');
  });
});

describe('decodeAwsChunked()', () => {
  const decode = (text: string, trailers?: string[]) => decodeAwsChunked(Buffer.from(text), trailers, undefined);

  test('joins chunks and reads trailers', () => {
    const first = 'x'.repeat(8192);
    const { bytes, trailers } = decode(`2000\r\n${first}\r\n2\r\nyz\r\n0\r\nx-amz-checksum-sha1: abc \r\n\r\n`, [
      'x-amz-checksum-sha1',
    ]);
    expect(bytes.toString()).toBe(`${first}yz`);
    expect([...trailers]).toEqual([['x-amz-checksum-sha1', 'abc']]);
  });

  test.each([
    ['nothing', ''],
    ['a chunk cut short', '5\r\nab'],
    ['a size that is not hexadecimal', 'zz\r\nab\r\n0\r\n\r\n'],
    ['data longer than its size', '1\r\nab\r\n0\r\n\r\n'],
    ['no final chunk', '2\r\nab\r\n'],
  ])('refuses %s', (_, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'IncompleteBody' }));
  });

  test.each([
    ['a trailer nobody announced', '0\r\nx-amz-checksum-sha1:a\r\n\r\n', undefined],
    ['an announced trailer that is missing', '0\r\n\r\n', ['x-amz-checksum-sha1']],
    ['a trailer without a value', '0\r\nnonsense\r\n\r\n', ['nonsense']],
  ])('refuses %s', (_, text, announced) => {
    expect(() => decode(text, announced)).toThrow(expect.objectContaining({ code: 'MalformedTrailerError' }));
  });
});
