/**
 * Two measured sides of an invented handler, with the noise that was seen on Lambda: instances of different speed,
 * functions that scatter between instances and between snapshots, slower machine types, drift between two runs.
 */
import type { Side } from '../../src/compare/side.ts';
import type { Owner } from '../../src/pprof/owners.ts';

export interface Scenario {
  /** Instances a side, and snapshots of each. */
  instances: number;
  snapshots: number;
  /** Coefficient of variation of the speed of instances. */
  speedCv?: number;
  /** 30 % of the instances are of a type that is 1.2 times slower, unevenly across functions (8 %). */
  heterogeneous?: boolean;
  /** Standard deviations of the change between two runs: of everything together, and of every function. */
  drift?: { common: number; perFunction: number };
  /** What the change under test does to the cost of a function. */
  factor?: (index: number) => number;
  /** What functions are called on the head side. */
  headName?: (index: number) => string;
}

/** One run: both sides, and durations of invocations for the peers that compare those. */
export interface Draw {
  side: Side;
  /** `[instance][invocation]`, milliseconds. */
  durations: number[][];
}

export const functionCount = 60;
const samplesPerSnapshot = 500;
const invocationsPerSnapshot = 50;
const periodNanos = 1e7;
const weights = Array.from({ length: functionCount }, (_, i) => 1 / (i + 1));
const weightSum = weights.reduce((a, b) => a + b, 0);
/** Zipf: 21 % for the first function, 5.3 % for the fourth, 1.1 % for the twentieth. */
export const shares = weights.map((weight) => weight / weightSum);

export interface Random {
  uniform(): number;
  normal(): number;
}

export function randomFrom(uniform: () => number): Random {
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** Base and head of one run. `drifted` tells whether the baseline was stored at another time. */
export function drawSides(scenario: Scenario, random: Random, drifted: boolean): { base: Draw; head: Draw } {
  const { drift = { common: 0, perFunction: 0 }, factor = () => 1, headName = nameOf } = scenario;
  const slowType = shares.map(() => 1.2 * Math.exp(0.08 * random.normal()));
  const common = drifted ? drift.common * random.normal() : 0;
  const drifts = shares.map(() => Math.exp(common + (drifted ? drift.perFunction * random.normal() : 0)));
  const base = shares.slice();
  const head = shares.map((share, i) => share * drifts[i]! * factor(i));
  return {
    base: drawSide(scenario, random, slowType, base, nameOf, 'base'),
    head: drawSide(scenario, random, slowType, head, headName, 'head'),
  };
}

function drawSide(
  { instances, snapshots, speedCv = 0.1, heterogeneous = false }: Scenario,
  random: Random,
  slowType: readonly number[],
  costs: readonly number[],
  name: (index: number) => string,
  prefix: string,
): Draw {
  const { uniform, normal } = random;
  const counts: Float64Array[] = [];
  const durations: number[][] = [];
  const invocations: number[] = [];
  const handlerCost = costs.reduce((a, b) => a + b, 0);
  for (let i = 0; i < instances; i++) {
    const slow = heterogeneous && uniform() < 0.3;
    const speed = Math.exp(speedCv * normal());
    const onInstance = costs.map((cost, f) => cost * speed * (slow ? slowType[f]! : 1) * Math.exp(0.04 * normal()));
    const row = new Float64Array(functionCount);
    let invoked = 0;
    for (let s = 0; s < snapshots; s++) {
      const load = 0.6 + 0.8 * uniform();
      const snapshot = Math.exp(0.03 * normal());
      invoked += Math.round(invocationsPerSnapshot * load);
      for (let f = 0; f < functionCount; f++)
        row[f]! += poisson(samplesPerSnapshot * load * snapshot * onInstance[f]! * Math.exp(0.05 * normal()), random);
    }
    counts.push(row);
    invocations.push(invoked);
    const typical = 100 * handlerCost * speed * (slow ? 1.2 : 1);
    durations.push(
      Array.from({ length: 25 }, () => typical * Math.exp(0.2 * normal()) * (uniform() < 0.02 ? 1 + 4 * uniform() : 1)),
    );
  }
  const ids = counts.map((_, i) => `${prefix}-${String(i).padStart(2, '0')}`);
  return { side: toSide(ids, counts, invocations, durations, name), durations };
}

function toSide(
  ids: string[],
  counts: Float64Array[],
  invocations: readonly number[],
  durations: readonly number[][],
  name: (index: number) => string,
): Side {
  const nanos = counts.map((row) => row.map((count) => count * periodNanos));
  return {
    weights: {
      groups: ids,
      owners: shares.map(
        (_, f): Owner => ({
          key: name(f),
          display: name(f),
          kind: 'own',
          file: '',
          line: 0,
          // All functions are neighbours: the least favourable case for telling a move from a regression.
          callers: new Map([['handler', 1]]),
          callees: new Map(),
        }),
      ),
      counts: nanos,
      samples: counts,
      agentValue: new Float64Array(ids.length),
    },
    instances: ids.map((id, i) => {
      const cpuMs = nanos[i]!.reduce((a, b) => a + b, 0) / 1e6;
      const durationP50Ms = durations[i]!.toSorted((a, b) => a - b)[12]!;
      return {
        id,
        invocations: invocations[i]!,
        errors: 0,
        cpuMs,
        activeMs: cpuMs,
        durationP50Ms,
        allocatedBytes: null,
      };
    }),
  };
}

function nameOf(index: number): string {
  return `function${index}`;
}

/** A Poisson variable: by multiplication when small, a rounded normal variable when large. */
function poisson(mean: number, { uniform, normal }: Random): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(); product > limit; product *= uniform()) count++;
  return count;
}
