import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import aws4 from 'aws4';
import type { S3Settings } from './settings.ts';

/** An object that S3 has stored. */
export interface StoredObject {
  readonly etag: string;
}

/** S3 refused or could not be reached. `code` is S3's or the system's error code, for example AccessDenied. */
export class S3Error extends Error {
  readonly code: string;
  readonly retryable: boolean;
  constructor(code: string, message: string, retryable: boolean) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

/** Writes objects to one bucket over kept-alive connections. */
export interface S3Writer {
  /** PUTs one object; retries once what may succeed the second time. Rejects with an S3Error. */
  put(key: string, body: Uint8Array, metadata: Record<string, string>, signal: AbortSignal): Promise<StoredObject>;
}

const MAX_ERROR_BODY_BYTES = 16_384;

/**
 * An S3 client that can do one thing. AWS's SDK costs 110 to 160 ms of CPU to load, this 15 ms.
 * Addressing: a custom endpoint and bucket names with a dot (no certificate matches them) path-style, else virtual-host.
 */
export function createS3Writer(bucket: string, s3: S3Settings): S3Writer {
  const dns = s3.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const pathStyle = s3.endpoint !== null || bucket.includes('.');
  const base = new URL(s3.endpoint ?? `https://${pathStyle ? '' : `${bucket}.`}s3.${s3.region}.${dns}`);
  const client = base.protocol === 'http:' ? http : https;
  const agent = new client.Agent({ keepAlive: true, maxSockets: 4 });

  const attempt = (key: string, body: Uint8Array, metadata: Record<string, string>, signal: AbortSignal) =>
    new Promise<StoredObject>((resolve, reject) => {
      const path = `${pathStyle ? `/${bucket}` : ''}/${encodeKey(key)}`;
      const headers: Record<string, string> = {
        host: base.host,
        'content-type': 'application/octet-stream',
        'content-length': String(body.byteLength),
        'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      };
      for (const [name, value] of Object.entries(metadata)) headers[`x-amz-meta-${name}`] = value;
      const signed = aws4.sign(
        { service: 's3', region: s3.region, method: 'PUT', path, headers },
        { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey, sessionToken: s3.sessionToken },
      );
      const request = client.request(
        base,
        { method: 'PUT', path: signed.path, headers: signed.headers, agent, signal },
        (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            if (length <= MAX_ERROR_BODY_BYTES) chunks.push(chunk);
          });
          response.on('error', reject);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            if (status === 200) resolve({ etag: response.headers.etag ?? '' });
            else reject(readError(status, Buffer.concat(chunks).toString('utf8')));
          });
        },
      );
      request.on('error', (error: NodeJS.ErrnoException) => {
        reject(new S3Error(error.code ?? error.name, `Cannot reach ${base.host}: ${error.message}`, !signal.aborted));
      });
      request.end(body);
    });

  return {
    async put(key, body, metadata, signal) {
      try {
        return await attempt(key, body, metadata, signal);
      } catch (error) {
        if (!(error instanceof S3Error && error.retryable)) throw error;
        return await attempt(key, body, metadata, signal);
      }
    },
  };
}

/** Percent-encodes a key as SigV4 wants it: every byte but the unreserved ones and the slash. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/%2F/g, '/')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function readError(status: number, xml: string): S3Error {
  const code = /<Code>([^<]{1,64})<\/Code>/.exec(xml)?.[1] ?? `HTTP${status}`;
  const message = /<Message>([^<]{1,512})/.exec(xml)?.[1] ?? `S3 answered with status ${status}.`;
  // S3 quotes the caller's ARN: the account id is nobody's business in a log or a comment.
  return new S3Error(code, message.replace(/\b\d{12}\b/g, '************'), status >= 500 || status === 429);
}
