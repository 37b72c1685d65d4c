import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchPayloadDocuments } from '../../src/lambda/payload-files.ts';
import { parsePayloads, payloadAt } from '../../src/lambda/payloads.ts';
import { seededRandom } from '../../src/seeded-random.ts';
import { type S3Server, startS3 } from '../cloud/s3/server.ts';

let folder: string;
let server: S3Server;
let s3: S3Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'payloads-'));
  writeFileSync(join(folder, 'b.json'), '{"order":2}');
  writeFileSync(join(folder, 'a.json'), '[{"payload":{"order":1},"weight":3},{"payload":{"order":3},"weight":1}]');
  writeFileSync(join(folder, 'readme.md'), 'not an event');
  writeFileSync(join(folder, 'broken.txt'), '{"order":');
  mkdirSync(join(folder, 'empty'));
  server = await startS3({ accounts: [{ accessKeyId: 'a', secretAccessKey: 'b' }] });
  server.createBucket('octo-events');
  server.put('octo-events', 'orders/2.json', '{"order":2}');
  server.put('octo-events', 'orders/1.json', '{"order":1}');
  server.put('octo-events', 'orders/notes.txt', 'x');
  s3 = new S3Client({
    region: 'eu-west-1',
    endpoint: server.url,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
afterAll(async () => {
  s3.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

const documents = (input: string) => fetchPayloadDocuments(input, s3);

describe('fetchPayloadDocuments()', () => {
  it('takes JSON as it stands', async () => {
    expect(await documents(' {"a":1} ')).toEqual([{ name: 'the input payload', text: '{"a":1}' }]);
  });

  it('reads a file, and every .json of a folder in the order of the names', async () => {
    expect(await documents(`file:${folder}/b.json`)).toEqual([{ name: `${folder}/b.json`, text: '{"order":2}' }]);
    expect((await documents(`file://${folder}`)).map(({ name }) => name)).toEqual([
      join(folder, 'a.json'),
      join(folder, 'b.json'),
    ]);
  });

  it('gives each document of a folder the same weight, and the entries of a list theirs within it', async () => {
    const payloads = parsePayloads(await documents(`file:${folder}`), seededRandom('s'));
    const sent = payloads.order.map((_, i) => new TextDecoder().decode(payloadAt(payloads, i)));
    const share = (order: number) => sent.filter((body) => body === `{"order":${order}}`).length / sent.length;
    expect([share(1), share(2), share(3)].map((value) => value.toFixed(2))).toEqual(['0.38', '0.50', '0.12']);
  });

  it('reads an object of S3, and every .json under a prefix', async () => {
    expect(await documents('s3://octo-events/orders/1.json')).toEqual([
      { name: 's3://octo-events/orders/1.json', text: '{"order":1}' },
    ]);
    expect((await documents('s3://octo-events/orders/')).map(({ text }) => text)).toEqual([
      '{"order":1}',
      '{"order":2}',
    ]);
  });

  it.each([
    ['file:nowhere.json', 'Cannot read the payload file nowhere.json: ENOENT. Check the path; in a workflow'],
    ['s3://octo-events/nothing.json', 'Cannot read the payload s3://octo-events/nothing.json: NoSuchKey.'],
    ['s3://octo-nowhere/a.json', 'NoSuchBucket'],
    ['s3://octo-events', 'write s3://bucket/key.json, or s3://bucket/folder/'],
    ['s3://octo-events/nothing/', 'no .json is in it'],
  ])('refuses %s in a sentence', async (input, message) => {
    await expect(documents(input)).rejects.toThrow(message);
  });

  it('refuses an empty folder, and names the file that is not JSON', async () => {
    await expect(documents(`file:${folder}/empty`)).rejects.toThrow('no .json is in it');
    const broken = await documents(`file:${folder}/broken.txt`);
    expect(() => parsePayloads(broken, Math.random)).toThrow(
      `Cannot use the payload of ${folder}/broken.txt: it is not JSON`,
    );
  });
});
