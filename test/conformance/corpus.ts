/**
 * Reads a corpus of real and broken profiles and compares what this project makes of them with recorded results of
 * google/pprof: `npm run conformance -- DIRECTORY`. Prints what differs and ends `N passed, N failed`; exits 1 on failure.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { checkDeltas, checkGroundTruth } from './counters.ts';
import { checkDescriptions, type Description } from './descriptions.ts';
import { checkDiffs, type GoldenDiff } from './diffs.ts';
import { checkMerges } from './merges.ts';
import { checkMutations } from './mutations.ts';
import { Outcomes } from './outcomes.ts';

const directory = process.argv[2];
if (directory === undefined) {
  console.error('Usage: npm run conformance -- DIRECTORY');
  process.exit(2);
}
const lines = (text: string) => text.split('\n').filter((line) => line !== '');
const golden = join(directory, 'golden');
const descriptions = lines(gunzipSync(readFileSync(join(golden, 'describe.jsonl.gz'))).toString()).map(
  (line) => JSON.parse(line) as Description,
);
const diffs = lines(readFileSync(join(golden, 'diff.jsonl'), 'utf8')).map((line) => JSON.parse(line) as GoldenDiff);

const outcomes = new Outcomes();
checkDescriptions(directory, descriptions, outcomes);
checkMerges(directory, outcomes);
checkDiffs(directory, diffs, outcomes);
checkDeltas(directory, outcomes);
checkGroundTruth(directory, outcomes);
checkMutations(directory, descriptions, outcomes);
console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exit(outcomes.failed === 0 ? 0 : 1);
