import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionVersion } from './functions.ts';

const RUNTIME = createRequire(import.meta.url).resolve('aws-lambda-ric');
const RAPID_CLIENT = fileURLToPath(new URL('rapid-client.cjs', import.meta.url));

/** Where the parts of an execution environment lie on this machine. */
export interface Directories {
  /** Plays `/var/task`. */
  readonly task: string;
  /** Plays `/opt`. */
  readonly opt: string;
}

/** What tells one execution environment from another. */
export interface EnvironmentIdentity {
  readonly version: FunctionVersion;
  readonly region: string;
  readonly directories: Directories;
  readonly logStream: string;
  /** Role credentials and endpoints that every instance gets. */
  readonly functionEnvironment: Readonly<Record<string, string>>;
}

/** A program with its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Whether a runtime is one of Amazon's Node.js runtimes; the other kind brings its own `bootstrap`. */
export const isNodeRuntime = (runtime: string): boolean => runtime.startsWith('nodejs');

/** Replaces every path under `/opt` in a text by the directory that plays it. */
export const relocateOpt = (text: string, opt: string): string =>
  text.replace(/(?<=^|file:\/\/|[^\w./-])\/opt(?![\w.-])/gm, opt);

/** Relocates `/opt` in the scripts of a layer, so that an exec wrapper may name its own files as it does on Lambda. */
export function relocateScript(contents: Uint8Array, opt: string): Uint8Array {
  const isScript = contents[0] === 0x23 && contents[1] === 0x21; // "#!"
  return isScript ? Buffer.from(relocateOpt(Buffer.from(contents).toString(), opt)) : contents;
}

/**
 * The whole environment of a function's processes, as the managed runtime sets it; nothing of this process's own.
 * Paths under `/opt` in the function's variables and handler are relocated.
 */
export function functionProcessEnvironment(
  { version, region, directories, logStream, functionEnvironment }: EnvironmentIdentity,
  runtimeApi: string,
): Record<string, string> {
  const { settings } = version;
  const { task, opt } = directories;
  const major = /\d+/.exec(settings.Runtime)?.[0];
  const runtimeDirectory = dirname(RUNTIME);
  const configured = Object.entries(settings.Environment?.Variables ?? {});
  const log = settings.LoggingConfig;
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:${opt}/bin`,
    LD_LIBRARY_PATH: `${task}:${task}/lib:${opt}/lib`,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    ...(isNodeRuntime(settings.Runtime)
      ? {
          AWS_EXECUTION_ENV: `AWS_Lambda_${settings.Runtime}`,
          NODE_PATH: [
            `${opt}/nodejs/node${major}/node_modules`,
            `${opt}/nodejs/node_modules`,
            `${runtimeDirectory}/node_modules`,
            runtimeDirectory,
            task,
          ].join(':'),
        }
      : {}),
    ...(log.LogFormat === 'JSON'
      ? { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: log.ApplicationLogLevel ?? 'INFO' }
      : {}),
    ...functionEnvironment,
    ...Object.fromEntries(configured.map(([name, value]) => [name, relocateOpt(value, opt)])),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: version.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.MemorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: log.LogGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    LAMBDA_TASK_ROOT: task,
    LAMBDA_RUNTIME_DIR: runtimeDirectory,
    _HANDLER: relocateOpt(settings.Handler, opt),
  };
}

/**
 * The flags of the managed Node.js bootstrap: a tenth of the memory for the young generation (two semi-spaces), the
 * rest for the old one, unless the function sizes them itself in NODE_OPTIONS.
 */
function nodeFlags(memorySizeMB: number, nodeOptions: string): string[] {
  const flags = ['--expose-gc', '--max-http-header-size=81920'];
  if (/max[-_](semi|old)[-_]space[-_]size/.test(nodeOptions)) return flags;
  const youngMB = Math.floor(memorySizeMB / 10);
  return [
    ...flags,
    `--max-semi-space-size=${Math.floor(youngMB / 2)}`,
    `--max-old-space-size=${memorySizeMB - youngMB}`,
  ];
}

/**
 * What starts the runtime of a function. A Node runtime is AWS's own client, started by the function's exec wrapper if
 * there is one: as on Lambda the wrapper gets the runtime's command line as its arguments and execs it, and the handler
 * is read from `_HANDLER`, which the wrapper may have changed. Any other runtime is the archive's `bootstrap`.
 */
export function runtimeCommand(
  version: FunctionVersion,
  directories: Directories,
  env: Record<string, string>,
): Command {
  if (!isNodeRuntime(version.settings.Runtime)) return { file: join(directories.task, 'bootstrap'), args: [] };
  const node = [
    process.execPath,
    ...nodeFlags(version.settings.MemorySize, env.NODE_OPTIONS ?? ''),
    '--require',
    RAPID_CLIENT,
    RUNTIME,
  ];
  const wrapper = env.AWS_LAMBDA_EXEC_WRAPPER;
  const [file, ...args] = wrapper ? [wrapper, ...node] : node;
  return { file: file!, args };
}

/**
 * The name of an instance's log stream: `2026/11/20/[$LATEST]<32 hex>`, with the function's name in front of the version
 * when the log group is not the function's own.
 */
export function logStreamName(version: FunctionVersion, instanceId: string, now: Date): string {
  const date = now.toISOString().slice(0, 10).replaceAll('-', '/');
  const ownGroup = version.settings.LoggingConfig.LogGroup === `/aws/lambda/${version.functionName}`;
  return `${date}/${ownGroup ? '' : version.functionName}[${version.version}]${instanceId}`;
}
