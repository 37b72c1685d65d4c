/** Rules that others use to compare two profiles or two benchmarks. Each says which functions it would name slower. */
import { normalUpperTail } from '../../src/compare/distributions.ts';
import type { Draw, Random } from './simulation.ts';

/** Merge all instances, name every function of at least 1 % whose share grew by more than 10 %. */
export function mergedPercent(base: Draw, head: Draw): number[] {
  const [b, h] = [sumColumns(base), sumColumns(head)];
  const [bTotal, hTotal] = [sum(b), sum(h)];
  return indices(b).filter((f) => b[f]! / bTotal >= 0.01 && h[f]! / hTotal > (1.1 * b[f]!) / bTotal);
}

/** Merge all instances, test samples per invocation as Poisson, Benjamini-Hochberg at 5 %. */
export function poissonBenjaminiHochberg(base: Draw, head: Draw): number[] {
  const [b, h] = [sumColumns(base), sumColumns(head)];
  const [bCalls, hCalls] = [invocationsOf(base), invocationsOf(head)];
  const p = indices(b).map((f) => {
    const [y, x] = [h[f]! + 0.5, b[f]! + 0.5];
    return normalUpperTail(Math.log(y / hCalls / (x / bCalls)) / Math.sqrt(1 / y + 1 / x));
  });
  const order = indices(p).sort((i, j) => p[i]! - p[j]!);
  let last = -1;
  order.forEach((f, rank) => {
    if (p[f]! <= (0.05 * (rank + 1)) / order.length) last = rank;
  });
  return order.slice(0, last + 1);
}

/** Resample instances 200 times, name every function whose 95 % interval of the ratio per invocation lies above 1. */
export function bootstrap(base: Draw, head: Draw, random: Random): number[] {
  const resamples = 200;
  const ratios = indices(base.side.weights!.owners).map(() => new Float64Array(resamples));
  for (let r = 0; r < resamples; r++) {
    const [b, h] = [resample(base, random), resample(head, random)];
    for (let f = 0; f < ratios.length; f++)
      ratios[f]![r] = (h.counts[f]! + 0.5) / h.calls / ((b.counts[f]! + 0.5) / b.calls);
  }
  return indices(ratios).filter((f) => ratios[f]!.sort()[Math.floor(0.025 * resamples)]! > 1);
}

/** Mann-Whitney over the durations of all invocations, one-sided at 5 %, as benchmark tools do. Names the handler, 0. */
export function mannWhitney(base: Draw, head: Draw): number[] {
  const b = base.durations.flat();
  const h = head.durations.flat();
  const ranked = [...b.map((ms) => ({ ms, head: 0 })), ...h.map((ms) => ({ ms, head: 1 }))].sort((x, y) => x.ms - y.ms);
  let rankSum = 0;
  ranked.forEach((each, i) => {
    rankSum += each.head * (i + 1);
  });
  const u = rankSum - (h.length * (h.length + 1)) / 2;
  const mean = (b.length * h.length) / 2;
  const deviation = Math.sqrt((mean * (b.length + h.length + 1)) / 6);
  return normalUpperTail((u - mean) / deviation) <= 0.05 ? [0] : [];
}

function resample(draw: Draw, random: Random): { counts: Float64Array; calls: number } {
  const rows = draw.side.weights!.samples;
  const counts = new Float64Array(rows[0]!.length);
  let calls = 0;
  for (let i = 0; i < rows.length; i++) {
    const pick = Math.floor(random.uniform() * rows.length);
    calls += draw.side.instances[pick]!.invocations;
    for (let f = 0; f < counts.length; f++) counts[f]! += rows[pick]![f]!;
  }
  return { counts, calls };
}

function sumColumns(draw: Draw): number[] {
  return indices(draw.side.weights!.owners).map((f) =>
    draw.side.weights!.samples.reduce((total, row) => total + row[f]!, 0),
  );
}

function invocationsOf(draw: Draw): number {
  return sum(draw.side.instances.map(({ invocations }) => invocations));
}

function indices(values: { length: number }): number[] {
  return Array.from({ length: values.length }, (_, i) => i);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
