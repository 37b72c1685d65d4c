'use strict';
// Preloaded into the Node runtime. aws-lambda-ric reaches the Runtime API through a native addon that is compiled when
// the package is installed; install scripts are off here, so this answers that one `require` over plain HTTP.
const http = require('node:http');
const Module = require('node:module');

const ADDON = './rapid-client.node';
// The headers that the native client hands on, besides the ones every invocation has.
const OPTIONAL_HEADERS = [
  'lambda-runtime-client-context',
  'lambda-runtime-cognito-identity',
  'lambda-runtime-aws-tenant-id',
];

const load = Module._load;
Module._load = function loadWithoutAddon(request, ...rest) {
  if (request !== ADDON) return load.call(this, request, ...rest);
  // The runtime asks once, before it loads the function: from here on nothing is patched.
  Module._load = load;
  return createClient(new URL(`http://${process.env.AWS_LAMBDA_RUNTIME_API}`));
};

/** Header values are UTF-8 bytes, which Node reads as latin1. */
const utf8 = (header) => Buffer.from(header, 'latin1').toString();

/** The addon's interface: `next()` is a promise, `done()` and `error()` return at once. */
function createClient({ hostname, port }) {
  // One socket: a response is on its way before the next invocation is asked for.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let posted = Promise.resolve();

  const send = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const request = http.request(
        { hostname, port, method, path: `/2018-06-01/runtime/${path}`, agent, headers },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => resolve({ response, body: Buffer.concat(chunks).toString() }));
        },
      );
      request.on('error', reject);
      request.end(body);
    });

  return {
    async next() {
      await posted;
      const { response, body } = await send('GET', 'invocation/next');
      if (response.statusCode !== 200) {
        throw new Error(`Failed to get next invocation, error ${response.statusCode}`);
      }
      const headers = {
        'lambda-runtime-deadline-ms': Number(response.headers['lambda-runtime-deadline-ms']),
        'lambda-runtime-aws-request-id': response.headers['lambda-runtime-aws-request-id'],
        'lambda-runtime-trace-id': response.headers['lambda-runtime-trace-id'] ?? '',
        'lambda-runtime-invoked-function-arn': response.headers['lambda-runtime-invoked-function-arn'],
      };
      for (const name of OPTIONAL_HEADERS) {
        if (response.headers[name] !== undefined) headers[name] = utf8(response.headers[name]);
      }
      return { bodyJson: body, headers };
    },
    done(requestId, body) {
      posted = send('POST', `invocation/${requestId}/response`, body);
    },
    error(requestId, body) {
      posted = send('POST', `invocation/${requestId}/error`, body);
    },
  };
}
