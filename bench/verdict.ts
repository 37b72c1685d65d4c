/**
 * How often the verdict is wrong, on invented measurements whose truth is known: false alarms when nothing changed,
 * regressions found, moved cost excused; beside four rules that others use.
 * Usage: node bench/verdict.ts [--short] [--write] (in short about 2 minutes of CPU, otherwise 15). With `--write` the
 * tables become those of docs/statistics.md.
 */
import { writeFigures } from '../build/figures.ts';
import { compareSides, confirmComparison, flaggedFunctions, needsConfirmation } from '../src/compare/compare.ts';
import type { Comparison } from '../src/compare/comparison.ts';
import { testFunctions } from '../src/compare/functions.ts';
import { defaultPolicy, judge } from '../src/compare/verdict.ts';
import { seededRandom } from '../src/seeded-random.ts';
import { bootstrap, mannWhitney, mergedPercent, poissonBenjaminiHochberg } from './verdict/peers.ts';
import { drawSides, functionCount, type Random, randomFrom, type Scenario } from './verdict/simulation.ts';

const short = process.argv.includes('--short');
const runs = short ? 40 : 200;
/** Tables by name, as Markdown. */
const figures: Record<string, string> = {};
const goals: { name: string; met: boolean; value: string }[] = [];

/** One simulated pull request, decided. */
interface Outcome {
  /** p alone, the screen with its floors, and the verdict after confirmation on fresh instances. */
  anyP: boolean;
  screened: boolean;
  failed: boolean;
  comparison: Comparison;
  /** Functions that made the verdict fail. */
  regressed: string[];
  peers: number[][];
}

function decide(scenario: Scenario, random: Random, seed: string): Outcome {
  const options = { seed, alpha: defaultPolicy.alpha, minRegression: defaultPolicy.warnThreshold };
  const { base, head } = drawSides(scenario, random, true);
  const screen = compareSides(base.side, head.side, options);
  let comparison = screen;
  if (needsConfirmation(screen)) {
    const fresh = drawSides(scenario, random, false);
    const restrictTo = flaggedFunctions(screen);
    comparison = confirmComparison(screen, compareSides(fresh.base.side, fresh.head.side, { ...options, restrictTo }));
  }
  const verdict = judge(comparison, defaultPolicy, {
    functionName: 'simulated',
    differences: [],
    baselineInterleaved: false,
  });
  return {
    anyP: screen.functions.some(({ pSlower }) => pSlower <= options.alpha),
    screened: screen.functions.some(
      ({ change, ratio }) => change === 'slower' && ratio >= 1 + defaultPolicy.failThreshold,
    ),
    failed: verdict.kind === 'fail',
    comparison,
    regressed: verdict.regressed,
    peers: [
      mergedPercent(base, head),
      poissonBenjaminiHochberg(base, head),
      bootstrap(base, head, random),
      mannWhitney(base, head),
    ],
  };
}

function simulate(name: string, scenario: Scenario, count: number): Outcome[] {
  const random = randomFrom(seededRandom(name));
  return Array.from({ length: count }, (_, run) => decide(scenario, random, `${name} ${run}`));
}

function share(outcomes: readonly Outcome[], test: (outcome: Outcome) => boolean): number {
  return outcomes.filter(test).length / outcomes.length;
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)}%`;
}

function row(figure: string, cells: readonly string[]): void {
  const line = `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(44) : cell.padStart(9))).join(' | ')} |`;
  console.log(line);
  figures[figure] = `${figures[figure] ?? ''}${line.replace(/ {2,}/g, ' ')}\n`;
}

function header(figure: string, cells: readonly string[]): void {
  row(figure, cells);
  row(figure, [`:${'-'.repeat(43)}`, ...cells.slice(1).map(() => '--------:')]);
}

function goal(name: string, met: boolean, value: string): void {
  goals.push({ name, met, value });
}

/** A rate that is at most `limit`, give or take two standard errors of a short run. */
function atMost(rate: number, limit: number, count: number): boolean {
  return rate <= limit + (short ? 2 * Math.sqrt((limit * (1 - limit)) / count) : 0);
}

function atLeast(rate: number, limit: number, count: number): boolean {
  return rate >= limit - (short ? 2 * Math.sqrt((limit * (1 - limit)) / count) : 0);
}

function falseAlarms(): void {
  console.log(`\nNothing changed: how many of ${runs} runs raise an alarm\n`);
  header('unchanged', ['scenario', 'p ≤ 0.05', 'screen', 'verdict', 'merged %', 'Poisson+BH', 'bootstrap', 'Mann-Wh.']);
  const scenarios: [string, Scenario][] = [];
  for (const instances of [3, 5, 8, 16])
    for (const snapshots of [1, 3]) scenarios.push([`K=${instances} S=${snapshots}`, { instances, snapshots }]);
  for (const speedCv of [0.02, 0.15])
    for (const instances of [5, 8])
      scenarios.push([`K=${instances} S=3, instance CV ${percent(speedCv)}`, { instances, snapshots: 3, speedCv }]);
  for (const instances of [5, 8])
    for (const snapshots of [1, 3])
      scenarios.push([
        `K=${instances} S=${snapshots}, two machine types`,
        { instances, snapshots, heterogeneous: true },
      ]);
  let worst = 0;
  let failures = 0;
  let total = 0;
  for (const [name, scenario] of scenarios) {
    const outcomes = simulate(name, scenario, runs);
    const rates = alarmRates(name, outcomes);
    worst = Math.max(worst, rates.screened);
    failures += outcomes.filter(({ failed }) => failed).length;
    total += runs;
    if (name === 'K=8 S=3') figures.why = whyTable(outcomes);
  }
  figures.wrong = `Over all ${scenarios.length} scenarios in which nothing changed, ${failures} of ${total.toLocaleString('en-US')} verdicts were wrong.`;
  goal('one stage: false alarms ≤ 7% in every scenario', atMost(worst, 0.07, runs), `worst ${percent(worst)}`);
  goal('two stages: false alarms ≤ 0.5%', atMost(failures / total, 0.005, total), `${failures} of ${total}`);

  let drifted = 0;
  for (const drift of [
    { common: 0.05, perFunction: 0.02 },
    { common: 0.1, perFunction: 0.05 },
  ]) {
    const name = `K=8 S=3, stored baseline drifted ${percent(drift.common)}/${percent(drift.perFunction)}`;
    const outcomes = simulate(name, { instances: 8, snapshots: 3, drift }, runs);
    alarmRates(name, outcomes);
    drifted += outcomes.filter(({ failed }) => failed).length;
  }
  goal(
    'two stages, drifted baseline: false alarms ≤ 0.5%',
    atMost(drifted / (2 * runs), 0.005, 2 * runs),
    `${drifted} of ${2 * runs}`,
  );

  let elsewhere = 0;
  for (const [what, factor] of [
    ['largest function twice as fast', (i: number) => (i === 0 ? 0.5 : 1)],
    ['three largest twice as fast', (i: number) => (i < 3 ? 0.5 : 1)],
  ] as const) {
    const name = `K=8 S=3, ${what}`;
    elsewhere = Math.max(
      elsewhere,
      alarmRates(name, simulate(name, { instances: 8, snapshots: 3, factor }, runs)).screened,
    );
  }
  goal(
    'faster code elsewhere: false alarms ≤ 7% in one stage',
    atMost(elsewhere, 0.07, runs),
    `worst ${percent(elsewhere)}`,
  );
}

/** The same run of the simulation judged by others. */
function whyTable(outcomes: readonly Outcome[]): string {
  const peer = (i: number) => percent(share(outcomes, ({ peers }) => peers[i]!.length > 0));
  return [
    '| rule | runs with a false alarm |',
    '| --- | ---: |',
    `| merge the profiles, name what grew by more than 10 % | ${peer(0)} |`,
    `| bootstrap intervals over instances, per function | ${peer(2)} |`,
    `| Mann–Whitney test over the durations of all invocations | ${peer(3)} |`,
    `| Poisson test per function, Benjamini–Hochberg | ${peer(1)} |`,
    `| this project, before its confirmation run | ${percent(share(outcomes, ({ screened }) => screened))} |`,
    `| this project, verdict | ${percent(share(outcomes, ({ failed }) => failed))} |`,
  ].join('\n');
}

function alarmRates(name: string, outcomes: readonly Outcome[]): { screened: number } {
  const screened = share(outcomes, (outcome) => outcome.screened);
  row('unchanged', [
    name,
    percent(share(outcomes, ({ anyP }) => anyP)),
    percent(screened),
    percent(share(outcomes, ({ failed }) => failed)),
    ...[0, 1, 2, 3].map((peer) => percent(share(outcomes, ({ peers }) => peers[peer]!.length > 0))),
  ]);
  return { screened };
}

function power(): void {
  const count = Math.ceil(runs / 2);
  console.log(`\nOne function became slower: how many of ${count} runs find it\n`);
  header('power', ['scenario', 'verdict', 'merged %', 'Poisson+BH', 'bootstrap', 'Mann-Wh.', 'could see', 'other f.']);
  const cells: [number, number, number, number, number?][] = [
    [5, 3, 3, 0.5],
    [5, 3, 0, 0.25],
    [8, 1, 3, 0.5],
    [8, 3, 19, 1],
    [8, 3, 3, 0.25],
    [8, 3, 3, 0.5, 0.95],
    [8, 3, 0, 0.25, 0.95],
    [16, 3, 3, 0.25],
    [16, 3, 0, 0.25],
  ];
  let others = 0;
  for (const [instances, snapshots, index, growth, required] of cells) {
    const name = `K=${instances} S=${snapshots}: ${['21%', '', '', '5.3%'][index] ?? '1.1%'} of CPU, +${growth * 100}%`;
    const factor = (i: number) => (i === index ? 1 + growth : 1);
    const outcomes = simulate(name, { instances, snapshots, factor }, count);
    const found = share(outcomes, ({ regressed }) => regressed.includes(`function${index}`));
    const other = share(outcomes, ({ regressed }) => regressed.some((key) => key !== `function${index}`));
    const nearest = [0.2, 0, 0, 0.05][index] ?? 0.01;
    const seen = outcomes.map(
      ({ comparison }) => comparison.resolution.find((each) => each.share === nearest)!.detectable,
    );
    row('power', [
      name,
      percent(found),
      ...[0, 1, 2].map((peer) => percent(share(outcomes, ({ peers }) => peers[peer]!.includes(index)))),
      percent(share(outcomes, ({ peers }) => peers[3]!.length > 0)),
      `+${Math.round((seen.reduce((a, b) => a + b, 0) / seen.length) * 100)}%`,
      percent(other),
    ]);
    others = Math.max(others, other);
    if (required !== undefined)
      goal(`power, ${name}: ≥ ${percent(required)}`, atLeast(found, required, count), percent(found));
  }
  goal(
    'while one function is slower, another is blamed in ≤ 2% of the runs',
    atMost(others, 0.02, count),
    `worst ${percent(others)}`,
  );
}

function movedCost(): void {
  const count = Math.ceil(runs / 2);
  console.log(`\nCost that moved, with names that have nothing in common (K=8, S=3): how many of ${count} runs fail\n`);
  header('moved', ['scenario', 'fail', 'excused']);
  const renamed = (index: number) => (i: number) => (i === index ? `${'xyzzy'.repeat(2)}${i}` : `function${i}`);
  const only = (index: number, value: number) => (i: number) => (i === index ? value : 1);
  // The last function lends its name to the part that was split off: 40 % of the function's cost, or 65 %.
  const split = (index: number, part: number) => (i: number) =>
    i === index ? 0.6 : i === functionCount - 1 ? (part * functionCount) / (index + 1) : 1;
  const cells: [string, Partial<Scenario>, 'excuse' | 'fail'][] = [
    ['21% function renamed', { headName: renamed(0) }, 'excuse'],
    ['5.3% function renamed', { headName: renamed(3) }, 'excuse'],
    ['21% function split 60/40', { factor: split(0, 0.4) }, 'excuse'],
    ['5.3% function split 60/40', { factor: split(3, 0.4) }, 'excuse'],
    ['21% function renamed and +50%', { headName: renamed(0), factor: only(0, 1.5) }, 'fail'],
    ['5.3% function renamed and doubled', { headName: renamed(3), factor: only(3, 2) }, 'fail'],
    ['21% function split and +25% together', { factor: split(0, 0.65) }, 'fail'],
    ['5.3% function +50%, among equal neighbours', { factor: only(3, 1.5) }, 'fail'],
  ];
  let leastExcused = 1;
  let mostMissed = 0;
  for (const [name, more, expected] of cells) {
    const outcomes = simulate(name, { instances: 8, snapshots: 3, ...more }, count);
    const failed = share(outcomes, ({ regressed }) => regressed.length > 0);
    const excused = share(outcomes, ({ regressed, comparison }) => {
      return regressed.length === 0 && comparison.functions.some(({ change }) => change === 'moved');
    });
    row('moved', [name, percent(failed), percent(excused)]);
    if (expected === 'excuse') leastExcused = Math.min(leastExcused, 1 - failed);
    else mostMissed = Math.max(mostMissed, excused);
  }
  goal('renames and splits excused: ≥ 90%', atLeast(leastExcused, 0.9, count), `least ${percent(leastExcused)}`);
  goal('real regressions wrongly excused: ≤ 2%', atMost(mostMissed, 0.02, count), `most ${percent(mostMissed)}`);
}

function speed(): void {
  const { normal } = randomFrom(seededRandom('speed'));
  const counts = Array.from({ length: 32 }, () =>
    Float64Array.from({ length: 5_000 }, (_, f) => Math.max(0, Math.round(10_000 / (f + 1) + 12 + 3 * normal()))),
  );
  const before = process.cpuUsage();
  const result = testFunctions({ counts, isHead: counts.map((_, i) => i >= 16), seed: 'speed' });
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  const what = `${result.tested.length} functions × 32 instances × ${result.relabellings} relabellings`;
  goal(
    '5,000 functions × 32 instances × 9,999 relabellings: ≤ 2 s of CPU',
    seconds <= 2,
    `${what}: ${seconds.toFixed(2)} s`,
  );
}

speed();
falseAlarms();
power();
movedCost();

if (process.argv.includes('--write')) {
  writeFigures(figures);
  console.log('\nThe tables are in docs/statistics.md.');
}

console.log('');
for (const { name, met, value } of goals) console.log(`${met ? 'met ' : 'MISS'}  ${name} (${value})`);
const met = goals.filter((each) => each.met).length;
console.log(`bench verdict: ${met} of ${goals.length} goals met`);
process.exitCode = met === goals.length ? 0 : 1;
