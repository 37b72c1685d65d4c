import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EnvironmentIdentity, functionProcessEnvironment, runtimeCommand } from './environment.ts';
import { type ProcessGroup, residentMemoryMB, startProcess } from './processes.ts';
import { type InvokeEvent, type Posted, RuntimeApi, type ShutdownReason } from './runtime-api.ts';

/** Limits of the shutdown phase in milliseconds: with external extensions the runtime gets 300 of 2,000. */
const SHUTDOWN_MS = { internal: 500, runtime: 300, total: 2_000 } as const;

/** A run of a function's processes that cannot go on. */
export interface Failure {
  readonly errorType: string;
  /** The error the runtime itself posted, if it did. */
  readonly posted?: Buffer;
  /** What the platform says, without the request id. */
  readonly message: string;
}

const delay = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });

/** The processes of one execution environment: the runtime, the external extensions, and the API they talk to. */
export class Sandbox {
  readonly #api: RuntimeApi;
  readonly #runtime: ProcessGroup;
  readonly #externals: readonly ProcessGroup[];
  /** Resolves when the runtime or an extension ends or gives up. */
  readonly failed: Promise<Failure>;

  private constructor(api: RuntimeApi, runtime: ProcessGroup, externals: readonly ProcessGroup[]) {
    this.#api = api;
    this.#runtime = runtime;
    this.#externals = externals;
    this.failed = Promise.race([
      api.initError.then(({ body, errorType }) => ({ errorType: errorType!, posted: body, message: '' })),
      runtime.exited.then(({ reason, neverStarted }) => ({
        errorType: neverStarted ? 'Runtime.InvalidEntrypoint' : 'Runtime.ExitError',
        message: reason,
      })),
      ...externals.map(async (external) => {
        const { reason } = await external.exited;
        return { errorType: 'Extension.Crash', message: reason.replace(/^Runtime/, 'Extension') };
      }),
    ]);
  }

  /** Starts the processes; their outputs go to the file descriptor `output`. */
  static async start(identity: EnvironmentIdentity, output: number): Promise<Sandbox> {
    const { version, directories } = identity;
    const names = externalExtensions(directories.opt);
    const metadata = {
      functionName: version.functionName,
      functionVersion: version.version,
      handler: version.settings.Handler,
    };
    const api = await RuntimeApi.listen(metadata, names);
    const env = functionProcessEnvironment(identity, api.address);
    const { _HANDLER, ...extensionEnv } = env;
    const externals = names.map((name) => {
      const file = join(directories.opt, 'extensions', name);
      return startProcess({ file, args: [] }, directories.task, extensionEnv, output);
    });
    const runtime = startProcess(runtimeCommand(version, directories, env), directories.task, env, output);
    return new Sandbox(api, runtime, externals);
  }

  get pid(): number | undefined {
    return this.#runtime.pid;
  }

  /** Resolves when the runtime and all extensions wait for their next event. */
  get ready(): Promise<void> {
    return this.#api.ready;
  }

  deliver(event: InvokeEvent): Promise<Posted> {
    return this.#api.deliver(event);
  }

  /** Stops all processes where they are. */
  freeze(): void {
    for (const group of this.#groups()) group.signal('SIGSTOP');
  }

  thaw(): void {
    for (const group of this.#groups()) group.signal('SIGCONT');
  }

  memoryMB(): number | undefined {
    return this.pid === undefined ? undefined : residentMemoryMB(this.pid);
  }

  /**
   * Ends all processes and waits until they have ended. Only a function with an extension gets SIGTERM and time; only
   * external extensions get a SHUTDOWN event; everything else is killed at once, as on Lambda.
   */
  async stop(reason: ShutdownReason): Promise<void> {
    const { internal, external } = this.#api.extensions;
    const exits = this.#groups().map((group) => group.exited);
    if (internal || external) {
      this.thaw();
      if (reason === 'spindown') {
        this.#runtime.signal('SIGTERM');
        await Promise.race([this.#runtime.exited, delay(external ? SHUTDOWN_MS.runtime : SHUTDOWN_MS.internal)]);
      }
      this.#runtime.signal('SIGKILL');
      if (external) {
        this.#api.shutdown(reason, Date.now() + SHUTDOWN_MS.total - SHUTDOWN_MS.runtime);
        await Promise.race([Promise.all(exits), delay(SHUTDOWN_MS.total - SHUTDOWN_MS.runtime)]);
      }
    }
    for (const group of this.#groups()) group.signal('SIGKILL');
    await Promise.all(exits);
    this.#api.close();
  }

  #groups(): ProcessGroup[] {
    return [this.#runtime, ...this.#externals];
  }
}

/** Names of the executables in `/opt/extensions`. */
function externalExtensions(opt: string): string[] {
  const directory = join(opt, 'extensions');
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.filter((name) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
