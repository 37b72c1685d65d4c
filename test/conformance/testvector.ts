/**
 * Compares the function test with an independent computation.
 * Usage: node test/conformance/testvector.ts <vector.json>
 * The vector: {C: samples [instance][function], base instances first, half of them; keep, lr, se, padj by function}.
 */
import { readFileSync } from 'node:fs';
import { testFunctions } from '../../src/compare/functions.ts';

interface Vector {
  C: number[][];
  keep: boolean[];
  lr: number[];
  se: number[];
  padj: number[];
}

const path = process.argv[2];
if (path === undefined) {
  console.error('Cannot run without a vector. Pass its path as the only argument.');
  process.exit(2);
}
const vector = JSON.parse(readFileSync(path, 'utf8')) as Vector;
const result = testFunctions({
  counts: vector.C.map((row) => Float64Array.from(row)),
  isHead: vector.C.map((_, i) => i >= vector.C.length / 2),
  seed: 'vector',
});

let passed = 0;
let failed = 0;
function check(what: string, actual: number, expected: number): void {
  if (Math.abs(actual - expected) <= 1e-9) {
    passed++;
    return;
  }
  failed++;
  console.error(`${what}: ${actual} instead of ${expected}`);
}
vector.keep.forEach((keep, f) => {
  const i = result.tested.indexOf(f);
  check(`function ${f} tested`, Number(i >= 0), Number(keep));
  if (i < 0 || !keep) return;
  check(`function ${f} log ratio`, result.logRatio[i]!, vector.lr[f]!);
  check(`function ${f} standard error`, result.standardError[i]!, vector.se[f]!);
  check(`function ${f} adjusted p`, result.pMore[i]!, vector.padj[f]!);
});
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
