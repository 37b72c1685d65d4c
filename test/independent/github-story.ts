/**
 * The gate's story with Prism between it and GitHub: a validator that nobody here wrote holds every call of the Action,
 * and every answer of the loopback cloud, against GitHub's published OpenAPI description.
 * Usage: node test/independent/github-story.ts PRISM (its command; Prism needs Node >= 24.18)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Scenario, sampleFunction, startScenario } from '../action/scenario.ts';
import type { ActionResult } from '../cloud/runner.ts';

const [command = ''] = process.argv.slice(2);
const description = fileURLToPath(new URL('../cloud/github/openapi.json', import.meta.url));
const START_MS = 60_000;

let passed = 0;
let failed = 0;
function check(what: string, right: boolean, result?: ActionResult | string): void {
  if (right) passed++;
  else failed++;
  console.log(`${right ? 'ok  ' : 'FAIL'} Prism: ${what}`);
  if (!right && result) console.log(typeof result === 'string' ? result : `${result.log}${result.stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What the Action talks to: everything goes to Prism, which refuses a violation with an answer of its own, noted here. */
async function startWitness(prismUrl: string): Promise<{ url: string; violations: string[]; close(): void }> {
  const violations: string[] = [];
  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
    const answer = await fetch(prismUrl + request.url, {
      method: request.method!,
      headers,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (body.includes('stoplight.io/prism/errors')) violations.push(`${request.method} ${request.url}: ${body}`);
    const { 'content-encoding': ___, 'transfer-encoding': ____, ...kept } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, kept).end(answer.status === 204 ? undefined : body);
  }
  const server = createServer((request, response) => {
    forward(request, response).catch((error: Error) => response.writeHead(502).end(error.message));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, violations, close: () => server.close() };
}

/** Prism in front of `upstream`. What violates the description is answered with an error. */
async function startPrism(upstream: string): Promise<{ url: string; child: ChildProcess }> {
  const port = await freePort();
  const args = ['proxy', description, upstream, '--errors', '-p', String(port), '-h', '127.0.0.1'];
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_MS;
  while (
    !(await fetch(`${url}/rate_limit`).then(
      () => true,
      () => false,
    ))
  ) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error(`Prism does not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, child };
}

async function tell(scenario: Scenario, url: string): Promise<string[]> {
  const { github } = scenario.cloud;
  const inputs = { concurrency: '6', invocations: '240', 'warmup-invocations': '90', 'check-name': 'lambda profile' };
  const environment = { GITHUB_API_URL: url };
  const tip = github.commit({ branch: 'main', files: sampleFunction() });
  const stored = await scenario.run({
    ...{ eventName: 'push', event: github.pushEvent('main'), sha: tip, environment },
    inputs: { ...inputs, qualifier: await scenario.deploy('orders', sampleFunction()), 'update-baseline': 'true' },
  });
  check('a push is recorded', stored.outputs.verdict === 'no-baseline', stored);
  github.commit({ branch: 'change', parents: [tip], files: sampleFunction(true) });
  const { number, mergeSha, headSha } = github.openPullRequest({ head: 'change', base: 'main' });
  const pull = {
    ...{ eventName: 'pull_request', event: github.pullRequestEvent(number), sha: mergeSha, environment },
    inputs: { ...inputs, qualifier: await scenario.deploy('orders', sampleFunction(true)) },
  };
  const judged = await scenario.run(pull);
  check('a pull request with a regression fails', judged.outputs.verdict === 'fail', judged);
  check('its baseline is the recording of the push', judged.outputs['baseline-commit'] === tip, judged);
  const body = () => github.comments(number).map((comment) => comment.body);
  check('its comment names the function', body()[0]?.includes('bestDiscount') === true, judged);
  check('its check run has failed', github.checkRuns(headSha)[0]?.conclusion === 'failure', judged);
  github.label(number, 'perf-regression-accepted');
  const accepted = await scenario.run({ ...pull, event: github.pullRequestEvent(number, 'labeled') });
  check('with the label it is accepted', accepted.outputs.verdict === 'accepted', accepted);
  check('the one comment is updated', body().length === 1 && body()[0] !== undefined, accepted);
  return [...new Set(github.requests.map(({ operation }) => operation))].filter((name) => name !== '').sort();
}

const scenario = await startScenario();
const prism = await startPrism(scenario.cloud.github.url);
const witness = await startWitness(prism.url);
try {
  const operations = await tell(scenario, witness.url);
  // GraphQL is not in the description; the Action then takes the author of a workflow's token.
  const violations = witness.violations.filter((violation) => !violation.startsWith('POST /graphql:'));
  const what = `no call and no answer violates the description (${operations.join(', ')})`;
  check(what, violations.length === 0, violations.join('\n'));
  const refused = await fetch(`${witness.url}/repos/octo-org/shop/check-runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 7 }),
  });
  const noted = witness.violations.at(-1)?.includes('head_sha') === true;
  check('a call that does violate it is refused, and noted', refused.status === 422 && noted);
} finally {
  witness.close();
  prism.child.kill();
  await scenario.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
