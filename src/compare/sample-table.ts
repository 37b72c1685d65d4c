/** Functions with fewer samples on both sides together are not tested. Blind to the labels, hence valid. */
export const minPooledSamples = 10;

/** Functions side by side with what does not depend on the labels. */
export interface SampleTable {
  /** `[function][instance]`: samples, and samples^2 / exposure. */
  samples: Float64Array[];
  squares: Float64Array[];
  total: Float64Array;
  totalSquares: Float64Array;
  exposure: Float64Array;
  totalExposure: number;
  instances: number;
}

/** The functions that have enough samples to be tested: their indices and their table. */
export function tabulate(counts: readonly Float64Array[]): { kept: number[]; table: SampleTable } {
  const instances = counts.length;
  const functions = counts[0]?.length ?? 0;
  const exposure = Float64Array.from(counts, (row) => row.reduce((sum, value) => sum + value, 0));
  const kept: number[] = [];
  const samples: Float64Array[] = [];
  for (let f = 0; f < functions; f++) {
    const column = Float64Array.from(counts, (row) => row[f]!);
    if (sumOf(column) < minPooledSamples) continue;
    kept.push(f);
    samples.push(column);
  }
  const squares = samples.map((column) => column.map((value, i) => (value * value) / exposure[i]!));
  return {
    kept,
    table: {
      samples,
      squares,
      total: Float64Array.from(samples, sumOf),
      totalSquares: Float64Array.from(squares, sumOf),
      exposure,
      totalExposure: sumOf(exposure),
      instances,
    },
  };
}

export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
