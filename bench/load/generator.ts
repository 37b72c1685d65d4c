/**
 * The load generator of the gate as a process of its own: `node generator.ts URL RATE SECONDS CONCURRENCY` prints what
 * it measured as JSON. RATE 0 is a closed loop. The first two seconds are warm-up, as in the gate.
 */

import { Agent } from 'node:http';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { systemClock } from '../../src/clock.ts';
import { createInvoke, type Invocation } from '../../src/lambda/invoke.ts';
import { runLoad } from '../../src/lambda/load.ts';
import { countCall, createLoadTally, summarizeLoad } from '../../src/lambda/load-summary.ts';
import { parsePayloads } from '../../src/lambda/payloads.ts';
import { timeRequests } from '../../src/lambda/request-times.ts';
import type { Target } from '../../src/lambda/target.ts';

const [url, rate, seconds, concurrency] = process.argv.slice(2) as [string, string, string, string];
const target: Target = {
  functionName: 'orders',
  invokeName: 'orders',
  version: '7',
  region: 'eu-west-1',
  codeSha256: '',
  memoryMb: 512,
  timeoutSeconds: 3,
  architecture: 'arm64',
  runtime: 'nodejs24.x',
};
const client = new LambdaClient({
  region: 'eu-west-1',
  endpoint: url,
  credentials: { accessKeyId: 'ASIALOOPBACK00000001', secretAccessKey: 'loopback' },
  maxAttempts: 1,
  cacheMiddleware: true,
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: Number(concurrency) + 8 }) },
});
timeRequests(client, systemClock);
const tally = createLoadTally();
let cpuAtStart = process.cpuUsage();
let measuring = false;
const side = {
  label: 'orders:7',
  invoke: createInvoke(client, target, systemClock),
  run: 'bench',
  commit: 'bench',
  sent(op: Invocation['op']) {
    if (op === 'invoke' && !measuring) {
      measuring = true;
      cpuAtStart = process.cpuUsage();
    }
  },
  record: (invocation: Invocation) => countCall(tally, invocation),
};
const plan = {
  payloads: parsePayloads([{ name: 'bench', text: '{}' }], Math.random),
  invocations: Number.POSITIVE_INFINITY,
  durationMs: Number(seconds) * 1000,
  warmupInvocations: 1000,
  concurrency: Number(concurrency),
  seed: 'bench',
  maxDurationMs: 10 * 60_000,
  ...(Number(rate) > 0 && { rate: { perSecond: Number(rate), rampMs: 0 } }),
};
const never = new AbortController().signal;
await runLoad([side], plan, systemClock, () => {}, { stop: never, abandon: never });
const cpu = process.cpuUsage(cpuAtStart);
const { requests, ratePerSecond, throughputPerSecond, latency, late } = summarizeLoad(tally);
client.destroy();
console.log(
  JSON.stringify({
    ratePerSecond,
    throughputPerSecond,
    p50Ms: latency!.p50Ms,
    p99Ms: latency!.p99Ms,
    cpuMsPerCall: (cpu.user + cpu.system) / 1000 / requests,
    late,
  }),
);
