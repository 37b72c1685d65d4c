import { weighProfile } from '../../src/pprof/weigh.ts';
import { processCpuMs } from '../../test/go/cloud.ts';
import type { Bench, Language } from './functions.ts';
import type { Quota } from './quota.ts';

/** How much is measured: enough for the numbers, or for a look. */
export interface Size {
  /** CPU to capture, in ms. */
  capturedMs: number;
  pairs: number;
  calls: number;
  starts: number;
  runs: number;
  /** CPU for the attribution, in ms of each of two instances: the error of a share of 60 % is 50 / sqrt(samples) points. */
  attributionMs: Record<Language, number>;
}

export const FULL: Size = {
  ...{ capturedMs: 10_000, pairs: 60, calls: 1000, starts: 20, runs: 6 },
  attributionMs: { node: 6_000, go: 15_000 },
};
export const SHORT: Size = {
  ...{ capturedMs: 2_000, pairs: 15, calls: 300, starts: 12, runs: 4 },
  attributionMs: { node: 2_500, go: 8_000 },
};

/** The sample's standing order. */
const ORDER = { customer: 'octo', country: 'DE' };
/** Some 100 ms of CPU of the function that splits its work. */
const SPLIT = { units: 30 };
/** The same, so many times in one call that what a call costs by itself does not matter: some 30 ms of CPU. */
const BATCH: Record<Language, object> = { node: { ...ORDER, orders: 8 }, go: ORDER };
/** Until compilers are done with the sample function. */
const WARMUP = 40;
/** Until they are done with the one that splits its work: as long as one function still waits, it gets too large a share. */
const SPLIT_WARMUP = 20;

const median = (values: number[]): number => quantile(values, 0.5);

function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export interface Captured {
  /** CPU in the profile of a run over all the process used from its first invocation to its last. */
  ofRun: number;
  /** CPU in the profile that is not labelled as outside of invocations, over getrusage inside them; Go has no labels. */
  inside?: number;
}

/** How much of the CPU is in the profile, in a run that is frozen between its invocations. */
export async function capturedCpu(bench: Bench, language: Language, size: Size, quota?: Quota): Promise<Captured> {
  const fn = await bench.deploy(language, 'orders', true);
  for (let i = 0; i < WARMUP; i++) await fn.invoke(ORDER, 'warmup');
  quota?.add(fn.pid());
  // Opens the window of the run: what the agent does for that is its own, and once in a run.
  await fn.invoke(ORDER);
  const from = processCpuMs(fn.pid());
  let usedMs = 0;
  let calls = 1;
  while (usedMs < size.capturedMs) {
    await fn.invoke(ORDER);
    usedMs = processCpuMs(fn.pid()) - from;
    calls++;
  }
  const { reply, cpu } = await fn.flush();
  const { groups, totals } = weighProfile(cpu, 'cpu', 'lambda-profile.phase');
  const capturedMs = totals.reduce((sum, nanos) => sum + nanos, 0) / 1e6;
  // The first call is in the profile, and not in what was used.
  const ofRun = (capturedMs * (calls - 1)) / calls / usedMs;
  return language === 'go' ? { ofRun } : { ofRun, inside: totals[groups.indexOf('')]! / 1e6 / reply.cpuMs };
}

/**
 * CPU of the process with the agent over that without, less 1: the median over pairs of invocations that follow each
 * other, of three processes on each side, because compilers decide anew in each.
 */
export async function cpuOverhead(bench: Bench, language: Language, size: Size): Promise<number> {
  const ratios: number[] = [];
  for (let process = 0; process < 3; process++) {
    const sides = [await bench.deploy(language, 'orders', false), await bench.deploy(language, 'orders', true)];
    const used = [0, 0];
    const last = [0, 0];
    for (let i = -WARMUP; i < size.pairs; i++) {
      for (const side of i % 2 === 0 ? [0, 1] : [1, 0]) {
        await sides[side]!.invoke(BATCH[language], i < 0 ? 'warmup' : 'invoke');
        const cpuMs = processCpuMs(sides[side]!.pid());
        used[side] = cpuMs - last[side]!;
        last[side] = cpuMs;
      }
      if (i > 0) ratios.push(used[1]! / used[0]!);
    }
  }
  return median(ratios) - 1;
}

export interface Latency {
  p50AddedMs: number;
  p99AddedMs: number;
  /** How far two series without the agent are apart at p99. */
  p99NoiseMs: number;
}

/** How much longer ordinary calls take of a function that does next to nothing, as its caller sees it. */
export async function latencyAdded(bench: Bench, language: Language, size: Size): Promise<Latency> {
  const sides = [
    await bench.deploy(language, 'split', false),
    await bench.deploy(language, 'split', false),
    await bench.deploy(language, 'split', true),
  ];
  const took: number[][] = [[], [], []];
  for (let i = -WARMUP; i < size.calls; i++)
    for (let k = 0; k < 3; k++) {
      const side = (i + WARMUP + k) % 3;
      const { latencyMs } = await sides[side]!.invoke({}, i < 0 ? 'warmup' : 'invoke');
      // The first call of the run opens its window; every other is an ordinary one.
      if (i > 0) took[side]!.push(latencyMs);
    }
  const p50 = took.map(median);
  const p99 = took.map((values) => quantile(values, 0.99));
  return {
    p50AddedMs: p50[2]! - (p50[0]! + p50[1]!) / 2,
    p99AddedMs: p99[2]! - (p99[0]! + p99[1]!) / 2,
    p99NoiseMs: Math.abs(p99[0]! - p99[1]!),
  };
}

/** What the init of an instance takes longer. At full speed: the fastest of several, for others share this machine. */
export async function coldStartAdded(bench: Bench, language: Language, size: Size): Promise<number> {
  const fastest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < size.starts; i++)
    for (const side of [0, 1]) {
      const { report } = await (await bench.deploy(language, 'orders', side === 1)).invoke(ORDER, 'warmup');
      fastest[side] = Math.min(fastest[side]!, report.initDurationMs!);
    }
  return fastest[1]! - fastest[0]!;
}

/** Coefficient of variation, from run to run, of the bytes allocated per invocation. */
export async function allocationVariation(bench: Bench, language: Language, size: Size): Promise<number> {
  const perInvocation: number[] = [];
  for (let run = 0; run < size.runs; run++) {
    const fn = await bench.deploy(language, 'orders', true);
    for (let i = 0; i < WARMUP; i++) await fn.invoke(ORDER, 'warmup');
    for (let i = 0; i < 40; i++) await fn.invoke(ORDER);
    const { reply, allocatedBytes } = await fn.flush();
    perInvocation.push(allocatedBytes / reply.invocations);
  }
  const mean = perInvocation.reduce((a, b) => a + b, 0) / perInvocation.length;
  const variance = perInvocation.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (perInvocation.length - 1);
  return Math.sqrt(variance) / mean;
}

export interface Attribution {
  /** The largest error, in points, of the shares of three functions that do 6 : 3 : 1 of a handler's work. */
  points: number;
  /** By which chance moves the largest share, in 95 of 100 cases. */
  chance: number;
}

/** Two instances at once: one for each core of a small machine. */
export async function attributionError(bench: Bench, language: Language, size: Size): Promise<Attribution> {
  const spent = { handler: 0, priceItems: 0, checkStock: 0, writeAudit: 0 };
  let samples = 0;
  const measureOne = async (): Promise<void> => {
    const fn = await bench.deploy(language, 'split', true);
    for (let i = 0; i < SPLIT_WARMUP; i++) await fn.invoke(SPLIT, 'warmup');
    const from = processCpuMs(fn.pid());
    while (processCpuMs(fn.pid()) - from < size.attributionMs[language]) await fn.invoke(SPLIT);
    const { cpu } = await fn.flush();
    samples += weighProfile(cpu, 'samples').totals.reduce((sum, count) => sum + count, 0);
    const { names, total } = weighProfile(cpu, 'cpu');
    for (const name of Object.keys(spent) as (keyof typeof spent)[]) {
      const called = name === 'handler' && language === 'go' ? 'split' : name;
      for (const [i, known] of names.entries())
        if (known === called || known === `main.${called}`) spent[name] += total[0]![i]!;
    }
  };
  await Promise.all([measureOne(), measureOne()]);
  const shares = { priceItems: 0.6, checkStock: 0.3, writeAudit: 0.1 } as const;
  const errors = (Object.keys(shares) as (keyof typeof shares)[]).map((name) =>
    Math.abs(spent[name] / spent.handler - shares[name]),
  );
  return { points: Math.max(...errors) * 100, chance: 1.96 * Math.sqrt((0.6 * 0.4) / samples) * 100 };
}
