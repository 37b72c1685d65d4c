import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchManifest } from '../../src/recordings/store.ts';
import { S3Error } from '../cloud/s3/errors.ts';
import { type S3Server, sendError, startS3 } from '../cloud/s3/server.ts';

const place = { bucket: 'octo-profiles', prefix: 'lambda-profile/recordings', functionName: 'orders', key: '' };
const COMMIT = '0123abc';
const KEY = `lambda-profile/recordings/orders/${COMMIT}/recording.json`;

let server: S3Server;
let s3: S3Client;
afterEach(async () => {
  s3.destroy();
  await server.close();
});

/** S3 for somebody who may list a part of the bucket only: a 403 for every key that cannot be read. */
async function start(mayList: boolean): Promise<void> {
  const account = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  server = await startS3({
    accounts: [{ ...account, allows: (action) => action !== 's3:ListBucket' || mayList }],
    intercept: (_request, response, operation) => {
      if (operation === 'GetObject') sendError(response, new S3Error('AccessDenied'));
      return operation === 'GetObject';
    },
  });
  server.createBucket(place.bucket);
  s3 = new S3Client({ region: 'eu-west-1', endpoint: server.url, credentials: account, forcePathStyle: true });
}

describe('fetchManifest(), when S3 answers 403', () => {
  it('finds no recording where the listing has none', async () => {
    await start(true);
    expect(await fetchManifest(s3, place, COMMIT)).toBeUndefined();
  });

  it('refuses to take a recording for missing that the listing has', async () => {
    await start(true);
    server.put(place.bucket, KEY, '{}');
    await expect(fetchManifest(s3, place, COMMIT)).rejects.toThrow('s3:GetObject');
  });

  it('refuses to guess where nothing may be listed', async () => {
    await start(false);
    await expect(fetchManifest(s3, place, COMMIT)).rejects.toThrow('s3:GetObject');
  });
});
