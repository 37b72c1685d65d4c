import { invalidMember, invalidParameter } from './errors.ts';
import { isLayerVersionArn } from './names.ts';

/** What a function is configured with, in the member names of the API. */
export interface FunctionSettings {
  readonly Runtime: string;
  readonly Handler: string;
  readonly Role: string;
  readonly Description: string;
  readonly TimeoutSeconds: number;
  readonly MemorySize: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> } | undefined;
  /** ARNs of layer versions, later ones over earlier ones. */
  readonly Layers: readonly string[];
  readonly LoggingConfig: LoggingConfig;
  readonly Architectures: readonly string[];
}

/** `LoggingConfig` of the API; the levels exist in the JSON format only. */
export interface LoggingConfig {
  readonly LogFormat: 'Text' | 'JSON';
  readonly LogGroup: string;
  readonly ApplicationLogLevel?: string;
  readonly SystemLogLevel?: 'DEBUG' | 'INFO' | 'WARN';
}

/** The body of CreateFunction and UpdateFunctionConfiguration, as far as it is understood here. */
export interface SettingsInput {
  readonly Runtime?: string;
  readonly Handler?: string;
  readonly Role?: string;
  readonly Description?: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly Layers?: readonly string[];
  readonly LoggingConfig?: Partial<LoggingConfig>;
  readonly Architectures?: readonly string[];
}

const RUNTIME = /^(nodejs\d+\.x|provided\.al2|provided\.al2023)$/;

// "Reserved environment variables" of the Lambda guide, as far as they are reserved for changes.
const RESERVED_VARIABLES = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
]);

/** The settings of a new function with Lambda's defaults. */
export const defaultSettings = (functionName: string): FunctionSettings => ({
  Runtime: '',
  Handler: '',
  Role: '',
  Description: '',
  TimeoutSeconds: 3,
  MemorySize: 128,
  Environment: undefined,
  Layers: [],
  LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${functionName}` },
  Architectures: ['x86_64'],
});

/**
 * Settings with the members of a request laid over them; what the request leaves out stays.
 * @throws LambdaApiError 400 for a value Lambda does not accept
 */
export function applySettings(settings: FunctionSettings, input: SettingsInput): FunctionSettings {
  const logging = { ...settings.LoggingConfig, ...input.LoggingConfig };
  const applied: FunctionSettings = {
    Runtime: input.Runtime ?? settings.Runtime,
    Handler: input.Handler ?? settings.Handler,
    Role: input.Role ?? settings.Role,
    Description: input.Description ?? settings.Description,
    TimeoutSeconds: input.Timeout ?? settings.TimeoutSeconds,
    MemorySize: input.MemorySize ?? settings.MemorySize,
    Environment: input.Environment === undefined ? settings.Environment : variables(input.Environment.Variables ?? {}),
    Layers: input.Layers ?? settings.Layers,
    LoggingConfig:
      logging.LogFormat === 'JSON'
        ? { ApplicationLogLevel: 'INFO', SystemLogLevel: 'INFO', ...logging }
        : { LogFormat: logging.LogFormat, LogGroup: logging.LogGroup },
    Architectures: input.Architectures ?? settings.Architectures,
  };
  check('runtime', applied.Runtime, RUNTIME.test(applied.Runtime), `Member must match ${RUNTIME.source}`);
  check(
    'handler',
    applied.Handler,
    /^\S+$/.test(applied.Handler),
    'Member must satisfy regular expression pattern: \\S+',
  );
  check(
    'role',
    applied.Role,
    /^arn:aws[a-zA-Z-]*:iam::\d{12}:role\//.test(applied.Role),
    'Member must be the ARN of a role',
  );
  checkRange('timeout', applied.TimeoutSeconds, 1, 900);
  checkRange('memorySize', applied.MemorySize, 128, 10_240);
  check(
    'layers',
    applied.Layers.join(', '),
    applied.Layers.every(isLayerVersionArn),
    'Members must be ARNs of layer versions',
  );
  if (applied.Layers.length > 5) throw invalidParameter('Cannot reference more than 5 layers.');
  return applied;
}

function variables(given: Readonly<Record<string, string>>) {
  const reserved = Object.keys(given).filter((name) => RESERVED_VARIABLES.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      'Lambda was unable to configure your environment variables because the environment variables you have provided ' +
        'contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ' +
        reserved.join(', '),
    );
  }
  return { Variables: given };
}

function check(member: string, value: string, holds: boolean, constraint: string) {
  if (!holds) throw invalidMember(member, value, constraint);
}

function checkRange(member: string, value: number, least: number, most: number) {
  const holds = Number.isInteger(value) && value >= least && value <= most;
  check(member, String(value), holds, `Member must have value between ${least} and ${most}`);
}
