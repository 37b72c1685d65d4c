import type { Resolution } from './comparison.ts';
import { normalQuantile, studentQuantile } from './distributions.ts';

export interface ResolutionInput {
  baseInstances: number;
  headInstances: number;
  /** Samples of one instance, mean over the side. */
  baseSamplesPerInstance: number;
  headSamplesPerInstance: number;
  tauSquared: number;
  functionsTested: number;
  alpha: number;
  /** Degrees of freedom of the standard errors. */
  df: number;
  /** Labellings of the permutation test, the observed one among them. */
  labellings: number;
}

const shares = [0.2, 0.05, 0.01];
const power = 0.8;

/**
 * The smallest changes this run would have found with 80 % power. The log ratio of a function with n samples per
 * instance has variance sum over sides of (tau^2 + 1/n) / instances; it must exceed the critical value of the largest
 * of `functionsTested` statistics by the normal quantile of the power. Infinity when no p can reach alpha.
 */
export function computeResolution(input: ResolutionInput): Resolution[] {
  const { baseInstances, headInstances, functionsTested, alpha, df, labellings } = input;
  const possible = functionsTested > 0 && baseInstances > 1 && headInstances > 1 && 1 / labellings <= alpha;
  return shares.map((share) => {
    if (!possible) return { share, detectable: Number.POSITIVE_INFINITY };
    const variance =
      (input.tauSquared + 1 / (share * input.baseSamplesPerInstance)) / baseInstances +
      (input.tauSquared + 1 / (share * input.headSamplesPerInstance)) / headInstances;
    const critical = studentQuantile(1 - alpha / functionsTested, df) + normalQuantile(power);
    return { share, detectable: Math.expm1(critical * Math.sqrt(variance)) };
  });
}
