import * as z from 'zod';
import type { MetricId } from './compare/comparison.ts';
import { type FunctionRule, type Gate, gates, type LimitPolicy } from './compare/limits.ts';
import type { OwnCode } from './pprof/frames.ts';
import { compilePattern } from './pprof/pattern.ts';

/** What the config file says of the decision, apart from the thresholds that are inputs too. */
export interface ConfiguredPolicy extends Pick<LimitPolicy, 'metricLimits' | 'functionRules' | 'budgets' | 'failOn'> {
  failOnInconclusive: boolean;
  ownCode?: OwnCode;
}

const MOST_ENTRIES = 200;

export const percentText = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,6})?\s*%$/, 'must be a percentage such as 10%')
  .meta({ examples: ['10%'] });
export const durationText = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,6})?\s*(us|ms|s|m)$/, 'must be a duration such as 500us, 90s or 5m')
  .meta({ examples: ['500ms'] });

const limits = z
  .strictObject({ fail: percentText.optional(), warn: percentText.optional() })
  .refine(({ fail, warn }) => !fail || !warn || fractionOf(warn) <= fractionOf(fail), 'warn must not be above fail');
const limit = z.union([percentText, limits], { error: 'must be a percentage, or fail and warn' });

const pattern = z
  .string()
  .min(1)
  .max(1000)
  .superRefine((source, context) => {
    try {
      compilePattern(source);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  })
  .meta({ description: 'Regular expression in the syntax of RE2, looked for anywhere in the name of a function' });

const amount = z.number().positive().max(1e15);

/** Keys of the policy in the config file. */
export const policyShape = {
  thresholds: z
    .strictObject({
      cpu: limit.optional(),
      duration: limit.optional(),
      allocated: limit.optional(),
      memory: limit.optional(),
      init: limit.optional(),
    })
    .optional()
    .meta({
      description: 'Growth of a metric that fails and that warns, instead of fail-threshold and warn-threshold',
    }),
  functions: z
    .array(
      z.strictObject({
        match: pattern,
        fail: percentText.optional(),
        warn: percentText.optional(),
        'min-delta': durationText.optional(),
        ignore: z.boolean().optional(),
      }),
    )
    .max(MOST_ENTRIES)
    .optional()
    .meta({ description: 'Limits of the functions whose name matches; the first match holds' }),
  budgets: z
    .strictObject({
      'cpu-ms': amount.optional(),
      'duration-ms': amount.optional(),
      'cost-usd': amount.optional(),
      'allocated-bytes': amount.optional(),
      'memory-mb': amount.optional(),
      'init-ms': amount.optional(),
    })
    .optional()
    .meta({
      description:
        'Most that a metric may be: CPU, duration and allocation per invocation, cost per million invocations at list prices, memory and init per instance',
    }),
  ignore: z.array(pattern).max(MOST_ENTRIES).optional().meta({ description: 'Functions that are never a finding' }),
  'own-code': z
    .array(z.string().min(1).max(500))
    .min(1)
    .max(MOST_ENTRIES)
    .optional()
    .meta({ description: 'Beginnings of the import paths (Go) or directories (Node.js) that are your own code' }),
  'fail-on': z
    .array(z.enum([...gates, 'inconclusive']))
    .max(20)
    .optional()
    .meta({
      description:
        'What fails the build; the rest only warns. Default: function, cpu, duration, cost, allocated, memory, errors',
    }),
} as const;

const policySchema = z.object(policyShape);
export const POLICY_KEYS: readonly string[] = Object.keys(policyShape);

/** Start-up varies too much from day to day to fail anything unasked. */
const DEFAULT_FAIL_ON: Gate[] = ['function', 'cpu', 'duration', 'cost', 'allocated', 'memory', 'errors'];

/** What a config file without a policy says. */
export const noPolicy: ConfiguredPolicy = {
  metricLimits: {},
  functionRules: [],
  budgets: {},
  failOn: new Set(DEFAULT_FAIL_ON),
  failOnInconclusive: false,
};

/**
 * The policy in a config file.
 * @param document the parsed file; keys that are not of the policy are not looked at
 * @param problems gets a sentence for each value that is wrong
 */
export function parsePolicy(document: Record<string, unknown>, problems: string[]): ConfiguredPolicy {
  const parsed = policySchema.safeParse(document);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues.slice(0, 20))
      problems.push(`${path.map(String).join('.').slice(0, 200)} (config file): ${message.slice(0, 300)}.`);
    return noPolicy;
  }
  const {
    thresholds = {},
    functions = [],
    budgets = {},
    ignore = [],
    'own-code': own,
    'fail-on': failOn,
  } = parsed.data;
  const chosen = failOn ?? DEFAULT_FAIL_ON;
  return {
    metricLimits: Object.fromEntries(
      Object.entries(thresholds).map(([id, given]) => [
        id,
        limitsOf(typeof given === 'string' ? { fail: given } : given!),
      ]),
    ),
    functionRules: [
      ...ignore.map((source): FunctionRule => ({ match: compilePattern(source), ignore: true })),
      ...functions.map(
        ({ match, ignore: ignored, 'min-delta': minDelta, ...given }): FunctionRule => ({
          match: compilePattern(match),
          ...limitsOf(given),
          ...(minDelta && { minDeltaMs: millisecondsOf(minDelta) }),
          ...(ignored && { ignore: true }),
        }),
      ),
    ],
    budgets: Object.fromEntries(
      Object.entries(budgets).map(([name, most]) => [name.slice(0, name.indexOf('-')) as MetricId, most]),
    ),
    failOn: new Set(chosen.filter((gate) => gate !== 'inconclusive')),
    failOnInconclusive: chosen.includes('inconclusive'),
    ...(own && { ownCode: { prefixes: own } }),
  };
}

function limitsOf({ fail, warn }: { fail?: string | undefined; warn?: string | undefined }) {
  return { ...(fail && { fail: fractionOf(fail) }), ...(warn && { warn: fractionOf(warn) }) };
}

function fractionOf(percent: string): number {
  return Number.parseFloat(percent) / 100;
}

function millisecondsOf(text: string): number {
  const unit = text.replace(/[\d.\s]/g, '') as 'us' | 'ms' | 's' | 'm';
  return Number.parseFloat(text) * { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit];
}
