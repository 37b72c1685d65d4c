/**
 * The least that answers Invoke: a REPORT line in the log tail, after a wait of so many ms. `node responder.ts 10`
 * prints its URL and serves until it is killed. Small on purpose: what is measured is the client.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const waitMs = Number(process.argv[2] ?? 0);
let calls = 0;
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const requestId = `00000000-0000-4000-8000-${String(++calls).padStart(12, '0')}`;
    const report = `REPORT RequestId: ${requestId}\tDuration: ${waitMs}.00 ms\tBilled Duration: ${waitMs} ms\tMemory Size: 512 MB\tMax Memory Used: 80 MB\t\n`;
    const answer = (): void => {
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'X-Amzn-Requestid': requestId,
        'X-Amz-Executed-Version': '7',
        'X-Amz-Log-Result': Buffer.from(report).toString('base64'),
      });
      response.end('{"ok":true}');
    };
    if (waitMs > 0) setTimeout(answer, waitMs);
    else answer();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
