/**
 * Writes what `docs/statistics.md` says by formula, and its chart `docs/resolution.svg`, with the code that states the
 * resolution of every run: `node build/statistics-figures.ts`. A test compares them. What the page says of simulations
 * and of real runs comes from `npm run bench:verdict -- --write` and `npm run bench:aa -- --write`.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { priorDf } from '../src/compare/calibration.ts';
import { formatCount } from '../src/compare/format.ts';
import { computeResolution } from '../src/compare/resolution.ts';
import { writeFigures } from './figures.ts';

/** What handlers have that the figures are about. */
const FUNCTIONS = 60;
const TAU = 0.04;
const INSTANCES = 8;
const SHARES = [0.2, 0.05, 0.01];
/** CPU samples a second: of the Go agent, and of the Node.js agent. */
const RATES = { go: 100, node: 1000 };

/** The smallest change found with 80 % power in a function of this share, given the samples of a whole side. */
function detectable(share: number, samples: number, instances: number): number {
  const resolution = computeResolution({
    baseInstances: instances,
    headInstances: instances,
    baseSamplesPerInstance: samples / instances,
    headSamplesPerInstance: samples / instances,
    tauSquared: TAU ** 2,
    functionsTested: FUNCTIONS,
    alpha: 0.05,
    df: 2 * instances - 2 + priorDf,
    labellings: 10_000,
  });
  return resolution.find((one) => one.share === share)!.detectable;
}

/** Samples in the function itself, on each side, that a change needs; Infinity when more instances are needed. */
function samplesNeeded(growth: number, instances: number): number {
  const share = SHARES[0]!;
  let low = 1;
  let high = 1e9;
  if (detectable(share, high / share, instances) > growth) return Number.POSITIVE_INFINITY;
  while (high / low > 1.0001) {
    const middle = Math.sqrt(low * high);
    if (detectable(share, middle / share, instances) > growth) low = middle;
    else high = middle;
  }
  return high;
}

/** Three significant digits. */
function count(value: number): string {
  return Number.isFinite(value) ? formatCount(Number(value.toPrecision(3))) : 'more instances';
}

function secondsOf(seconds: number): string {
  return seconds < 9.95 ? seconds.toFixed(1) : count(seconds);
}

function percentOf(fraction: number): string {
  return fraction >= 9 ? `×${Math.round(fraction + 1)}` : `+${Math.round(fraction * 100)} %`;
}

/** How many samples, and CPU-seconds of the handler, which growth needs. */
export function renderNeeds(): string {
  const rows = [1, 0.5, 0.25, 0.1].map((growth) => {
    const needed = samplesNeeded(growth, INSTANCES);
    const seconds = (rate: number) => SHARES.map((share) => secondsOf(needed / share / rate)).join(' / ');
    return `| ${percentOf(growth)} | ${count(needed)} | ${seconds(RATES.go)} | ${seconds(RATES.node)} |`;
  });
  return [
    '| growth | samples in the function | CPU-seconds, Go (100 Hz), if it uses 20 % / 5 % / 1 % | Node.js (1 kHz) |',
    '| --- | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}

/** What more instances, and what more samples are good for. */
export function renderInstances(): string {
  const samples = [1_000, 3_000, 10_000, 100_000];
  const rows = [5, 8, 16, 32].map((instances) => {
    const cells = samples.map((all) => SHARES.map((share) => percentOf(detectable(share, all, instances))).join(' / '));
    return `| ${instances} | ${cells.join(' | ')} |`;
  });
  return [
    `| instances a side | ${samples.map((all) => `${formatCount(all)} samples a side`).join(' | ')} |`,
    `| ---: |${' ---: |'.repeat(samples.length)}`,
    ...rows,
  ].join('\n');
}

const WIDTH = 720;
const HEIGHT = 400;
const PLOT = { left: 64, right: 680, top: 24, bottom: 350 };
const X = { from: 300, to: 300_000 };
const Y = { from: 0.05, to: 5 };
/** Distinguishable without colour vision, and by dashes. */
const LINES = [
  { share: 0.2, colour: '#0072b2', name: '20 %' },
  { share: 0.05, colour: '#d55e00', name: '5 %' },
  { share: 0.01, colour: '#555555', name: '1 %' },
];

/** The smallest change found against the samples of a side: 8 instances solid, 16 dashed. */
export function renderChart(): string {
  const log = (value: number, { from, to }: { from: number; to: number }) =>
    Math.log(value / from) / Math.log(to / from);
  const x = (samples: number) => PLOT.left + (PLOT.right - PLOT.left) * log(samples, X);
  const y = (growth: number) => PLOT.bottom - (PLOT.bottom - PLOT.top) * log(growth, Y);
  const place = (value: number) => value.toFixed(1);
  const xTicks = [300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000];
  const yTicks = [0.05, 0.1, 0.25, 0.5, 1, 2, 5];
  const curve = (share: number, instances: number): string => {
    const points = Array.from({ length: 61 }, (_, i) => X.from * (X.to / X.from) ** (i / 60))
      .map((samples) => ({ samples, growth: detectable(share, samples, instances) }))
      .filter(({ growth }) => growth <= Y.to && growth >= Y.from)
      .map(({ samples, growth }) => `${place(x(samples))},${place(y(growth))}`);
    return points.join(' ');
  };
  const text = (at: { x: number; y: number }, anchor: string, content: string, colour = '#24292f') =>
    `<text x="${place(at.x)}" y="${place(at.y)}" text-anchor="${anchor}" fill="${colour}">${content}</text>`;
  const lines = LINES.flatMap(({ share, colour, name }) => {
    const first = curve(share, 8).split(' ')[0]!.split(',').map(Number) as [number, number];
    return [
      `<polyline points="${curve(share, 8)}" fill="none" stroke="${colour}" stroke-width="2.5"/>`,
      `<polyline points="${curve(share, 16)}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-dasharray="6 4"/>`,
      text({ x: first[0] + 10, y: first[1] - 2 }, 'start', name, colour),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="13">`,
    '<title id="title">Smallest growth found with 80 % power, by CPU samples of a side: 8 instances solid, 16 dashed</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...xTicks.flatMap((tick) => [
      `<path d="M${place(x(tick))} ${PLOT.top}V${PLOT.bottom}" stroke="#e3e6ea"/>`,
      text({ x: x(tick), y: PLOT.bottom + 18 }, 'middle', formatCount(tick)),
    ]),
    ...yTicks.flatMap((tick) => [
      `<path d="M${PLOT.left} ${place(y(tick))}H${PLOT.right}" stroke="#e3e6ea"/>`,
      text({ x: PLOT.left - 8, y: y(tick) + 4 }, 'end', percentOf(tick)),
    ]),
    ...lines,
    text({ x: (PLOT.left + PLOT.right) / 2, y: HEIGHT - 10 }, 'middle', 'CPU samples of a side'),
    text(
      { x: PLOT.right - 8, y: PLOT.top - 8 },
      'end',
      'functions of 20 %, 5 % and 1 % of the CPU; solid: 8 instances a side, dashed: 16',
    ),
    '</svg>',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/resolution.svg', import.meta.url), renderChart());
  writeFigures({ needs: renderNeeds(), instances: renderInstances() });
}
