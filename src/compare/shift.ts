/**
 * Cost that moved instead of growing: a split, an extracted helper, a rename that was not recognised. A function that
 * uses more is excused when it and the functions around it that use less cost together what they cost before.
 * The idea of cost domains is FBDetect's (Meta, SOSP 2024).
 */
import { moderate, pearson } from './calibration.ts';
import { studentQuantile } from './distributions.ts';
import type { FunctionTest } from './functions.ts';
import type { Unit } from './units.ts';

export interface ShiftInput {
  units: readonly Unit[];
  /** Samples, `[instance][unit]`. */
  counts: readonly Float64Array[];
  isHead: readonly boolean[];
  test: FunctionTest;
  /** Units that use more, as indices. */
  slower: readonly number[];
  isTouched(file: string): boolean;
}

export interface Shift {
  /** The unit that is not slower after all. */
  unit: number;
  /** The units its cost came from, largest fall first. */
  from: number[];
}

/** A domain that grew by this ratio or more did not merely move. */
const largestGrowth = 0.1;

/**
 * Standard errors below zero from which a function counts as fallen. Among many neighbours some fall by two of them by
 * chance, and each would make the domain look cheaper than it is.
 */
const clearFall = -3;

/** Chance that a domain which kept at least half of the increase is excused. */
const excuseAlpha = 0.05;

/** Finds the units of `slower` whose cost came from elsewhere. */
export function findShifts(input: ShiftInput): Shift[] {
  const { units, counts, isHead, test, slower, isTouched } = input;
  if (slower.length === 0) return [];
  const exposure = counts.map((row) => row.reduce((sum, value) => sum + value, 0));
  const estimate = (members: readonly number[]) => estimateDomain(members, counts, exposure, isHead, test);
  // All units, tested or not: a confirmation tests only what was flagged.
  const fallen = Array.from(units.keys()).filter((unit) => {
    const { kind } = units[unit]!;
    return (kind === 'own' || kind === 'library') && estimate([unit]).z < clearFall;
  });
  const shifts: Shift[] = [];
  for (const unit of slower) {
    const increase = estimate([unit]).increase;
    for (const near of [isCallRelated, inSameFile, inTouchedFiles(isTouched)]) {
      const from = fallen.filter((other) => near(units[unit]!, units[other]!));
      if (from.length === 0) continue;
      // One fall must not excuse two rises: whatever else rose around the fallen functions belongs to the domain.
      const risen = slower.filter((other) => from.some((fell) => near(units[other]!, units[fell]!)));
      const domain = estimate([...new Set([unit, ...risen, ...from])]);
      if (domain.ratio < 1 + largestGrowth && domain.increaseHigh < increase / 2) {
        const fall = new Map(from.map((other) => [other, estimate([other]).increase]));
        shifts.push({ unit, from: from.sort((a, b) => fall.get(a)! - fall.get(b)! || a - b) });
        break;
      }
    }
  }
  return shifts;
}

function isCallRelated(a: Unit, b: Unit): boolean {
  if (a.neighbours.has(b.key) || b.neighbours.has(a.key)) return true;
  for (const caller of a.callers.keys()) if (b.callers.has(caller)) return true;
  return false;
}

function inSameFile(a: Unit, b: Unit): boolean {
  return isCallRelated(a, b) || (a.file !== '' && a.file === b.file);
}

function inTouchedFiles(isTouched: (file: string) => boolean) {
  return (a: Unit, b: Unit): boolean => inSameFile(a, b) || (isTouched(a.file) && isTouched(b.file));
}

/**
 * Calibrated change of the sum of some units: ratio, its logarithm in standard errors, absolute increase as a share of
 * the CPU and its upper bound.
 */
function estimateDomain(
  members: readonly number[],
  counts: readonly Float64Array[],
  exposure: readonly number[],
  isHead: readonly boolean[],
  test: FunctionTest,
): { ratio: number; z: number; increase: number; increaseHigh: number } {
  const side = (head: boolean) => {
    let [c, q, o] = [0, 0, 0];
    counts.forEach((row, i) => {
      if (isHead[i] !== head) return;
      const samples = members.reduce((sum, member) => sum + row[member]!, 0);
      c += samples;
      q += samples ** 2 / exposure[i]!;
      o += exposure[i]!;
    });
    return { c, q, o };
  };
  const base = side(false);
  const head = side(true);
  const instances = counts.length;
  const sum = pearson(head.c, base.c, head.q, base.q, head.o, base.o);
  const dispersion = moderate(sum, instances - 2, test.tauSquared, (head.c + base.c) / instances);
  const baseRate = (base.c + 0.5) / base.o;
  const headRate = ((head.c + 0.5) / head.o) * Math.exp(-test.centre);
  const error = Math.sqrt(dispersion * (headRate ** 2 / (head.c + 0.5) + baseRate ** 2 / (base.c + 0.5)));
  const increase = headRate - baseRate;
  return {
    ratio: headRate / baseRate,
    z: Math.log(headRate / baseRate) / Math.sqrt(dispersion * (1 / (head.c + 0.5) + 1 / (base.c + 0.5))),
    increase,
    increaseHigh: increase + studentQuantile(1 - excuseAlpha, test.df) * error,
  };
}
