import * as z from 'zod';
import { type Account, countRan, createAccount } from '../lambda/account.ts';
import { meanOf, type QuantileSketch, quantileOf, sketchFromJson, sketchToJson } from '../lambda/quantile-sketch.ts';

const quantity = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

const sketchSchema = z.object({
  count: quantity,
  sumMicros: quantity,
  min: quantity,
  max: quantity,
  buckets: z.array(z.tuple([z.number().int().min(-20_000).max(20_000), quantity])).max(20_000),
});

/** What became of the calls, in the manifest. Fields added later are optional: older recordings lack them. */
export const loadSchema = z.object({
  warmup: quantity,
  sent: quantity,
  succeeded: quantity,
  failed: quantity,
  throttled: quantity,
  ambiguous: quantity,
  coldStarts: quantity,
  /** Share of the invocations that ran which the windows account for. */
  coverage: z.number().min(0).nullable(),
  flush: quantity.optional(),
  late: quantity.optional(),
  coldInvocations: quantity.optional(),
  unreported: quantity.optional(),
  errorTypes: z
    .array(z.tuple([z.string().max(80), quantity]))
    .max(50)
    .optional(),
});

/** What Lambda reported of the calls, in the manifest. Durations and billed time are of warm calls. */
export const reportsSchema = z.object({
  count: quantity,
  durationP50Ms: quantity.nullable(),
  durationP90Ms: quantity.nullable(),
  durationP95Ms: quantity.nullable().optional(),
  /** Only of a thousand calls or more: below, it is one of the ten slowest calls. */
  durationP99Ms: quantity.nullable().optional(),
  billedMeanMs: quantity.nullable(),
  maxMemoryMb: quantity.nullable(),
  initMs: z.array(quantity).max(10_000),
  latencyP50Ms: quantity.nullable().optional(),
  latencyP95Ms: quantity.nullable().optional(),
  billedBreaches: quantity.optional(),
  firstBreach: z.string().max(200).optional(),
  /** Counts by size, so that shards can be merged. */
  sketches: z.object({ durationMs: sketchSchema, billedMs: sketchSchema, latencyMs: sketchSchema }).optional(),
});

type Load = z.infer<typeof loadSchema>;
type Reports = z.infer<typeof reportsSchema>;

/** @param counted invocations that windows account for; undefined when the producer does not count */
export function loadOf(account: Account, counted: number | undefined): Load {
  const ran = countRan(account);
  return {
    warmup: account.warmup,
    sent: account.sent,
    succeeded: account.succeeded,
    failed: account.failed,
    throttled: account.throttled,
    ambiguous: account.ambiguous,
    coldStarts: account.coldStarts,
    coverage: counted !== undefined && ran > 0 ? counted / ran : null,
    flush: account.flush,
    late: account.late,
    coldInvocations: account.coldInvocations,
    unreported: account.unreported,
    errorTypes: [...account.errorTypes],
  };
}

const FEWEST_FOR_P99 = 1000;

export function reportsOf(account: Account): Reports {
  const { durationMs, billedMs, latencyMs } = account;
  return {
    count: durationMs.count,
    durationP50Ms: quantileOf(durationMs, 0.5),
    durationP90Ms: quantileOf(durationMs, 0.9),
    durationP95Ms: quantileOf(durationMs, 0.95),
    durationP99Ms: durationMs.count < FEWEST_FOR_P99 ? null : quantileOf(durationMs, 0.99),
    billedMeanMs: meanOf(billedMs),
    maxMemoryMb: account.maxMemoryMb > 0 ? account.maxMemoryMb : null,
    initMs: account.initMs,
    latencyP50Ms: quantileOf(latencyMs, 0.5),
    latencyP95Ms: quantileOf(latencyMs, 0.95),
    billedBreaches: account.billedBreaches,
    firstBreach: account.firstBreach,
    sketches: {
      durationMs: sketchToJson(durationMs),
      billedMs: sketchToJson(billedMs),
      latencyMs: sketchToJson(latencyMs),
    },
  };
}

/** The account a manifest was made of. */
export function accountOf({ load, reports }: { load: Load; reports: Reports }): Account {
  const none = createAccount();
  const sketch = (of: 'durationMs' | 'billedMs' | 'latencyMs'): QuantileSketch =>
    reports.sketches ? sketchFromJson(reports.sketches[of]) : none[of];
  return {
    warmup: load.warmup,
    flush: load.flush ?? 0,
    sent: load.sent,
    succeeded: load.succeeded,
    failed: load.failed,
    throttled: load.throttled,
    ambiguous: load.ambiguous,
    late: load.late ?? 0,
    coldStarts: load.coldStarts,
    coldInvocations: load.coldInvocations ?? 0,
    latencyMs: sketch('latencyMs'),
    durationMs: sketch('durationMs'),
    billedMs: sketch('billedMs'),
    initMs: reports.initMs,
    maxMemoryMb: reports.maxMemoryMb ?? 0,
    unreported: load.unreported ?? 0,
    errorTypes: new Map(load.errorTypes ?? []),
    billedBreaches: reports.billedBreaches ?? 0,
    firstBreach: reports.firstBreach ?? '',
  };
}
