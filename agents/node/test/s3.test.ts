import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createS3Writer } from '../src/s3.ts';

// Part of AWS's SDK, which is installed for the tests.
const { SignatureV4 } = createRequire(import.meta.url)('@smithy/signature-v4');

class Sha256 {
  readonly #hash;
  constructor(secret?: Uint8Array | string) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: Uint8Array) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
}

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
let server: Server;
let endpoint: string;
let received: IncomingMessage[] = [];
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      received.push(request);
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  answer = (response) => response.setHeader('etag', '"stored"').end();
});

const writer = () => createS3Writer('profiles', { region: 'eu-central-1', endpoint, ...CREDENTIALS });
const put = (key: string, signal = new AbortController().signal) =>
  writer().put(key, Buffer.from('body'), { 'lambda-profile-run': 'run 1' }, signal);
const error = (status: number, xml: string) => (response: ServerResponse) => {
  response.statusCode = status;
  response.end(xml);
};

describe('createS3Writer()', () => {
  it("signs every key exactly as AWS's SDK does", async () => {
    const client = writer();
    const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => text.isWellFormed());
    const odd = fc.constantFrom(
      'sparta/pprof/s/profiles/cpu/0-cpu.λ-1.profile',
      "a b+c&d=e'(f)!*~$@,;:",
      'a//b',
      '%41',
      './..',
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(key, odd), async (path) => {
        await client.put(path, Buffer.from('body'), { 'lambda-profile-run': 'run 1' }, new AbortController().signal);
        const { url, headers } = received.at(-1)!;
        const { authorization, connection: _, ...signed } = headers;
        const sdk = new SignatureV4({
          credentials: CREDENTIALS,
          region: 'eu-central-1',
          service: 's3',
          sha256: Sha256,
          uriEscapePath: false,
          applyChecksum: false,
        });
        const date = String(headers['x-amz-date']).replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
        const expected = await sdk.sign(
          {
            method: 'PUT',
            protocol: 'http:',
            hostname: '127.0.0.1',
            path: url,
            query: {},
            headers: signed,
            body: 'body',
          },
          { signingDate: new Date(date) },
        );
        expect(authorization!.replaceAll(', ', ',')).toBe(expected.headers.authorization.replaceAll(', ', ','));
        expect(decodeURIComponent(url!)).toBe(`/profiles/${path}`);
      }),
      { numRuns: 150 },
    );
  });

  it('returns the ETag and sends type, metadata and hash, and no content encoding', async () => {
    expect(await put('key')).toEqual({ etag: '"stored"' });
    expect(received[0]!.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '4',
      'x-amz-meta-lambda-profile-run': 'run 1',
      'x-amz-security-token': 'token',
      'x-amz-content-sha256': createHash('sha256').update('body').digest('hex'),
    });
    expect(received[0]!.headers['content-encoding']).toBeUndefined();
  });

  it('uses one connection for one write after the other', async () => {
    const client = writer();
    for (let i = 0; i < 3; i++) await client.put('key', Buffer.from(''), {}, new AbortController().signal);
    expect(new Set(received.map(({ socket }) => socket)).size).toBe(1);
  });

  it('tries a second time after an error of the server, and only then', async () => {
    const refuse = error(503, '<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>');
    answer = (response) => (received.length === 1 ? refuse(response) : response.setHeader('etag', '"2"').end());
    expect(await put('key')).toEqual({ etag: '"2"' });
    received = [];
    answer = refuse;
    await expect(put('key')).rejects.toMatchObject({ code: 'SlowDown', message: 'Reduce your rate.' });
    expect(received).toHaveLength(2);
  });

  it('does not try a refusal again, and leaves the account id out of it', async () => {
    const arn = 'arn:aws:sts::123456789012:assumed-role/orders is not authorized';
    answer = error(403, `<Error><Code>AccessDenied</Code><Message>User: ${arn}</Message></Error>`);
    await expect(put('key')).rejects.toMatchObject({
      code: 'AccessDenied',
      message: 'User: arn:aws:sts::************:assumed-role/orders is not authorized',
    });
    expect(received).toHaveLength(1);
  });

  it('says what came when it is not an S3 error', async () => {
    answer = error(418, `teapot ${'x'.repeat(100_000)}`);
    await expect(put('key')).rejects.toMatchObject({ code: 'HTTP418', message: 'S3 answered with status 418.' });
  });

  it('gives up when its signal does', async () => {
    const abort = new AbortController();
    answer = () => abort.abort();
    await expect(put('key', abort.signal)).rejects.toThrow();
    expect(received).toHaveLength(1);
  });

  it('names the host that it cannot reach', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const client = createS3Writer('profiles', { region: 'r', endpoint: `http://127.0.0.1:${port}`, ...CREDENTIALS });
    await expect(client.put('key', Buffer.from(''), {}, new AbortController().signal)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
});
