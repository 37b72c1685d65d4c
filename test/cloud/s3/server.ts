import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authorize } from './access.ts';
import { parseAttributes } from './attributes.ts';
import { authenticate, claimedAccessKeyId, type S3Account } from './authenticate.ts';
import { parseCall } from './call.ts';
import { bucketOf, type Reply } from './context.ts';
import { S3Error } from './errors.ts';
import { compareUtf8 } from './listing.ts';
import { type Bucket, currentVersion, newBucket, putObject } from './objects.ts';
import { OPERATIONS } from './operations.ts';
import { openPayload, readBody } from './payload.ts';
import { operationOf } from './routing.ts';
import { branch, leaf } from './xml.ts';

export type { S3Account } from './authenticate.ts';

export interface S3Options {
  accounts: S3Account[];
  /** Default: any free port. */
  port?: number;
  /** The clock for signatures, expiry and `Last-Modified`. Default: the machine's. */
  now?: () => Date;
  /** Sees every request before it is served; answers true when it has handled it itself (fault injection). */
  intercept?: (request: IncomingMessage, response: ServerResponse, operation: string) => boolean | Promise<boolean>;
}

/** One line of the request log, in order of arrival. */
export interface S3Request {
  /** `PutObject`, or `Unknown` when the server has no such operation. */
  operation: string;
  method: string;
  bucket: string;
  key: string;
  query: Record<string, string>;
  /** 0 until the request has been answered. */
  status: number;
  /** As the request claims, whether or not its signature was right. */
  accessKeyId: string;
  /** Bytes of the object or document received by PUT and POST, or sent by GET. */
  bytes: number;
}

export interface S3Server {
  /** `http://127.0.0.1:PORT` */
  url: string;
  requests: S3Request[];
  createBucket(name: string): void;
  /** The current objects under a prefix, in S3's order. */
  objects(
    bucket: string,
    prefix?: string,
  ): { key: string; body: Buffer; etag: string; lastModified: Date; metadata: Record<string, string> }[];
  /** Writes an object without HTTP. */
  put(bucket: string, key: string, body: Uint8Array | string, metadata?: Record<string, string>): void;
  close(): Promise<void>;
}

/** Answers with S3's XML for an error; for use in `intercept`, too. HEAD requests get the status alone. */
export function sendError(response: ServerResponse, error: S3Error): void {
  const requestId = String(response.getHeader('x-amz-request-id') ?? '');
  const details = Object.entries(error.details).map(([name, value]) => leaf(name, value));
  const xml = branch(
    'Error',
    leaf('Code', error.code),
    leaf('Message', error.message),
    ...details,
    leaf('RequestId', requestId),
    leaf('HostId', String(response.getHeader('x-amz-id-2') ?? '')),
  );
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`;
  send(response, { status: error.status, headers: { ...error.headers, 'content-type': 'application/xml' }, body });
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: Reply): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, bodiless ? headers : { ...headers, 'content-length': bytes.length });
  response.end(bodiless ? undefined : bytes);
}

/**
 * Starts an S3 server on 127.0.0.1 that keeps everything in memory: one AWS account, any region,
 * path-style and virtual-hosted-style addresses, Signature Version 4 verified in full. `routing.ts` has
 * the operations; what is not there (ACLs, policies, object lock, SSE-C, conditional deletes, reads by part
 * number) is answered with 501 rather than ignored.
 */
export async function startS3(options: S3Options): Promise<S3Server> {
  const now = options.now ?? (() => new Date());
  const buckets = new Map<string, Bucket>();
  const requests: S3Request[] = [];

  function bucketNamed(name: string): Bucket {
    const bucket = buckets.get(name);
    if (!bucket) throw new Error(`Cannot use bucket '${name}': it does not exist. Create it with createBucket().`);
    return bucket;
  }

  async function serve(request: IncomingMessage, response: ServerResponse, entry: S3Request): Promise<void> {
    const call = parseCall(request);
    const operation = operationOf(call);
    entry.operation = operation ?? 'Unknown';
    entry.bucket = call.bucket;
    entry.key = call.key;
    entry.query = Object.fromEntries(call.query);
    entry.accessKeyId = claimedAccessKeyId(call);
    if (await options.intercept?.(request, response, entry.operation)) return;

    const sender = authenticate(call, options.accounts, now());
    const raw = await readBody(request);
    if (!operation) throw new S3Error('NotImplemented', { details: { Resource: call.rawPath } });
    // S3 refuses before it reads the body.
    if (operation !== 'ListBuckets' && operation !== 'CreateBucket') bucketOf({ buckets, call });
    authorize(sender.account, operation, call);
    const payload = openPayload(raw, call, sender, operation === 'CompleteMultipartUpload');
    const reply = OPERATIONS[operation]({ call, account: sender.account, payload, buckets, now: now() });
    const sends = call.method === 'GET';
    entry.bytes = sends ? Buffer.byteLength(reply.body ?? '') : payload.bytes.length;
    entry.status = reply.status;
    send(response, reply);
  }

  const server = createServer(async (request, response) => {
    const entry: S3Request = {
      operation: 'Unknown',
      method: request.method ?? '',
      bucket: '',
      key: '',
      query: {},
      status: 0,
      accessKeyId: '',
      bytes: 0,
    };
    requests.push(entry);
    response.sendDate = false;
    response.setHeader('date', now().toUTCString());
    response.setHeader('server', 'AmazonS3');
    response.setHeader('x-amz-request-id', randomBytes(8).toString('hex').toUpperCase());
    response.setHeader('x-amz-id-2', randomBytes(48).toString('base64'));
    // Covers what `intercept` answers; our own answers set it before the client can see them.
    response.on('finish', () => {
      entry.status = response.statusCode;
    });
    try {
      await serve(request, response, entry);
    } catch (error) {
      // The client went away in the middle of its body: nobody is left to answer.
      if (request.destroyed && !request.complete) return;
      if (!(error instanceof S3Error)) console.error(error);
      const answer = error instanceof S3Error ? error : new S3Error('InternalError');
      entry.status = answer.status;
      if (!response.headersSent) sendError(response, answer);
    }
  });
  // An idle client may reuse its connection at any time during a test; the default of 5 s races with it.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    createBucket(name) {
      if (!buckets.has(name)) buckets.set(name, newBucket(name, '', now()));
    },
    objects(bucketName, prefix = '') {
      const bucket = bucketNamed(bucketName);
      return [...bucket.objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort(compareUtf8)
        .flatMap((key) => currentVersion(bucket, key) ?? [])
        .map(({ key, body, etag, lastModified, metadata }) => ({ key, body, etag, lastModified, metadata }));
    },
    put(bucketName, key, body, metadata = {}) {
      const headers = new Map(
        Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name.toLowerCase()}`, value]),
      );
      putObject(bucketNamed(bucketName), { ...parseAttributes(headers), key, body: Buffer.from(body) }, now());
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
