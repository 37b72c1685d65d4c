/**
 * The shape of `report.json`: what `parseReport()` accepts and what `docs/report.schema.json` publishes.
 * Numbers follow the JSON mapping of Protocol Buffers: NaN and the infinities are the strings "NaN", "Infinity",
 * "-Infinity" (https://protobuf.dev/programming-guides/json/).
 * Every text and list is bounded, because a report may come from a job that ran code under review.
 */
import { z } from 'zod';
import type { Report } from './report.ts';

const text = z.string().max(32_768);
const commit = z.string().regex(/^[0-9a-f]{7,64}$/);
const webAddress = z
  .string()
  .max(2_048)
  .regex(/^https?:\/\/[^\s<>"'`()[\]\\]+$/);

const count = z.int().min(0);
/** Finite, as JSON writes it. */
const finite = z.number();
/** May be NaN or infinite. */
const real = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])
  .transform(Number)
  .meta({ description: 'A number, or "NaN", "Infinity", "-Infinity".' });

const paths = z.record(text, text);

const reports = z.object({
  count,
  durationP50Ms: real,
  durationP90Ms: real,
  durationP95Ms: real.exactOptional(),
  durationP99Ms: real.exactOptional(),
  billedMeanMs: real,
  latencyP50Ms: real.exactOptional(),
  latencyP95Ms: real.exactOptional(),
  coldShare: real,
  inits: count,
  initP50Ms: real.exactOptional(),
  initMaxMs: real.exactOptional(),
  maxMemoryMb: real.exactOptional(),
  billedBreaches: count,
  firstBreach: text.exactOptional(),
});

const cost = z.discriminatedUnion('known', [
  z.object({
    known: z.literal(true),
    currency: z.string().max(10),
    asOf: z.string().max(40),
    perMillion: real,
    perMillionColdStarts: real.exactOptional(),
    perMonth: real.exactOptional(),
    monthlyInvocations: real.exactOptional(),
  }),
  z.object({ known: z.literal(false), reason: text }),
]);

const side = z.object({
  commit,
  functionVersion: text,
  measuredAt: text,
  instances: z
    .array(
      z.object({
        id: text,
        invocations: count,
        errors: count,
        cpuMsPerInvocation: real,
        durationP50Ms: real,
        windows: count,
        durationP90Ms: real.exactOptional(),
        durationP95Ms: real.exactOptional(),
        billedMeanMs: real.exactOptional(),
        initMs: real.exactOptional(),
        maxMemoryMb: real.exactOptional(),
        allocatedBytesPerInvocation: real.exactOptional(),
        cold: count.exactOptional(),
      }),
    )
    .max(10_000),
  reports: reports.exactOptional(),
  cost: cost.exactOptional(),
  invocations: z.object({
    sent: count,
    succeeded: count,
    failed: count,
    throttled: count,
    ambiguous: count,
    cold: count,
  }),
  environment: z.object({
    memoryMb: finite,
    architecture: text,
    runtime: text,
    region: text,
    language: text,
    agent: text,
    intervalUs: finite,
  }),
});

const ownerKind = z.enum(['own', 'library', 'runtime', 'gc', 'idle']);

const functionChange = z.object({
  key: text,
  display: text,
  kind: ownerKind,
  file: text,
  line: finite,
  presence: z.enum(['both', 'new', 'gone']),
  renamedFrom: text.exactOptional(),
  movedFrom: text.exactOptional(),
  partOf: text.exactOptional(),
  callPath: z.array(text).max(100).exactOptional(),
  baseNanosPerInvocation: real,
  headNanosPerInvocation: real,
  share: real,
  ratio: real,
  ratioLow: real,
  ratioHigh: real,
  rawRatio: real,
  pSlower: real,
  pFaster: real,
  headInstancesAbove: count,
  headInstances: count,
  change: z.enum(['slower', 'faster', 'unchanged', 'moved']),
});

const metricId = z.enum(['cpu', 'duration', 'billed', 'cost', 'allocated', 'memory', 'init', 'errors']);

const metricChange = z.object({
  id: metricId,
  unit: z.enum(['ms', 'bytes', 'MB', 'share', 'USD']),
  base: real,
  head: real,
  ratio: real,
  ratioLow: real,
  ratioHigh: real,
  pMore: real,
  pLess: real,
  change: z.enum(['more', 'less', 'unchanged', 'unknown']),
});

const comparison = z.object({
  functions: z.array(functionChange).max(100_000),
  metrics: z.array(metricChange).max(100),
  resolution: z.array(z.object({ share: real, detectable: real })).max(100),
  method: z.object({
    baseInstances: count,
    headInstances: count,
    baseInvocations: count,
    headInvocations: count,
    baseSamples: count,
    headSamples: count,
    functionsTested: count,
    relabellings: count,
    exact: z.boolean(),
    seed: text,
    alpha: real,
    confirmed: z.boolean(),
  }),
});

const verdict = z.object({
  kind: z.enum(['pass', 'warn', 'fail', 'accepted', 'inconclusive', 'no-baseline', 'skipped', 'error']),
  headline: text,
  reasons: z.array(text).max(1_000),
  next: text,
  regressed: z.array(text).max(100_000),
  warned: z.array(text).max(100_000),
  checks: z.array(z.object({ what: text, state: z.enum(['ok', 'failed', 'unknown']), found: text })).max(1_000),
});

/** zod's description of `report.json`. */
export const reportSchema = z.object({
  schemaVersion: z.literal(1),
  tool: text,
  key: text,
  functionName: text,
  commit: commit.exactOptional(),
  verdict,
  head: side.exactOptional(),
  base: side.extend({ distance: count, relation: text }).exactOptional(),
  comparison: comparison.exactOptional(),
  hottest: z
    .array(
      z.object({
        display: text,
        kind: text,
        file: text,
        line: finite,
        nanosPerInvocation: real,
        share: real,
      }),
    )
    .max(10_000),
  differences: z.array(z.object({ field: text, base: text, head: text })).max(1_000),
  budget: z.object({
    failThreshold: finite,
    warnThreshold: finite,
    minDeltaMs: finite,
    metrics: z
      .partialRecord(metricId, z.object({ fail: finite, warn: finite, most: finite.exactOptional() }))
      .exactOptional(),
    functions: z.record(text, z.object({ fail: finite, warn: finite, least: finite })).exactOptional(),
  }),
  top: z.int().min(0).max(1_000),
  changedFiles: z.array(text).max(100_000),
  sources: paths,
  baseSources: paths.exactOptional(),
  repository: z
    .object({
      serverUrl: webAddress,
      owner: z.string().regex(/^[\w.-]{1,100}$/),
      name: z.string().regex(/^[\w.-]{1,100}$/),
    })
    .exactOptional(),
  pullRequest: z.int().min(1).exactOptional(),
  run: z.object({ id: count, attempt: count, url: webAddress }).exactOptional(),
  files: z.object({
    reportJson: text.exactOptional(),
    reportHtml: text.exactOptional(),
    headProfile: text.exactOptional(),
    baseProfile: text.exactOptional(),
  }),
  pageUrl: webAddress.exactOptional(),
  calls: z.object({ sent: count, ran: count, refused: count, unknown: count }).exactOptional(),
  timings: z.array(z.object({ step: text, ms: finite })).max(1_000),
  warnings: z.array(text).max(10_000),
}) satisfies z.ZodType<Report>;

/** The same as JSON Schema (draft 2020-12), the text of `docs/report.schema.json`. */
export function renderReportSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'report.json of lambda-profile-action', ...schema }, null, 2)}\n`;
}
