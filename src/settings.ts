import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { ConfigurationError } from './errors.ts';
import { type FunctionReference, parseFunctionName } from './lambda/target.ts';
import { type ConfiguredPolicy, noPolicy, POLICY_KEYS, parsePolicy } from './policy-config.ts';
import { PROFILE_TYPES, type ProfileType } from './snapshots/layout.ts';

/** Everything a run needs to know, validated. Durations in milliseconds, thresholds as fractions (0.1 = 10 %). */
export interface Settings {
  function: FunctionReference;
  payload: string;
  /** Measured, of a version. Infinity: as many as the duration allows. */
  invocations: number;
  /** Not given: until durations are steady. */
  warmupInvocations?: number;
  concurrency: number;
  /** Calls per second to a version, in an open loop. Not given: a closed loop. */
  rate?: { perSecond: number; rampMs: number };
  durationMs?: number;
  maxDurationMs: number;
  /** CPU to sample of a version. */
  minCpuMs?: number;
  /** Version or alias of the base, to be measured at the same time. '' = the stored recording is compared with. */
  baseQualifier: string;
  mode: 'all' | 'measure' | 'compare';
  /** Which of how many jobs this is, 1-based. */
  shard: { index: number; of: number };
  /** Traffic for which the cost of a month is stated; 0 = not stated. */
  monthlyInvocations: number;
  bucket: string;
  prefix: string;
  stack: string;
  profileTypes: ProfileType[];
  waitTimeoutMs: number;
  baselinePrefix: string;
  baseRef: string;
  /** '' = the commit the workflow runs for. */
  commit: string;
  updateBaseline: boolean;
  failThreshold: number;
  warnThreshold: number;
  minDeltaMs: number;
  /** What the config file alone can say of the decision. */
  policy: ConfiguredPolicy;
  failOnError: boolean;
  failOnInconclusive: boolean;
  comment: 'always' | 'on-change' | 'never';
  /** Setting this label on the pull request accepts its regressions. '' = no label does. */
  acceptLabel: string;
  /** Name of a check run to publish beside the job. '' = none. */
  checkName: string;
  /** Where a later step publishes the page. '' = nobody said. */
  pageUrl: string;
  /** Separates the comments and recordings of several measurements of one function. */
  key: string;
  top: number;
  pullRequest?: number;
  githubToken: string;
}

/** Input or option names as users write them, and their values as the runner passes them: '' means not given. */
export type RawInputs = Record<string, string | undefined>;

const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

const trimmed = z.string().trim();
const integer = (least: number, most: number) =>
  trimmed
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be between ${least} and ${most}`);
const flag = trimmed
  .toLowerCase()
  .refine((value) => value === 'true' || value === 'false', 'must be true or false')
  .transform((value) => value === 'true');
const percent = trimmed
  .regex(/^\d+(\.\d+)?\s*%$/, 'must be a percentage such as 10%')
  .transform((value) => Number.parseFloat(value) / 100)
  .refine((value) => value > 0 && value <= 10, 'must be above 0% and at most 1000%');
const UNIT_MS = { us: 0.001, ms: 1, s: 1_000, m: 60_000 } as const;
const duration = (least: number, most: number) =>
  trimmed
    .regex(/^\d+(\.\d+)?\s*(us|ms|s|m)$/, 'must be a duration such as 500ms, 90s or 5m')
    .transform((value) => Number.parseFloat(value) * UNIT_MS[/[a-z]+$/.exec(value)![0] as keyof typeof UNIT_MS])
    .refine((value) => value >= least && value <= most, `must be between ${least} ms and ${most} ms`);
const keyPath = trimmed.regex(
  /^[\w!*'()-][\w.!*'()-]*(\/[\w!*'()-][\w.!*'()-]*)*$/,
  "must be a path of letters, digits and . _ - ! * ' ( ), without a slash at either end or a name that begins with a dot",
);
const profileTypes = trimmed
  .transform((value) => value.split(/[\s,]+/).filter(Boolean))
  .pipe(z.array(z.enum(PROFILE_TYPES, { error: `must be of ${PROFILE_TYPES.join(', ')}` })).min(1))
  .transform((types) => [...new Set(types)]);

/** One line per input: how it is read, in the order of action.yml. */
const INPUTS = {
  'function-name': trimmed.min(1, 'is missing. Give the name or ARN of the function to measure'),
  qualifier: trimmed,
  payload: trimmed,
  invocations: integer(1, 1_000_000),
  'warmup-invocations': integer(1, 10_000),
  concurrency: integer(1, 100),
  rate: z
    .string()
    .trim()
    .regex(/^\d+(\.\d+)?$/, 'must be a number of calls per second, such as 50')
    .transform(Number)
    .refine((value) => value >= 0.1 && value <= 1000, 'must be between 0.1 and 1000 calls per second'),
  ramp: duration(0, 3_600_000),
  duration: duration(1_000, 3_600_000),
  'max-duration': duration(1_000, 3_600_000),
  'min-cpu-seconds': trimmed
    .regex(/^\d+(\.\d+)?$/, 'must be a number of seconds, such as 30')
    .transform(Number)
    .refine((value) => value > 0 && value <= 3600, 'must be above 0 and at most 3600'),
  'monthly-invocations': integer(0, 1e12),
  'base-qualifier': trimmed.regex(/^[a-zA-Z0-9_-]{1,128}$/, 'must be a version or an alias'),
  mode: z.enum(['all', 'measure', 'compare'], { error: 'must be all, measure or compare' }),
  shard: integer(1, 256),
  shards: integer(1, 256),
  's3-bucket': trimmed.regex(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'is missing or not a bucket name. Give the bucket the agent inside the function publishes to',
  ),
  's3-prefix': keyPath,
  stack: trimmed.regex(/^[\w-][\w.-]{0,127}$/, 'must have 1 to 128 letters, digits, dots, hyphens and underscores'),
  'profile-types': profileTypes,
  'wait-timeout': duration(1_000, 3_600_000),
  'base-ref': trimmed.regex(/^[^\s~^:?*[\\]{1,250}$/, 'is not the name of a branch'),
  commit: trimmed.refine(
    (value) => value === 'merge' || value === 'head' || COMMIT.test(value),
    'must be merge, head, or a full commit SHA',
  ),
  'update-baseline': flag,
  'fail-threshold': percent,
  'warn-threshold': percent,
  'min-delta': duration(0, 60_000),
  'fail-on-error': flag,
  comment: z.enum(['always', 'on-change', 'never'], { error: 'must be always, on-change or never' }),
  'comment-key': trimmed.regex(
    /^[\w-][\w.-]{0,63}$/,
    'must have 1 to 64 letters, digits, dots, hyphens and underscores',
  ),
  'page-url': trimmed.regex(
    /^https?:\/\/[^\s<>"'`()[\]\\|#]{1,1000}$/,
    'must be an address that begins with https:// and has no fragment',
  ),
  'check-name': trimmed.max(100, 'must have at most 100 characters'),
  'accept-label': trimmed.max(50, 'must have at most 50 characters, as a label'),
  top: integer(1, 20),
  'pr-number': integer(1, 1e9),
  'github-token': trimmed,
  'baseline-prefix': keyPath,
} as const;

/** What an input is that nobody gave; those without are described in action.yml. */
export const DEFAULTS: RawInputs = {
  payload: '{}',
  invocations: '800',
  concurrency: '8',
  ramp: '0s',
  'max-duration': '15m',
  'monthly-invocations': '0',
  mode: 'all',
  's3-prefix': 'sparta/pprof',
  'profile-types': 'cpu',
  'wait-timeout': '90s',
  'update-baseline': 'false',
  'fail-threshold': '10%',
  'warn-threshold': '5%',
  'min-delta': '0.1ms',
  'fail-on-error': 'true',
  comment: 'always',
  'accept-label': 'perf-regression-accepted',
  top: '5',
  'baseline-prefix': 'lambda-profile/recordings',
};

/** What the config file may set: policy and measurement, never where things are written or who may write. */
export const CONFIG_KEYS = [
  'payload',
  'invocations',
  'warmup-invocations',
  'concurrency',
  'rate',
  'ramp',
  'duration',
  'max-duration',
  'min-cpu-seconds',
  'monthly-invocations',
  'profile-types',
  'wait-timeout',
  'fail-threshold',
  'warn-threshold',
  'min-delta',
  'fail-on-error',
  'comment',
  'top',
] as const;

/**
 * Inputs over the config file over the defaults, validated.
 * @param config text of `.github/lambda-profile.yml`, undefined when there is none
 * @throws ConfigurationError that lists every problem at once
 */
export function parseSettings(inputs: RawInputs, config?: string): Settings {
  const problems: string[] = [];
  const { inputs: fromConfig, policy } = readConfig(config, problems);
  const given: RawInputs = { ...DEFAULTS, ...fromConfig };
  for (const [name, value] of Object.entries(inputs))
    if (value !== undefined && value.trim() !== '') given[name] = value;

  const read = <Name extends keyof typeof INPUTS>(name: Name): z.output<(typeof INPUTS)[Name]> | undefined => {
    const value = given[name];
    if (value === undefined && name !== 'function-name' && name !== 's3-bucket') return undefined;
    const parsed = INPUTS[name].safeParse(value ?? '');
    if (parsed.success) return parsed.data as z.output<(typeof INPUTS)[Name]>;
    const where = inputs[name]?.trim() ? '' : name in fromConfig ? ' (config file)' : '';
    const seen = value === undefined || name === 'github-token' ? '' : `: it is ${JSON.stringify(value.slice(0, 100))}`;
    problems.push(`${name}${where} ${parsed.error.issues[0]!.message}${seen}.`);
    return undefined;
  };

  const functionName = read('function-name');
  let reference: FunctionReference | undefined;
  try {
    if (functionName !== undefined) reference = parseFunctionName(functionName, read('qualifier'));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(error.message);
  }
  const concurrency = read('concurrency');
  const failThreshold = read('fail-threshold');
  const warnThreshold = read('warn-threshold');
  if (failThreshold !== undefined && warnThreshold !== undefined && warnThreshold > failThreshold)
    problems.push(
      `warn-threshold must not be above fail-threshold: they are ${given['warn-threshold']} and ${given['fail-threshold']}.`,
    );
  const invocations = read('invocations');
  if (invocations !== undefined && concurrency !== undefined && invocations < concurrency)
    problems.push(`invocations must be at least concurrency: they are ${invocations} and ${concurrency}.`);
  const pullRequest = read('pr-number');
  const perSecond = read('rate');
  const rampMs = read('ramp') ?? 0;
  const durationMs = read('duration');
  const maxDurationMs = read('max-duration');
  if (rampMs > 0 && perSecond === undefined) problems.push('ramp needs a rate: without one, calls follow the answers.');
  if (durationMs !== undefined && maxDurationMs !== undefined && durationMs > maxDurationMs)
    problems.push(`duration must not be above max-duration: they are ${given.duration} and ${given['max-duration']}.`);
  const minCpuSeconds = read('min-cpu-seconds');
  const warmupInvocations = read('warmup-invocations');
  const mode = read('mode');
  const shards = read('shards');
  const index = read('shard');
  if (index !== undefined && (shards === undefined || index > shards))
    problems.push(`shard must be between 1 and shards: they are ${index} and ${shards ?? 'not given'}.`);
  if (mode === 'measure' && index === undefined) problems.push('mode measure needs shard and shards.');
  if (mode === 'compare' && shards === undefined) problems.push('mode compare needs shards: how many were measured.');
  if (mode === 'all' && (index !== undefined || shards !== undefined))
    problems.push('shard and shards need mode measure or compare.');
  const baseQualifier = read('base-qualifier') ?? '';
  if (mode !== 'all' && baseQualifier !== '')
    problems.push('base-qualifier needs mode all: shards are compared with a stored recording.');
  // A duration alone means as many calls as fit into it.
  const byTime = durationMs !== undefined && !inputs.invocations?.trim() && !('invocations' in fromConfig);
  const settings = {
    function: reference,
    payload: read('payload'),
    invocations: byTime ? Number.POSITIVE_INFINITY : invocations,
    ...(warmupInvocations !== undefined && { warmupInvocations }),
    concurrency,
    ...(perSecond !== undefined && { rate: { perSecond, rampMs } }),
    ...(durationMs !== undefined && { durationMs }),
    maxDurationMs,
    ...(minCpuSeconds !== undefined && { minCpuMs: minCpuSeconds * 1000 }),
    baseQualifier,
    mode,
    shard: { index: index ?? 1, of: shards ?? 1 },
    monthlyInvocations: read('monthly-invocations'),
    bucket: read('s3-bucket'),
    prefix: read('s3-prefix'),
    stack: read('stack') ?? reference?.name,
    profileTypes: read('profile-types'),
    waitTimeoutMs: read('wait-timeout'),
    baselinePrefix: read('baseline-prefix'),
    baseRef: read('base-ref') ?? '',
    commit: read('commit') ?? '',
    updateBaseline: read('update-baseline'),
    failThreshold,
    warnThreshold,
    minDeltaMs: read('min-delta'),
    policy,
    failOnError: read('fail-on-error'),
    failOnInconclusive: policy.failOnInconclusive,
    comment: read('comment'),
    acceptLabel: labelOf(read('accept-label')),
    checkName: read('check-name') ?? '',
    pageUrl: read('page-url') ?? '',
    key: read('comment-key') ?? '',
    top: read('top'),
    ...(pullRequest !== undefined && { pullRequest }),
    githubToken: read('github-token') ?? '',
  };
  if (problems.length > 0)
    throw new ConfigurationError(
      problems.length === 1
        ? `Cannot start: ${problems[0]}`
        : `Cannot start, ${problems.length} inputs are wrong:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    );
  return settings as Settings;
}

/** An empty input means "not given", so it takes a word to say "no label". */
function labelOf(value = ''): string {
  return value.toLowerCase() === 'none' ? '' : value;
}

/** Names of all inputs, so that the entry points read them all and nothing else. */
export const INPUT_NAMES = [...Object.keys(INPUTS), 'config'];

function readConfig(text: string | undefined, problems: string[]): { inputs: RawInputs; policy: ConfiguredPolicy } {
  const inputs: RawInputs = {};
  const document = text === undefined ? {} : parseConfig(text, problems);
  for (const [name, value] of Object.entries(document)) {
    if (POLICY_KEYS.includes(name)) continue;
    if (!(CONFIG_KEYS as readonly string[]).includes(name))
      problems.push(
        `the config file has an unknown key ${JSON.stringify(name.slice(0, 60))}. It may set: ${[...CONFIG_KEYS, ...POLICY_KEYS].join(', ')}.`,
      );
    else if (Array.isArray(value)) inputs[name] = name === 'payload' ? JSON.stringify(value) : value.join(',');
    else inputs[name] = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  }
  return { inputs, policy: text === undefined ? noPolicy : parsePolicy(document, problems) };
}

/** The keys and values of a config file; {} when it is empty or, with a problem, when it is not such a file. */
export function parseConfig(text: string, problems: string[]): Record<string, unknown> {
  let document: unknown;
  try {
    document = parseYaml(text, { maxAliasCount: 0 });
  } catch (error) {
    problems.push(`the config file is not YAML: ${(error as Error).message.split('\n')[0]}.`);
    return {};
  }
  if (document === null || document === undefined) return {};
  if (typeof document === 'object' && !Array.isArray(document)) return document as Record<string, unknown>;
  problems.push('the config file must hold keys and values, such as "fail-threshold: 10%".');
  return {};
}
