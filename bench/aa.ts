/**
 * Whether the gate cries wolf, on real functions: pull requests that change nothing and pull requests whose change is
 * known, each judged by the built Action (`npm run build` first) with real processes that are frozen between
 * invocations, part of them beside a process that burns CPU. Usage: node bench/aa.ts [--short] [--fresh] [--write]
 * Finished runs are kept in `.lambda-profile/aa/`, for this build of the Action: started again, the bench goes on
 * where it was. `--fresh` forgets them, `--write` puts the table into docs/statistics.md. Go functions take
 * part where Go is installed.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { buildLayer } from '../agents/node/build/layer.ts';
import { writeFigures } from '../build/figures.ts';
import { goVersion } from '../test/go/build.ts';
import { judgePullRequest } from './aa/pull-request.ts';
import { changedScenarios, type Scenario, unchangedScenarios } from './aa/scenarios.ts';
import { confusionTable, goals, type Run, rowOf } from './aa/tally.ts';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const action = join(root, 'dist/action.js');
if (!existsSync(action)) throw new Error('Cannot measure: dist/action.js is missing. Run npm run build.');

const hasGo = !options.short && (await goVersion()) !== undefined;
const shortNames = ['sealInvoice +100%', 'computeTax renamed taxOfOrder'];
const scenarios: Scenario[] = options.short
  ? [...unchangedScenarios(2, false), ...changedScenarios(false).filter(({ name }) => shortNames.includes(name))].map(
      (scenario) => ({ ...scenario, invocations: 240 }),
    )
  : interleave(unchangedScenarios(40, hasGo), changedScenarios(hasGo));

const build = createHash('sha256').update(readFileSync(action)).digest('hex').slice(0, 12);
const kept = join(root, '.lambda-profile/aa', `${build}${options.short ? '-short' : ''}.jsonl`);
mkdirSync(join(root, '.lambda-profile/aa'), { recursive: true });
if (options.fresh || options.short) rmSync(kept, { force: true });
const runs = new Map<string, Run>(
  (existsSync(kept) ? readFileSync(kept, 'utf8').trim().split('\n') : [])
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Run)
    .map((run) => [run.scenario, run]),
);

const layerDirectory = mkdtempSync(join(tmpdir(), 'bench-aa-layer-'));
try {
  const { zip: layer } = await buildLayer(layerDirectory);
  for (const [i, scenario] of scenarios.entries()) {
    if (runs.has(scenario.name)) continue;
    const run = await judged(scenario, layer);
    runs.set(scenario.name, run);
    appendFileSync(kept, `${JSON.stringify(run)}\n`);
    console.log(`${String(i + 1).padStart(3)}/${scenarios.length} ${rowOf(scenario, run)}`);
  }
} finally {
  rmSync(layerDirectory, { recursive: true, force: true });
}

const finished = scenarios.map((scenario) => ({ scenario, run: runs.get(scenario.name)! }));
console.log(`\n${confusionTable(finished)}\n`);
const reached = goals(finished);
const table = markdownTable([
  ['what', 'goal', 'measured', 'met'],
  ...reached.map(({ what, goal, measured, met }) => [what, goal, measured, met ? 'yes' : 'NO']),
]);
console.log(`${table}\n`);
if (options.write)
  writeFigures({
    real: `${confusionTable(finished)}\n\n${table}`,
  });
console.log(`bench aa: ${reached.filter(({ met }) => met).length} of ${reached.length} goals met`);

async function judged(scenario: Scenario, layer: Uint8Array): Promise<Run> {
  try {
    return { scenario: scenario.name, ...(await judgePullRequest(scenario, layer)) };
  } catch (error) {
    const headline = (error as Error).message;
    return { scenario: scenario.name, verdict: 'broken', headline, screened: false, seconds: 0 };
  }
}

/** Both kinds take turns, so that the state of the machine is the same for both. */
function interleave<T>(a: readonly T[], b: readonly T[]): T[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [a[i], b[i]])
    .flat()
    .filter((item) => item !== undefined);
}
