import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { S3Account, S3Server } from './server.ts';

/** The credentials of AWS's own signature examples. */
export const ACCOUNT: S3Account = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

/** An unmodified SDK client for the server; one attempt, so that a test sees the first answer. */
export function sdkClient(server: S3Server, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: ACCOUNT,
    maxAttempts: 1,
    // Its hints about refused requests are about what the tests refuse on purpose.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    ...config,
  });
}

/** A request handler that finds every host name on loopback, for virtual-hosted-style addresses. */
export function loopbackHandler(): NodeHttpHandler {
  const httpAgent = new Agent({
    lookup: (_hostname, options, callback) => {
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    },
  });
  return new NodeHttpHandler({ httpAgent });
}

export interface RawRequest {
  method?: string;
  path: string;
  headers?: Record<string, string | number | string[]>;
  body?: string | Uint8Array;
  /** Sends the headers and waits for the answer without sending what they announce. */
  headersOnly?: boolean;
}

export interface RawReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One HTTP request exactly as given: no normalised path, no added headers but Connection and Host. */
export function send(server: S3Server, { method = 'GET', path, headers = {}, body, headersOnly }: RawRequest) {
  const { hostname, port } = new URL(server.url);
  return new Promise<RawReply>((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers, agent: false }, async (incoming) => {
      let text = '';
      for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
      outgoing.destroy();
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
    });
    outgoing.on('error', reject);
    if (headersOnly) outgoing.flushHeaders();
    else outgoing.end(body);
  });
}

/** The text of an element of an XML answer. */
export function elementText(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}
