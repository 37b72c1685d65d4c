import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Directories, logStreamName } from './environment.ts';
import type { FunctionVersion } from './functions.ts';
import { InstanceLog } from './instance-log.ts';
import { type InvocationMetrics, type PlatformLog, platformLog } from './report.ts';
import type { InvokeEvent, ShutdownReason } from './runtime-api.ts';
import { type Failure, Sandbox } from './sandbox.ts';

/** Longest initialization before Lambda gives up and repeats it within the invocation, in milliseconds. */
const INIT_LIMIT_MS = 10_000;

/** What an instance needs to know of the server it belongs to. */
export interface InstanceOptions {
  readonly version: FunctionVersion;
  readonly directories: Directories;
  readonly region: string;
  readonly functionEnvironment: Readonly<Record<string, string>>;
  readonly freeze: boolean;
  /** Where the log file goes. */
  readonly logDirectory: string;
}

/** An invocation as an instance gets it; the deadline is set when it is delivered. */
export type Invocation = Omit<InvokeEvent, 'deadlineEpochMs'>;

/** What the caller gets. */
export interface FunctionResponse {
  readonly payload: Buffer;
  readonly functionError: boolean;
}

/** Outcome of the phases of an invocation that may fail. */
interface InitOutcome {
  readonly durationMs: number;
  readonly failure: Failure | 'timeout' | undefined;
}

/** Resolves with the value, or with 'timeout' after a number of milliseconds. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'timeout');
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * One execution environment: it is initialized by its first invocation, handles one invocation at a time, is frozen
 * between invocations, and is dead after a crash or a timeout.
 */
export class Instance {
  readonly id = randomBytes(16).toString('hex');
  readonly version: FunctionVersion;
  invocations = 0;
  frozen = false;
  alive = true;
  readonly #options: InstanceOptions;
  readonly #logStream: string;
  readonly #log: InstanceLog;
  readonly #lines: PlatformLog;
  #sandbox: Sandbox | undefined;
  #starting: Promise<Sandbox> | undefined;
  #stopped: Promise<void> | undefined;
  #maxMemoryMB = 0;

  constructor(options: InstanceOptions) {
    const { version } = options;
    const { LogFormat: format, SystemLogLevel: systemLevel = 'INFO' } = version.settings.LoggingConfig;
    this.version = version;
    this.#options = options;
    this.#logStream = logStreamName(version, this.id, new Date());
    this.#log = new InstanceLog(join(options.logDirectory, `${this.id}.log`));
    this.#lines = platformLog({ format, systemLevel }, () => new Date());
  }

  get pid(): number | undefined {
    return this.#sandbox?.pid;
  }

  /**
   * Runs one invocation. `respond` is called as soon as there is a response; the promise resolves with the end of the log
   * when the invocation is over, which is when the runtime and all extensions wait for the next one.
   */
  async invoke(invocation: Invocation, respond: (response: FunctionResponse) => void): Promise<Buffer> {
    const timeoutMs = this.version.settings.TimeoutSeconds * 1_000;
    let initDurationMs: number | undefined;
    let startedMs = performance.now();
    this.invocations++;
    if (this.#sandbox === undefined) {
      const init = await this.#initialize(INIT_LIMIT_MS);
      initDurationMs = init.durationMs;
      if (init.failure !== undefined && this.alive) {
        // Lambda initializes a second time, now as part of the invocation and on its clock.
        this.#reportInit(init, 'init');
        startedMs = performance.now();
        const second = await this.#initialize(timeoutMs);
        initDurationMs = undefined;
        if (second.failure !== undefined) {
          this.#reportInit(second, 'invoke');
          this.#log.write(this.#lines.start(invocation.requestId, this.version.version));
          return this.#abort(invocation, second.failure, { durationMs: second.durationMs }, respond);
        }
      } else {
        startedMs = performance.now();
      }
    }
    const elapsedMs = () => performance.now() - startedMs;
    const sandbox = this.#sandbox!;
    this.#thaw();
    this.#log.write(this.#lines.start(invocation.requestId, this.version.version));
    const remainingMs = () => Math.max(0, timeoutMs - elapsedMs());
    const deadlineEpochMs = Math.floor(Date.now() + remainingMs());
    const posted = await within(
      remainingMs(),
      Promise.race([
        sandbox.deliver({ ...invocation, deadlineEpochMs }),
        sandbox.failed.then((failure) => ({ failure })),
      ]),
    );
    if (posted === 'timeout' || 'failure' in posted) {
      const failure = posted === 'timeout' ? posted : posted.failure;
      return this.#abort(invocation, failure, { durationMs: elapsedMs(), initDurationMs }, respond);
    }
    respond({ payload: posted.body, functionError: posted.errorType !== undefined });
    const ready = sandbox.ready.then(() => undefined);
    const rest = await within(remainingMs(), Promise.race([ready, sandbox.failed]));
    if (rest !== undefined) {
      return this.#abort(invocation, rest, { durationMs: elapsedMs(), initDurationMs }, () => {});
    }
    const durationMs = elapsedMs();
    this.#freeze();
    return this.#report(invocation.requestId, {
      durationMs,
      initDurationMs,
      status: posted.errorType === undefined ? 'success' : 'error',
    });
  }

  /** Ends the processes and waits for their end. From now on the instance is dead. */
  stop(reason: ShutdownReason): Promise<void> {
    this.alive = false;
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  async #stop(reason: ShutdownReason): Promise<void> {
    const sandbox = await this.#starting?.catch(() => undefined);
    await sandbox?.stop(reason);
    this.frozen = false;
    this.#log.close();
  }

  async #initialize(limitMs: number): Promise<InitOutcome> {
    const startedMs = performance.now();
    const { version, region, directories, functionEnvironment } = this.#options;
    this.#starting = Sandbox.start(
      { version, region, directories, logStream: this.#logStream, functionEnvironment },
      this.#log.output,
    );
    const sandbox = await this.#starting;
    this.#sandbox = sandbox;
    const ready = sandbox.ready.then(() => undefined);
    const failure = await within(limitMs, Promise.race([ready, sandbox.failed]));
    const durationMs = performance.now() - startedMs;
    this.#measureMemory();
    if (failure !== undefined) await sandbox.stop('failure');
    else sandbox.failed.then(() => this.#die());
    return { durationMs, failure };
  }

  /** The process may also end while no invocation runs. */
  #die() {
    this.alive = false;
  }

  #reportInit({ durationMs, failure }: InitOutcome, phase: 'init' | 'invoke') {
    if (failure === undefined) return;
    const lines =
      failure === 'timeout'
        ? this.#lines.initReport(durationMs, phase, 'timeout')
        : this.#lines.initReport(durationMs, phase, 'error', failure.errorType);
    this.#log.write(lines);
  }

  /** Ends an invocation that cannot go on, and this instance with it. */
  async #abort(
    { requestId }: Invocation,
    failure: Failure | 'timeout',
    measured: { durationMs: number; initDurationMs?: number | undefined },
    respond: (response: FunctionResponse) => void,
  ): Promise<Buffer> {
    const timeoutSeconds = this.version.settings.TimeoutSeconds;
    const timedOut = failure === 'timeout';
    this.#measureMemory();
    const metrics = timedOut
      ? { ...measured, durationMs: timeoutSeconds * 1_000, status: 'timeout' as const }
      : { ...measured, status: 'crash' as const, errorType: failure.errorType };
    const tail = this.#report(requestId, metrics);
    const error = timedOut
      ? { errorType: 'Sandbox.Timedout', message: `Task timed out after ${timeoutSeconds.toFixed(2)} seconds` }
      : failure;
    const body = { errorType: error.errorType, errorMessage: `RequestId: ${requestId} Error: ${error.message}` };
    const payload = (timedOut ? undefined : failure.posted) ?? Buffer.from(JSON.stringify(body));
    const stopped = this.stop(timedOut ? 'timeout' : 'failure');
    respond({ payload, functionError: true });
    await stopped;
    return tail;
  }

  #report(requestId: string, measured: Omit<InvocationMetrics, 'memorySizeMB' | 'maxMemoryUsedMB'>): Buffer {
    this.#measureMemory();
    const memorySizeMB = this.version.settings.MemorySize;
    const metrics: InvocationMetrics = { ...measured, memorySizeMB, maxMemoryUsedMB: this.#maxMemoryMB };
    this.#log.write(this.#lines.end(requestId, metrics) + this.#lines.report(requestId, metrics));
    return this.#log.takeTail();
  }

  #measureMemory() {
    this.#maxMemoryMB = Math.max(this.#maxMemoryMB, this.#sandbox?.memoryMB() ?? 0);
  }

  #freeze() {
    if (!this.#options.freeze) return;
    this.#sandbox?.freeze();
    this.frozen = true;
  }

  #thaw() {
    if (!this.frozen) return;
    this.#sandbox?.thaw();
    this.frozen = false;
  }
}
