import { LambdaApiError } from './errors.ts';
import type { FunctionVersion } from './functions.ts';
import type { FunctionResponse, Instance, Invocation } from './instance.ts';

/** The instances of one version. */
interface Pool {
  /** Warm instances; the last one was used most recently. */
  readonly idle: Instance[];
  /** Instances whose caller has its response, and that nobody has claimed for their next invocation. */
  readonly finishing: Instance[];
  /** Instances that an invocation waits for. */
  readonly claimed: Set<Instance>;
  /** When the present invocation of an instance is over. */
  readonly over: Map<Instance, Promise<unknown>>;
  retired: boolean;
}

/** An invocation that was started: its response, and the end of its log once it is over. */
export interface StartedInvocation {
  readonly response: Promise<FunctionResponse>;
  readonly tail: Promise<Buffer>;
}

/** Concurrency limits that hold at the moment of an invocation. */
export interface ConcurrencyLimits {
  /** Reserved for this function, or undefined. */
  readonly reserved: number | undefined;
  /** What all functions without a reservation share. */
  readonly unreserved: number;
}

/** Gives each invocation an instance of its own: a warm one when there is one, otherwise a new one. */
export class Scheduler {
  readonly #pools = new Map<FunctionVersion, Pool>();
  readonly #instances = new Set<Instance>();
  readonly #stopping = new Set<Promise<void>>();
  /** Invocations without a response yet, by function; `reserved` ones do not count for the others. */
  readonly #inFlight = new Map<string, { count: number; reserved: boolean }>();
  readonly #waiting: (() => void)[] = [];
  readonly #create: (version: FunctionVersion) => Instance;
  #closed = false;

  constructor(create: (version: FunctionVersion) => Instance) {
    this.#create = create;
  }

  /** Instances that have not ended. */
  get instances(): Instance[] {
    return [...this.#instances].filter((instance) => instance.alive && instance.pid !== undefined);
  }

  /**
   * Starts an invocation.
   * @throws LambdaApiError 429 when no more concurrent invocations are allowed
   */
  invoke(version: FunctionVersion, invocation: Invocation, limits: ConcurrencyLimits): StartedInvocation {
    this.#take(version.functionName, limits);
    const response = Promise.withResolvers<FunctionResponse>();
    let held = true;
    const release = () => {
      if (held) this.#release(version.functionName);
      held = false;
    };
    const tail = this.#run(version, invocation, (outcome) => {
      release();
      response.resolve(outcome);
    });
    tail.catch((error) => {
      release();
      response.reject(error);
    });
    return { response: response.promise, tail };
  }

  /** Resolves when the concurrency has become less than it is now: what a queued event waits for. */
  nextRelease(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends the instances of a version that is not invoked any more; busy ones first finish what they do. */
  retire(version: FunctionVersion): void {
    const pool = this.#pools.get(version);
    if (pool === undefined) return;
    pool.retired = true;
    this.#pools.delete(version);
    for (const instance of pool.idle.splice(0)) this.#stop(instance);
  }

  /** Ends all instances, also busy ones, and waits for the end of their processes. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const instance of this.#instances) this.#stop(instance);
    await Promise.all(this.#stopping);
  }

  async #run(
    version: FunctionVersion,
    invocation: Invocation,
    respond: (response: FunctionResponse) => void,
  ): Promise<Buffer> {
    const pool = this.#pool(version);
    const instance = await this.#acquire(pool, version);
    const tail = instance.invoke(invocation, (response) => {
      if (instance.alive) pool.finishing.push(instance);
      respond(response);
    });
    const over = tail.then(
      () => this.#settle(pool, instance),
      () => this.#settle(pool, instance),
    );
    pool.over.set(instance, over);
    await over;
    return tail;
  }

  /**
   * An instance for one invocation: the one used most recently. That may be one that has answered its caller but is not
   * yet back for more; it is waited for, because on Lambda, too, what runs after the response delays only the next
   * invocation of that instance. So a caller that sends one invocation after the other always meets the same instance.
   */
  async #acquire(pool: Pool, version: FunctionVersion): Promise<Instance> {
    const finishing = pool.finishing.pop();
    if (finishing !== undefined) {
      pool.claimed.add(finishing);
      await pool.over.get(finishing);
      return finishing.alive ? finishing : this.#acquire(pool, version);
    }
    const warm = pool.idle.pop();
    if (warm?.alive) return warm;
    if (warm !== undefined) {
      this.#stop(warm); // It ended by itself in the meantime.
      return this.#acquire(pool, version);
    }
    if (this.#closed) throw new LambdaApiError(500, 'ServiceException', 'The server is closed.');
    const instance = this.#create(version);
    this.#instances.add(instance);
    return instance;
  }

  /** After an invocation: back to the idle ones, unless somebody waits for this instance or it has ended. */
  #settle(pool: Pool, instance: Instance) {
    pool.over.delete(instance);
    const position = pool.finishing.indexOf(instance);
    if (position >= 0) pool.finishing.splice(position, 1);
    const claimed = pool.claimed.delete(instance);
    if (!instance.alive) this.#instances.delete(instance);
    else if (claimed) return;
    else if (pool.retired) this.#stop(instance);
    else pool.idle.push(instance);
  }

  #stop(instance: Instance) {
    const stopped = instance.stop('spindown').finally(() => {
      this.#instances.delete(instance);
      this.#stopping.delete(stopped);
    });
    this.#stopping.add(stopped);
  }

  #pool(version: FunctionVersion): Pool {
    const known = this.#pools.get(version);
    if (known !== undefined) return known;
    const pool: Pool = { idle: [], finishing: [], claimed: new Set(), over: new Map(), retired: false };
    this.#pools.set(version, pool);
    return pool;
  }

  #take(functionName: string, { reserved, unreserved }: ConcurrencyLimits) {
    const own = this.#inFlight.get(functionName)?.count ?? 0;
    let shared = 0;
    for (const flights of this.#inFlight.values()) if (!flights.reserved) shared += flights.count;
    const exceeded = reserved === undefined ? shared >= unreserved : own >= reserved;
    if (exceeded) {
      throw new LambdaApiError(429, 'TooManyRequestsException', 'Rate Exceeded.', {
        Reason:
          reserved === undefined
            ? 'ConcurrentInvocationLimitExceeded'
            : 'ReservedFunctionConcurrentInvocationLimitExceeded',
      });
    }
    this.#inFlight.set(functionName, { count: own + 1, reserved: reserved !== undefined });
  }

  #release(functionName: string) {
    const flights = this.#inFlight.get(functionName);
    if (flights !== undefined) flights.count--;
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
