/** Types of snapshot this agent can publish; each is a folder of the key layout. */
export type ProfileType = 'cpu' | 'heap' | 'init';

/** Everything the environment decides, read once when the process starts. */
export interface Settings {
  readonly bucket: string;
  readonly stack: string;
  readonly prefix: string;
  readonly types: ReadonlySet<ProfileType>;
  /** Sampling interval of the CPU profile. */
  readonly intervalUs: number;
  /** Average bytes allocated between two samples of the heap profile. */
  readonly heapIntervalBytes: number;
  /** `marker` measures only invocations that carry the run protocol. */
  readonly mode: 'always' | 'marker';
  /** Invocations after which a window without a run is published; 0 = never. */
  readonly maxInvocations: number;
  /** Unix time after which the agent does nothing; Infinity = no end. */
  readonly untilMs: number;
  /** Opaque id of this execution environment, safe in an object key. */
  readonly instance: string;
  readonly function: FunctionIdentity;
  readonly s3: S3Settings;
}

/** What Lambda says about the function; repeated in every snapshot. */
export interface FunctionIdentity {
  readonly name: string;
  readonly version: string;
  readonly memoryMb: number;
  /** AWS_EXECUTION_ENV, for example `AWS_Lambda_nodejs24.x`. */
  readonly runtime: string;
  readonly taskRoot: string;
}

/** Where and as whom to write; the credentials are those of the execution role. */
export interface S3Settings {
  readonly region: string;
  /** Custom endpoint, addressed path-style; null = Amazon S3 of the region. */
  readonly endpoint: string | null;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** Settings, or why the agent stays off. A `notice` is worth one log line; silence is not a mistake. */
export type SettingsResult =
  | { readonly on: true; readonly settings: Settings }
  | { readonly on: false; readonly notice: string | null };

type Environment = Readonly<Record<string, string | undefined>>;

const TYPES: readonly ProfileType[] = ['cpu', 'heap', 'init'];

/**
 * Reads the agent's settings from an environment. Never throws: a value that cannot be used turns the agent off with a
 * sentence that says which one, because a profiler must not fail a function over its own configuration.
 */
export function readSettings(env: Environment, nowMs: number, randomInstance: () => string): SettingsResult {
  const bucket = env.LAMBDA_PROFILE_BUCKET || env.SPARTA_PROFILE_BUCKET_NAME;
  if (!bucket || env.LAMBDA_PROFILE_DISABLE === '1') return off(null);
  if (env.AWS_LAMBDA_MAX_CONCURRENCY) {
    return off('a Managed Instance runs several invocations at once, so no window can be attributed');
  }
  if (env.DD_PROFILING_ENABLED && !/^(false|0)$/i.test(env.DD_PROFILING_ENABLED)) {
    return off('DD_PROFILING_ENABLED runs another profiler in this process; unset one of the two');
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    return off(`LAMBDA_PROFILE_BUCKET must be a bucket name: current value is '${bucket}'`);
  }
  const untilMs = env.LAMBDA_PROFILE_UNTIL ? Date.parse(env.LAMBDA_PROFILE_UNTIL) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(untilMs)) {
    return off(`LAMBDA_PROFILE_UNTIL must be an ISO 8601 time: current value is '${env.LAMBDA_PROFILE_UNTIL}'`);
  }
  if (untilMs <= nowMs) return off(null);

  const types = new Set<ProfileType>();
  for (const name of (env.LAMBDA_PROFILE_TYPES || 'cpu').split(',').map((part) => part.trim())) {
    const type = TYPES.find((known) => known === name);
    if (!type) return off(`LAMBDA_PROFILE_TYPES must be a list of ${TYPES.join(', ')}: current value has '${name}'`);
    types.add(type);
  }
  const mode = env.LAMBDA_PROFILE_MODE || 'always';
  if (mode !== 'always' && mode !== 'marker') {
    return off(`LAMBDA_PROFILE_MODE must be always or marker: current value is '${mode}'`);
  }
  const intervalUs = integer(env.LAMBDA_PROFILE_INTERVAL_US, 1000, 100, 1_000_000);
  const heapIntervalBytes = integer(env.LAMBDA_PROFILE_HEAP_INTERVAL_BYTES, 65_536, 1024, 1 << 30);
  const maxInvocations = integer(env.LAMBDA_PROFILE_MAX_INVOCATIONS, 50, 0, 1_000_000);
  if (intervalUs === null) return off('LAMBDA_PROFILE_INTERVAL_US must be an integer from 100 to 1000000');
  if (heapIntervalBytes === null) return off('LAMBDA_PROFILE_HEAP_INTERVAL_BYTES must be an integer of at least 1024');
  if (maxInvocations === null) return off('LAMBDA_PROFILE_MAX_INVOCATIONS must be an integer from 0 to 1000000');
  const prefix = (env.LAMBDA_PROFILE_PREFIX || 'sparta/pprof').replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9!_.*'()/-]{1,512}$/.test(prefix)) {
    return off(`LAMBDA_PROFILE_PREFIX must be made of letters, digits and !_.*'()/-: current value is '${prefix}'`);
  }
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || null;
  if (endpoint !== null && !/^https?:\/\/[^/?#]+\/?$/.test(endpoint)) {
    return off('AWS_ENDPOINT_URL_S3 must be an http or https address without a path');
  }

  const name = env.AWS_LAMBDA_FUNCTION_NAME || 'function';
  return {
    on: true,
    settings: {
      bucket,
      stack: keySegment(env.LAMBDA_PROFILE_STACK || env.SPARTA_STACK_NAME || name),
      prefix,
      types,
      intervalUs,
      heapIntervalBytes,
      mode,
      maxInvocations,
      untilMs,
      instance: /([0-9a-f]{32})$/.exec(env.AWS_LAMBDA_LOG_STREAM_NAME ?? '')?.[1] ?? keySegment(randomInstance()),
      function: {
        name,
        version: env.AWS_LAMBDA_FUNCTION_VERSION || '$LATEST',
        memoryMb: Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || 0,
        runtime: env.AWS_EXECUTION_ENV || '',
        taskRoot: env.LAMBDA_TASK_ROOT || '',
      },
      s3: {
        region: env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1',
        endpoint: endpoint === null ? null : endpoint.replace(/\/$/, ''),
        accessKeyId: env.AWS_ACCESS_KEY_ID || '',
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY || '',
        sessionToken: env.AWS_SESSION_TOKEN || undefined,
      },
    },
  };
}

function off(notice: string | null): SettingsResult {
  return { on: false, notice };
}

function integer(text: string | undefined, fallback: number, min: number, max: number): number | null {
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  return Number.isInteger(value) && value >= min && value <= max ? value : null;
}

/** One segment of an object key: no slash, no dot segment, nothing that needs a second look in a URL. */
function keySegment(text: string): string {
  const clean = text.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 128);
  return /^\.*$/.test(clean) ? `-${clean}` : clean;
}
