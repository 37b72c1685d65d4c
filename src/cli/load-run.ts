import { randomBytes } from 'node:crypto';
import { createClients } from '../aws-clients.ts';
import { listenForInterruption } from '../interruption.ts';
import {
  type Account,
  accountWarnings,
  addInvocation,
  assertBalanced,
  countRan,
  countSent,
  createAccount,
} from '../lambda/account.ts';
import { flushInstances } from '../lambda/flush.ts';
import { createInvoke } from '../lambda/invoke.ts';
import { type LoadSide, runLoad } from '../lambda/load.ts';
import { payloadAt } from '../lambda/payloads.ts';
import { meanOf, quantileOf } from '../lambda/quantile-sketch.ts';
import { planMeasurement, resolveMeasuredTarget } from '../measured-commit.ts';
import { createProgress } from '../progress.ts';
import { withRegion } from './aws.ts';
import { EXIT } from './exit.ts';
import { readSettings } from './gate-run.ts';
import type { LoadOptions } from './load.ts';
import { inert, type Shell } from './shell.ts';

/** @returns 0, or 130 when it was interrupted; what was measured until then is told all the same */
export async function runLoadCommand(name: string, options: LoadOptions, shell: Shell): Promise<number> {
  // The load itself needs no bucket; the settings that it shares with the gate do.
  const settings = readSettings(name, { s3Bucket: 'unused', ...options }, shell);
  const progress = createProgress(shell.clock, (line) => shell.say(inert(line)));
  const interruption = listenForInterruption(shell.takeSignals(), (signal) =>
    shell.say(`${signal}: no further call is sent; what was measured is told.`),
  );
  const run = `load.${randomBytes(6).toString('hex')}`;
  const services = { ...createClients(settings, await withRegion(shell)), clock: shell.clock, run, progress };
  progress.step(`Resolve ${settings.function.name}`);
  const target = await resolveMeasuredTarget(settings, services);
  const { plan, warnings } = await planMeasurement(target, settings, services);
  const account = createAccount();
  const side: LoadSide = {
    label: `${target.functionName}:${target.version}`,
    invoke: createInvoke(services.lambda, target, shell.clock),
    run,
    commit: '',
    sent: (op) => countSent(account, op),
    record: (invocation) => addInvocation(account, invocation),
  };
  progress.step(`Invoke ${side.label}`);
  const startedMs = shell.clock.monotonicMs();
  const end = await runLoad([side], plan, shell.clock, (state) => progress.load(state), interruption);
  const elapsedMs = shell.clock.monotonicMs() - startedMs;
  progress.step('Flush the instances');
  const instances = Math.max(1, Math.min(plan.concurrency, countRan(account)));
  const flush = { payload: payloadAt(plan.payloads, 0), instances, invocations: countRan(account) };
  const { replies } = await flushInstances(side, flush);
  progress.done();
  assertBalanced(account);
  const published = replies.reduce((sum, reply) => sum + reply.published.length, 0);
  for (const warning of [...warnings, ...accountWarnings(account, side.label)]) shell.say(inert(warning));
  const summary = summarize(account, { target: side.label, run, elapsedMs, end, published });
  shell.print(options.json ? `${JSON.stringify({ schemaVersion: 1, ...summary }, null, 2)}\n` : renderSummary(summary));
  return end === 'interrupted' ? EXIT.interrupted : 0;
}

type Summary = ReturnType<typeof summarize>;

interface LoadFacts {
  target: string;
  run: string;
  elapsedMs: number;
  end: string;
  published: number;
}

/** What a load found, times in milliseconds; null where nothing told. */
function summarize(account: Account, { target, run, elapsedMs, end, published }: LoadFacts) {
  const quantiles = (sketch: Account['latencyMs']) => ({
    mean: meanOf(sketch),
    p50: quantileOf(sketch, 0.5),
    p90: quantileOf(sketch, 0.9),
    p99: quantileOf(sketch, 0.99),
    max: quantileOf(sketch, 1),
  });
  const { warmup, sent, succeeded, failed, throttled, ambiguous, coldStarts, maxMemoryMb, initMs } = account;
  return {
    function: target,
    run,
    end,
    elapsedMs,
    invocations: { warmup, sent, succeeded, failed, throttled, ambiguous, coldStarts },
    durationMs: quantiles(account.durationMs),
    billedMs: quantiles(account.billedMs),
    latencyMs: quantiles(account.latencyMs),
    initMs: initMs.toSorted((a, b) => a - b),
    maxMemoryMb,
    errorTypes: Object.fromEntries(account.errorTypes),
    publishedSnapshots: published,
  };
}

function renderSummary(summary: Summary): string {
  const { invocations, errorTypes, initMs } = summary;
  const ms = (value: number | null): string => (value === null ? 'not known' : `${value.toFixed(1)} ms`);
  const row = (name: string, { p50, p90, p99, max }: Summary['durationMs']): [string, string] => [
    name,
    `median ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, most ${ms(max)}`,
  ];
  const errors = Object.entries(errorTypes).map(([type, count]) => `${count} ${type}`);
  const lines: [string, string][] = [
    ['Function', summary.function],
    [
      'Invocations',
      `${invocations.sent} sent: ${invocations.succeeded} succeeded, ${invocations.failed} failed, ${invocations.throttled} throttled, ${invocations.ambiguous} not answered`,
    ],
    ...(errors.length > 0 ? [['Errors', errors.join(', ')] as [string, string]] : []),
    ['Before', `${invocations.warmup} to warm up, ${invocations.coldStarts} cold starts`],
    row('Duration', summary.durationMs),
    row('Billed', summary.billedMs),
    row('Latency', summary.latencyMs),
    [
      'Init',
      initMs.length === 0
        ? 'none'
        : `median ${ms(initMs[Math.floor((initMs.length - 1) / 2)]!)}, most ${ms(initMs.at(-1)!)}`,
    ],
    ['Memory', `at most ${summary.maxMemoryMb} MB`],
    ['Run', `${summary.run}, ${summary.publishedSnapshots} snapshots published`],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(13)}${inert(value)}\n`).join('');
}
