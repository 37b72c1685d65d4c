/** The pages that are measured: ours, and the same tree in the viewers people use today. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallTree } from '../../src/report/flamegraph/calltree.ts';
import { renderPage } from '../../src/report/flamegraph/page.ts';
import { samples } from '../../test/report/samples.ts';

export interface Viewer {
  name: string;
  /** Everything a browser has to load, by path. */
  files: Map<string, Uint8Array | string>;
  /** Path and fragment to open. */
  address: string;
  /** JavaScript expressions: whether the graph is there, and what zooms and searches; '' when that cannot be driven. */
  ready: string;
  zoom: string;
  search: string;
}

/** Pinned, so that the numbers can be repeated. */
const PACKAGES = ['d3@7.9.0', 'd3-flame-graph@4.1.3', 'speedscope@1.25.0'];

/** Installs the other viewers into `directory`. @returns their `node_modules`, or undefined when that is not possible */
export function installViewers(directory: string): string | undefined {
  const modules = join(directory, 'node_modules');
  if (!existsSync(join(modules, 'speedscope/dist/release'))) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{"private":true}\n');
    try {
      const flags = ['--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
      execFileSync('npm', ['install', ...flags, ...PACKAGES], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
  }
  return modules;
}

/** Our page; the pointer is on a frame four rows below the root. */
export function ourPage(tree: CallTree): Viewer {
  return {
    name: 'this page',
    files: new Map([['/report.html', renderPage(samples.regression!, [tree])]]),
    address: '/report.html',
    ready: 'document.documentElement.dataset.ready === ""',
    zoom: `(() => {
      const graph = document.getElementById('graph');
      graph.scrollIntoView();
      const { left, top } = graph.getBoundingClientRect();
      graph.dispatchEvent(new MouseEvent('click', { clientX: left + 5, clientY: top + 90, bubbles: true }));
      return () => location.hash !== '';
    })()`,
    search: `(() => {
      const search = document.getElementById('search');
      search.value = 'method7';
      search.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
      return () => document.getElementById('found').textContent !== '';
    })()`,
  };
}

/** d3-flame-graph as its README shows it, differential, without the animation. */
export function d3FlameGraph(tree: CallTree, modules: string): Viewer {
  const read = (path: string): string => readFileSync(join(modules, path), 'utf8');
  const page = `<!doctype html><meta charset="utf-8"><title>d3</title><link rel="stylesheet" href="/flame.css">
<div id="chart"></div><script src="/d3.js"></script><script src="/flame.js"></script><script src="/colours.js"></script><script>
fetch('/tree.json').then((answer) => answer.json()).then((tree) => {
  window.chart = flamegraph().width(1200).cellHeight(18).transitionDuration(0)
    .setColorMapper(flamegraph.colorMapper.differentialColorMapper);
  d3.select('#chart').datum(tree).call(chart);
});
</script>`;
  return {
    name: 'd3-flame-graph',
    files: new Map<string, Uint8Array | string>([
      ['/d3.html', page],
      ['/d3.js', read('d3/dist/d3.min.js')],
      ['/flame.js', read('d3-flame-graph/dist/d3-flamegraph.min.js')],
      ['/colours.js', read('d3-flame-graph/dist/d3-flamegraph-colorMapper.min.js')],
      ['/flame.css', read('d3-flame-graph/dist/d3-flamegraph.css')],
      ['/tree.json', JSON.stringify(nested(tree))],
    ]),
    address: '/d3.html',
    ready: 'document.querySelector("#chart g.frame rect") !== null',
    zoom: `(() => {
      const frames = [...document.querySelectorAll('#chart g.frame')];
      const frame = frames.find((one) => one.__data__.depth === 4);
      frame.dispatchEvent(new MouseEvent('click', { bubbles: true }));
      return () => frame.getBoundingClientRect().width > 1100;
    })()`,
    search: `(() => { window.chart.search('method7'); return () => true; })()`,
  };
}

/** speedscope as its package ships it, on the head side: it has no differential view. */
export function speedscope(tree: CallTree, modules: string): Viewer {
  const release = join(modules, 'speedscope/dist/release');
  const needed = readdirSync(release).filter((name) => /\.(html|js|css)$/.test(name));
  return {
    name: 'speedscope',
    files: new Map<string, Uint8Array | string>([
      ...needed.map((name): [string, Uint8Array] => [`/${name}`, readFileSync(join(release, name))]),
      ['/profile.json', JSON.stringify(sampled(tree))],
    ]),
    address: '/index.html#profileURL=/profile.json&title=orders',
    ready: 'document.title.includes("orders") && document.querySelector("canvas") !== null',
    zoom: '',
    search: '',
  };
}

interface Nested {
  name: string;
  value: number;
  delta: number;
  children: Nested[];
}

/** Children come after their parents, so totals are known when the tree is walked backwards. */
function nested({ names, nodes }: CallTree): Nested {
  const all = Array.from(nodes.name, (name, i): Nested => {
    const head = nodes.headSelf[i]!;
    return { name: names[name]!, value: head, delta: head - nodes.baseSelf[i]!, children: [] };
  });
  for (let i = all.length - 1; i > 0; i--) {
    const parent = all[nodes.parent[i]!]!;
    parent.value += all[i]!.value;
    parent.delta += all[i]!.delta;
    parent.children.push(all[i]!);
  }
  return all[0]!;
}

/** https://www.speedscope.app/file-format-schema.json */
function sampled({ names, files, nodes }: CallTree) {
  const stacks: number[][] = [];
  for (let i = 0; i < nodes.name.length; i++)
    stacks.push(nodes.parent[i]! < 0 ? [nodes.name[i]!] : [...stacks[nodes.parent[i]!]!, nodes.name[i]!]);
  const kept = stacks.map((_, i) => i).filter((i) => nodes.headSelf[i]! > 0);
  const weights = kept.map((i) => nodes.headSelf[i]!);
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name: 'orders',
    shared: { frames: names.map((name, i) => ({ name, file: files[i] })) },
    profiles: [
      {
        type: 'sampled',
        name: 'orders',
        unit: 'nanoseconds',
        startValue: 0,
        endValue: weights.reduce((sum, weight) => sum + weight, 0),
        samples: kept.map((i) => stacks[i]!),
        weights,
      },
    ],
  };
}
