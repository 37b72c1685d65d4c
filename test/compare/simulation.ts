import type { Side } from '../../src/compare/side.ts';
import type { Owner } from '../../src/pprof/owners.ts';
import { seededRandom } from '../../src/seeded-random.ts';

export interface Simulation {
  seed: string;
  instances: number;
  functions: number;
  /** Expected samples of one instance at speed 1. */
  samples: number;
  /** Standard deviation of the log speed of instances. */
  instanceSd?: number;
  /** Standard deviation of the log cost of one function on one instance. */
  functionSd?: number;
  /** Factor of a function's cost by index. */
  factor?: (index: number) => number;
  /** Name of a function by index. */
  name?: (index: number) => string;
  file?: (index: number) => string;
  prefix?: string;
}

const periodNanos = 1e7;
const invocations = 50;

/** One side whose functions have Zipf shares, on instances that differ in speed, sampled at 100 Hz. */
export function simulateSide(simulation: Simulation): Side {
  const { seed, instances, functions, samples, instanceSd = 0.1, functionSd = 0.05 } = simulation;
  const { factor = () => 1, name = (i: number) => `fn${i}`, file = () => 'src/app.ts', prefix = 'i' } = simulation;
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const harmonic = Array.from({ length: functions }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b, 0);
  const ids = Array.from({ length: instances }, (_, i) => `${prefix}-${i}`);
  const rows = ids.map(() => {
    const speed = Math.exp(instanceSd * normal());
    return Float64Array.from({ length: functions }, (_, i) => {
      const mean = (samples / harmonic / (i + 1)) * factor(i) * speed * Math.exp(functionSd * normal());
      return poisson(mean, random, normal);
    });
  });
  const owners = Array.from(
    { length: functions },
    (_, i): Owner => ({
      key: name(i),
      display: name(i),
      kind: 'own',
      file: file(i),
      line: i + 1,
      callers: new Map([['handler', 1]]),
      callees: new Map(),
    }),
  );
  const cpuMs = rows.map((row) => (row.reduce((a, b) => a + b, 0) * periodNanos) / 1e6);
  return {
    weights: {
      groups: ids,
      owners,
      samples: rows,
      counts: rows.map((row) => row.map((count) => count * periodNanos)),
      agentValue: new Float64Array(instances),
    },
    instances: ids.map((id, i) => ({
      id,
      invocations,
      errors: 0,
      cpuMs: cpuMs[i]!,
      activeMs: cpuMs[i]!,
      durationP50Ms: cpuMs[i]! / invocations,
      allocatedBytes: 1e6 * invocations * Math.exp(0.01 * normal()),
    })),
  };
}

/** A Poisson variable: by multiplication when small, rounded normal when large. */
function poisson(mean: number, random: () => number, normal: () => number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Defaults of the screen. */
export const screen = { seed: 'base..head', alpha: 0.05, minRegression: 0.05 };
