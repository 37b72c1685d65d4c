/**
 * Drives the load generator over calls that answer at once, and prints how its resident memory grew, in MB:
 * `node million.ts 1000000`. Everything but the network is real: scheduling, records, account, quantiles.
 */
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { addInvocation, assertBalanced, countSent, createAccount } from '../../src/lambda/account.ts';
import type { Invoke } from '../../src/lambda/invoke.ts';
import { runLoad } from '../../src/lambda/load.ts';
import { parsePayloads } from '../../src/lambda/payloads.ts';
import { quantileOf } from '../../src/lambda/quantile-sketch.ts';
import { seededRandom } from '../../src/seeded-random.ts';

const count = Number(process.argv[2] ?? 1e6);
const random = seededRandom('durations');
const account = createAccount();
let calls = 0;
const invoke: Invoke = async (_, { op }) => {
  // Let the event loop turn now and then, as the network would.
  if (++calls % 64 === 0) await setImmediate();
  const now = systemClock.monotonicMs();
  const durationMs = Math.round(100 * Math.exp(3 + random() * 3)) / 100;
  return {
    invocation: {
      op,
      scheduledMs: now,
      lateMs: 0,
      sentMs: now,
      receivedMs: now + durationMs,
      attempts: 1,
      status: 'succeeded',
      requestId: `00000000-0000-4000-8000-${String(calls).padStart(12, '0')}`,
      report: {
        requestId: '',
        durationMs,
        billedDurationMs: Math.ceil(durationMs),
        memorySizeMb: 512,
        maxMemoryUsedMb: 80,
        status: 'success',
      },
    },
    payload: new Uint8Array(),
  };
};
const side = {
  label: 'orders:7',
  invoke,
  run: 'bench',
  commit: 'bench',
  sent: (op: 'warmup' | 'invoke' | 'flush') => countSent(account, op),
  record: (invocation: Parameters<typeof addInvocation>[1]) => addInvocation(account, invocation),
};
const plan = {
  payloads: parsePayloads([{ name: 'bench', text: '{}' }], random),
  invocations: count,
  warmupInvocations: 0,
  concurrency: 64,
  seed: 'bench',
  maxDurationMs: 10 * 60_000,
};
const startMb = process.memoryUsage().rss / 2 ** 20;
await runLoad([side], plan, systemClock, () => {});
assertBalanced(account);
const peakMb = process.resourceUsage().maxRSS / 1024;
const p50Ms = quantileOf(account.durationMs, 0.5);
console.log(JSON.stringify({ sent: account.sent, p50Ms, startMb, peakMb }));
