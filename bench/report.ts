/**
 * Measures the page in headless Chromium beside d3-flame-graph and speedscope on the same call tree: bytes to load, time
 * until the graph is painted, time until a zoom and a search are. `node bench/report.ts [--short]`. The other viewers
 * are installed into `.cache/viewers/`; without them, and in short, their rows say so. Needs Chromium (CHROMIUM_PATH, or
 * /usr/bin/chromium).
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { generatedTree } from '../test/report/flamegraph/sample-trees.ts';
import { d3FlameGraph, installViewers, ourPage, speedscope, type Viewer } from './report/viewers.ts';

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } });
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const cache = fileURLToPath(new URL('../.cache/viewers', import.meta.url));

/** A tab that takes longer than this is a tab that somebody closes. */
const PATIENCE_MS = 60_000;

interface Measured {
  kilobytes: number;
  /** NaN: not within the patience. Undefined: cannot be driven. */
  readyMs?: number;
  /** The error with which the page gave up. */
  failure?: string;
  zoomMs?: number;
  searchMs?: number;
}

interface Goal {
  what: string;
  goal: number;
  unit: string;
  measured: number;
}

const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
};

/** Helpers of the pages under measurement: time from an action until the frame after it is painted. */
const INSTRUMENT = `
  window.painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));
  window.when = async (condition) => {
    while (!condition()) await new Promise((next) => requestAnimationFrame(next));
    return window.painted();
  };`;

async function serve(viewer: Viewer): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
    const file = viewer.files.get(path);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/plain' }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}${viewer.address}`, close };
}

/** One visit: the page is opened, zoomed and searched once. */
async function visit(browser: Browser, viewer: Viewer): Promise<Omit<Measured, 'kilobytes'>> {
  const { url, close } = await serve(viewer);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  const patiently = <T>(work: Promise<T>): Promise<T | number> =>
    Promise.race([work, new Promise<number>((resolve) => setTimeout(resolve, PATIENCE_MS, Number.NaN).unref())]);
  const timed = async (action: string): Promise<{ ms?: number }> => {
    if (action === '') return {};
    const script = `(async () => { const from = performance.now(); const done = ${action}; return (await when(done)) - from; })()`;
    return { ms: (await patiently(page.evaluate<number>(script))) as number };
  };
  try {
    await page.addInitScript(`${INSTRUMENT} window.opened = window.when(() => document.body && ${viewer.ready});`);
    await page.goto(url, { waitUntil: 'commit' });
    const readyMs = (await patiently(page.evaluate<number>('window.opened'))) as number;
    if (errors[0]) return { readyMs: Number.NaN, failure: errors[0].message };
    if (Number.isNaN(readyMs)) return { readyMs };
    const { ms: searchMs } = await timed(viewer.search);
    const { ms: zoomMs } = await timed(viewer.zoom);
    return { readyMs, ...(zoomMs !== undefined && { zoomMs }), ...(searchMs !== undefined && { searchMs }) };
  } finally {
    await patiently(page.close());
    close();
  }
}

async function measure(browser: Browser, viewer: Viewer, visits: number): Promise<Measured> {
  const all: Omit<Measured, 'kilobytes'>[] = [];
  for (let i = 0; i < visits && !all.some(({ readyMs }) => Number.isNaN(readyMs)); i++)
    all.push(await visit(browser, viewer));
  const bytes = [...viewer.files.values()].reduce((sum, file) => sum + Buffer.byteLength(file), 0);
  const failure = all.find((one) => one.failure)?.failure;
  const middle = (key: 'readyMs' | 'zoomMs' | 'searchMs'): Partial<Measured> => {
    const values = all.map((one) => one[key]).filter((value) => value !== undefined);
    return values.length === 0 ? {} : { [key]: values.sort((a, b) => a - b)[Math.floor(values.length / 2)]! };
  };
  return {
    kilobytes: bytes / 1000,
    ...(failure && { failure }),
    ...middle('readyMs'),
    ...middle('zoomMs'),
    ...middle('searchMs'),
  };
}

function cell(value: number | undefined, unit: string): string {
  if (value === undefined) return '—';
  return Number.isNaN(value) ? `> ${PATIENCE_MS / 1000} s` : `${Math.round(value)} ${unit}`;
}

function print(rows: string[][]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  console.log('');
}

async function main(): Promise<void> {
  if (!existsSync(executablePath)) {
    console.log(`bench report: skipped, there is no browser at ${executablePath}`);
    return;
  }
  const modules = options.short ? undefined : installViewers(cache);
  const why = options.short ? 'left out of the short form' : 'cannot be installed here';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const rows = [['frames', 'viewer', 'to load', 'ready', 'zoom', 'search', 'ready beside this page']];
  const goals: Goal[] = [];
  try {
    for (const { frames, readyMs } of options.short
      ? [{ frames: 50_000, readyMs: 1_500 }]
      : [
          { frames: 50_000, readyMs: 1_500 },
          { frames: 200_000, readyMs: 3_000 },
        ]) {
      const tree = generatedTree(frames);
      const ours = await measure(browser, ourPage(tree), options.short ? 1 : 5);
      const label = frames.toLocaleString('en');
      const add = (name: string, { kilobytes, readyMs, zoomMs, searchMs, failure }: Measured): void => {
        const times = readyMs && ours.readyMs ? `${(readyMs / ours.readyMs).toFixed(1)}x` : '—';
        rows.push([
          label,
          name,
          cell(kilobytes, 'kB'),
          failure ?? cell(readyMs, 'ms'),
          cell(zoomMs, 'ms'),
          cell(searchMs, 'ms'),
          times,
        ]);
      };
      add('this page', ours);
      for (const create of [d3FlameGraph, speedscope]) {
        const viewer = modules === undefined ? undefined : create(tree, modules);
        if (viewer) add(viewer.name, await measure(browser, viewer, 1));
        else rows.push([label, create === speedscope ? 'speedscope' : 'd3-flame-graph', why, '', '', '', '']);
      }
      if (frames === 50_000) goals.push({ what: `${label}: size`, goal: 400, unit: 'kB', measured: ours.kilobytes });
      goals.push(
        { what: `${label}: ready`, goal: readyMs, unit: 'ms', measured: ours.readyMs ?? Number.NaN },
        { what: `${label}: zoom`, goal: 200, unit: 'ms', measured: ours.zoomMs ?? Number.NaN },
        { what: `${label}: search`, goal: 200, unit: 'ms', measured: ours.searchMs ?? Number.NaN },
      );
    }
  } finally {
    await browser.close();
  }
  print(rows);
  const isMet = ({ measured, goal }: Goal): boolean => measured <= goal;
  print([
    ['goal', 'at most', 'measured', 'met'],
    ...goals.map((goal) => [
      goal.what,
      cell(goal.goal, goal.unit),
      cell(goal.measured, goal.unit),
      isMet(goal) ? 'yes' : 'NO',
    ]),
  ]);
  console.log(
    'Times end when the frame after the action is painted. This page draws the 100,000 largest frames of a tree at most.',
  );
  console.log(`bench report: ${goals.filter(isMet).length} of ${goals.length} goals met`);
}

await main();
