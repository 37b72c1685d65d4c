import { randomBytes } from 'node:crypto';
import { createClients } from '../aws-clients.ts';
import { listenForInterruption } from '../interruption.ts';
import {
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
import { countCall, createLoadTally, renderLoadSummary, summarizeLoad } from '../lambda/load-summary.ts';
import { payloadAt } from '../lambda/payloads.ts';
import { assertUnchanged } from '../lambda/target.ts';
import { planMeasurement, resolveMeasuredTarget } from '../measured-commit.ts';
import { withRegion } from './aws.ts';
import { EXIT } from './exit.ts';
import { readSettings } from './gate-run.ts';
import { createShellProgress } from './live-progress.ts';
import type { LoadOptions } from './load.ts';
import { createRecordWriter } from './load-records.ts';
import { counted, inert, type Shell } from './shell.ts';

/** @returns 0, or 130 when it was interrupted; what was measured until then is told all the same */
export async function runLoadCommand(name: string, options: LoadOptions, shell: Shell): Promise<number> {
  // The load itself needs no bucket; the settings that it shares with the gate do.
  const settings = readSettings(name, { s3Bucket: 'unused', ...options }, shell);
  const progress = createShellProgress(shell);
  const interruption = listenForInterruption(shell.takeSignals(), (signal) =>
    progress.note(`${signal}: no further call is sent; what was measured is told.`),
  );
  const run = `load.${randomBytes(6).toString('hex')}`;
  const services = { ...createClients(settings, await withRegion(shell)), clock: shell.clock, run, progress };
  progress.step(`Resolve ${settings.function.name}`);
  const target = await resolveMeasuredTarget(settings, services);
  const { plan, warnings } = await planMeasurement(target, settings, services);
  const label = `${target.functionName}:${target.version}`;
  const about = { schemaVersion: 1, function: label, run, startedAt: new Date(shell.clock.nowMs()).toISOString() };
  const records = options.json ? createRecordWriter(shell.print, about, shell.clock.monotonicMs()) : undefined;
  const account = createAccount();
  const tally = createLoadTally();
  const side: LoadSide = {
    label,
    invoke: createInvoke(services.createInvoker(target.timeoutSeconds), target, shell.clock),
    run,
    commit: '',
    sent: (op) => countSent(account, op),
    record: (invocation) => {
      addInvocation(account, invocation);
      countCall(tally, invocation);
      records?.add(invocation);
    },
  };
  try {
    progress.step(`Invoke ${label}`);
    const end = await runLoad([side], plan, shell.clock, (state) => progress.load(state), interruption);
    progress.step('Flush the instances');
    const instances = Math.max(1, Math.min(plan.concurrency, countRan(account)));
    const flush = { payload: payloadAt(plan.payloads, 0), instances, invocations: countRan(account) };
    const { replies } = await flushInstances(side, flush, shell.clock);
    await assertUnchanged(services.lambda, target);
    progress.done();
    assertBalanced(account);
    const published = replies.reduce((sum, reply) => sum + reply.published.length, 0);
    for (const warning of [...warnings, ...accountWarnings(account, label)]) shell.say(inert(warning));
    const summary = summarizeLoad(tally);
    records?.end({ end, publishedSnapshots: published, ...summary });
    if (!records) {
      shell.print(renderLoadSummary(summary));
      shell.say(`${counted(published, 'snapshot')} published; \`lambda-profile collect --run ${run}\` fetches them.`);
    }
    return end === 'interrupted' ? EXIT.interrupted : 0;
  } catch (error) {
    // Half a document is none: what was measured until then can be read.
    records?.end({ end: 'failed', ...summarizeLoad(tally) });
    progress.done();
    throw error;
  }
}
