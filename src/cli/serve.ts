import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from '../errors.ts';
import type { Shell } from './shell.ts';

/**
 * Serves one page on 127.0.0.1 until Ctrl-C: for machines whose browser is elsewhere. Its path cannot be guessed, and a
 * request that names another host (a page that had its own name point here) is refused.
 */
export async function servePage(html: string, port: number, shell: Shell): Promise<void> {
  const path = `/${randomBytes(16).toString('hex')}/`;
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const known = [`127.0.0.1:${port}`, `localhost:${port}`].includes(request.headers.host ?? '');
    if (!known || request.url !== path) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found\n');
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : html);
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConfigurationError(
          `Cannot serve on port ${port}: ${error.code === 'EADDRINUSE' ? 'it is taken' : error.message}.`,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const signals = shell.takeSignals();
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.on(signal, () => resolve());
  });
  shell.print(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}\n`);
  shell.say('Ctrl-C ends it.');
  await stopped;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
