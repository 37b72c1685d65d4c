/** Student's t and the normal distribution, to about 1e-13. */

/** Natural logarithm of the gamma function, x > 0: Lanczos' approximation with g = 7, n = 9. */
function logGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  let sum = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) sum += coefficients[i]! / (x + i - 1);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Evaluates b0 + a1/(b1 + a2/(b2 + …)) by Lentz' method; `term(i)` gives [a_i, b_i]. */
function continuedFraction(b0: number, term: (i: number) => [number, number]): number {
  const tiny = 1e-300;
  let f = b0 || tiny;
  let c = f;
  let d = 0;
  for (let i = 1; i < 10_000; i++) {
    const [a, b] = term(i);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    const step = c * d;
    f *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return f;
}

/** Regularised incomplete beta function I_x(a, b) (DLMF 8.17.22). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const fraction = continuedFraction(1, (i) => {
    const m = i >> 1;
    const numerator =
      i % 2 === 1
        ? (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
        : (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    return [numerator, 1];
  });
  return front / fraction;
}

/** P(T > t) for Student's t with `df` degrees of freedom. */
export function studentUpperTail(t: number, df: number): number {
  const half = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t >= 0 ? half : 1 - half;
}

/** The t with P(T <= t) = p, for 0 < p < 1. */
export function studentQuantile(p: number, df: number): number {
  return p < 0.5
    ? -upperQuantile(p, (t) => studentUpperTail(t, df))
    : upperQuantile(1 - p, (t) => studentUpperTail(t, df));
}

/** P(Z > z) for the standard normal: Taylor series near 0, continued fraction (DLMF 7.9.1) in the tail. */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) return density / continuedFraction(z, (i) => [i, z]);
  let term = z;
  let sum = z;
  for (let i = 3; term > 1e-17 * sum; i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return 0.5 - density * sum;
}

/** The z with P(Z <= z) = p, for 0 < p < 1. */
export function normalQuantile(p: number): number {
  return p < 0.5 ? -upperQuantile(p, normalUpperTail) : upperQuantile(1 - p, normalUpperTail);
}

/** Solves upperTail(x) = q for q <= 0.5 by bisection: the tail is monotone, and 200 halvings cost nothing here. */
function upperQuantile(q: number, upperTail: (x: number) => number): number {
  let low = 0;
  let high = 1;
  while (upperTail(high) > q && high < 1e12) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > q) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
