/**
 * Counts of values by size: quantiles of any number of values within 0.1 %, in bounded memory, and the same whichever
 * way parts are merged. Buckets grow geometrically, as in DDSketch (Masson, Rim, Lee: VLDB 2019).
 */
export interface QuantileSketch {
  count: number;
  /** In millionths, as a whole number: sums of whole numbers do not depend on their order. */
  sumMicros: number;
  min: number;
  max: number;
  /** Bucket number -> values in it. Bucket b holds values in (GROWTH^(b-1), GROWTH^b]. */
  buckets: Map<number, number>;
}

/** Half the width of a bucket, relative: how far a quantile may be off. */
export const RELATIVE_ERROR = 0.001;
const GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GROWTH = Math.log(GROWTH);
/** Everything below counts as this: no clock of ours tells less apart. */
const SMALLEST = 1e-4;

export function createSketch(): QuantileSketch {
  return { count: 0, sumMicros: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, buckets: new Map() };
}

/** Adds one value, in place. Negative values count as 0. */
export function addValue(sketch: QuantileSketch, value: number): void {
  const known = Math.max(0, value);
  const bucket = Math.ceil(Math.log(Math.max(known, SMALLEST)) / LOG_GROWTH);
  sketch.buckets.set(bucket, (sketch.buckets.get(bucket) ?? 0) + 1);
  sketch.count++;
  sketch.sumMicros += Math.round(known * 1e6);
  if (known < sketch.min) sketch.min = known;
  if (known > sketch.max) sketch.max = known;
}

/** The sketch of all values of both. */
export function mergeSketches(a: QuantileSketch, b: QuantileSketch): QuantileSketch {
  const buckets = new Map(a.buckets);
  for (const [bucket, count] of b.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
  return {
    count: a.count + b.count,
    sumMicros: a.sumMicros + b.sumMicros,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    buckets,
  };
}

/** The value below which a share `q` (0..1) of the values lies, by nearest rank; null when there is none. */
export function quantileOf(sketch: QuantileSketch, q: number): number | null {
  if (sketch.count === 0) return null;
  const rank = Math.max(1, Math.ceil(q * sketch.count));
  if (rank === 1) return sketch.min;
  if (rank >= sketch.count) return sketch.max;
  let seen = 0;
  for (const bucket of [...sketch.buckets.keys()].sort((a, b) => a - b)) {
    seen += sketch.buckets.get(bucket)!;
    if (seen >= rank) return Math.min(sketch.max, Math.max(sketch.min, middleOf(bucket)));
  }
  return sketch.max;
}

/** The value that is at most {@link RELATIVE_ERROR} from every value of a bucket. */
export function middleOf(bucket: number): number {
  return (2 * GROWTH ** bucket) / (GROWTH + 1);
}

/** The mean, exact; null when there is no value. */
export function meanOf(sketch: QuantileSketch): number | null {
  return sketch.count === 0 ? null : sketch.sumMicros / 1e6 / sketch.count;
}

/** A sketch as JSON: `[bucket, count]` pairs in order, and the exact extremes. */
export interface SketchJson {
  count: number;
  sumMicros: number;
  min: number;
  max: number;
  buckets: [number, number][];
}

export function sketchToJson({ buckets, ...rest }: QuantileSketch): SketchJson {
  return {
    ...rest,
    min: rest.count === 0 ? 0 : rest.min,
    max: rest.count === 0 ? 0 : rest.max,
    buckets: [...buckets].sort(([a], [b]) => a - b),
  };
}

export function sketchFromJson(json: SketchJson): QuantileSketch {
  return json.count === 0 ? createSketch() : { ...json, buckets: new Map(json.buckets) };
}
