import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Account,
  accountWarnings,
  addInvocation,
  assertBalanced,
  countSent,
  createAccount,
  mergeAccounts,
} from '../../src/lambda/account.ts';
import type { Invocation, InvocationStatus } from '../../src/lambda/invoke.ts';
import { sketchToJson } from '../../src/lambda/quantile-sketch.ts';

const report = (durationMs: number, extra: object = {}) => ({
  requestId: 'r',
  durationMs,
  billedDurationMs: Math.ceil(durationMs),
  memorySizeMb: 512,
  maxMemoryUsedMb: 80,
  status: 'success' as const,
  ...extra,
});
const call = (status: InvocationStatus, extra: Partial<Invocation> = {}): Invocation => ({
  op: 'invoke',
  scheduledMs: 0,
  lateMs: 0,
  sentMs: 0,
  receivedMs: 12,
  attempts: 1,
  status,
  ...(status !== 'succeeded' && { errorType: 'Oops' }),
  ...extra,
});
const of = (calls: Invocation[]): Account => {
  const account = createAccount();
  for (const one of calls) {
    for (let i = 0; i < one.attempts; i++) countSent(account, one.op);
    addInvocation(account, one);
  }
  return account;
};
const calls = fc.array(
  fc
    .record({
      status: fc.constantFrom<InvocationStatus>(
        'succeeded',
        'function-error',
        'throttled',
        'service-error',
        'ambiguous',
      ),
      attempts: fc.integer({ min: 1, max: 4 }),
      op: fc.constantFrom('warmup' as const, 'invoke' as const, 'flush' as const),
      durationMs: fc.integer({ min: 1, max: 1e6 }).map((value) => value / 100),
    })
    .map(({ status, attempts, op, durationMs }) => call(status, { attempts, op, report: report(durationMs) })),
  { maxLength: 60 },
);

describe('an account of invocations', () => {
  it('balances: sent = succeeded + failed + throttled + ambiguous', () => {
    fc.assert(fc.property(calls, (all) => assertBalanced(of(all))));
  });

  it('says so when a call got lost', () => {
    const account = of([call('succeeded')]);
    countSent(account, 'invoke');
    expect(() => assertBalanced(account)).toThrow('does not balance: 2 sent, 1 succeeded');
  });

  it('is the same however its parts are merged', () => {
    const plain = (account: Account) => ({
      ...account,
      latencyMs: sketchToJson(account.latencyMs),
      durationMs: sketchToJson(account.durationMs),
      billedMs: sketchToJson(account.billedMs),
      errorTypes: [...account.errorTypes],
    });
    fc.assert(
      fc.property(calls, calls, calls, (a, b, c) => {
        const left = plain(mergeAccounts(mergeAccounts(of(a), of(b)), of(c)));
        expect(plain(mergeAccounts(of(a), mergeAccounts(of(b), of(c))))).toEqual(left);
        expect(plain(mergeAccounts(mergeAccounts(of(c), of(a)), of(b)))).toEqual(left);
      }),
    );
  });

  it('keeps cold calls apart: their init counts, their duration does not', () => {
    const account = of([
      call('succeeded', { report: report(900, { initDurationMs: 300, billedDurationMs: 1200 }) }),
      call('succeeded', { report: report(10) }),
      call('succeeded', { op: 'warmup', report: report(500, { restoreDurationMs: 40 }) }),
    ]);
    expect(account).toMatchObject({ coldStarts: 2, coldInvocations: 1, initMs: [300, 40], billedBreaches: 0 });
    expect(account.durationMs).toMatchObject({ count: 1, max: 10 });
  });

  it('shows reports whose billed duration is not what AWS documents', () => {
    const account = of([
      call('succeeded', { report: report(3000, { initDurationMs: 305.5, billedDurationMs: 3000 }) }),
    ]);
    expect(accountWarnings(account, 'orders:7').join()).toContain(
      '1 reports of orders:7 do not add up (billed 3000 ms for 3000 + 305.5 ms; AWS documents duration + init + billed restore',
    );
  });

  it('tells of throttles, late calls, unanswered calls and missing reports', () => {
    const account = of([
      call('succeeded', { attempts: 3, lateMs: 50 }),
      call('ambiguous', { errorType: 'ECONNRESET' }),
      call('succeeded'),
    ]);
    const warnings = accountWarnings(account, 'orders:7').join('\n');
    expect(warnings).toContain('Lambda throttled 2 of 5 calls');
    expect(warnings).toContain('1 of 5 calls to orders:7 were not answered');
    expect(warnings).toContain('left more than 10 ms late');
    expect(warnings).toContain('Set SystemLogLevel');
    expect(accountWarnings(of([call('succeeded', { report: report(1) })]), 'orders:7')).toEqual([]);
  });
});
