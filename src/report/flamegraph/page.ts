/**
 * The report as one HTML file that asks nothing of any server: tables first, then the interactive differential flame
 * graph. The content security policy lets the one script and the one style sheet in it run, by hash, and nothing else.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { formatThreshold } from '../../compare/format.ts';
import { escapeHtml, visibleText } from '../escape.ts';
import type { Report } from '../report.ts';
import { foldsReasons, shownWarnings, stateMarks, stateOf } from '../state.ts';
import type { CallTree } from './calltree.ts';
import { encodeTree } from './encode.ts';
import { changesSection, closingSections, hottestSection, metricsSection, prose, reasonItems } from './page-tables.ts';
import { type Step, stepShares } from './palette.ts';
import { pruneTree } from './prune.ts';
import { styleSheet } from './style.ts';
import { viewerScript } from './viewer.generated.ts';

/** More frames than this are no longer readable and make the file slow to open. */
const maxNodes = 100_000;

/** The page; one tab per tree. Without trees there is no flame graph, only the tables. */
export function renderPage(report: Report, trees: CallTree[]): string {
  const title = `${visibleText(report.functionName, 80)}: ${visibleText(report.verdict.headline, 200)}`;
  const hasGraph = trees.length > 0;
  const sections = [changesSection(report, hasGraph), hottestSection(report, hasGraph), metricsSection(report)];
  return renderDocument({
    title,
    above: [header(report), ...sections].join('\n'),
    trees: trees.map((tree) => withInterval(tree, report.head?.environment.intervalUs ?? 0)),
    below: closingSections(report, idsOf(trees)),
    tool: report.tool,
  });
}

/** A profile nobody judged, and where it is from: the flame graph alone. */
export interface BareProfile {
  /** e.g. the name of a file; untrusted text. */
  title: string;
  /** What is known of it, a sentence each; untrusted text. */
  facts: string[];
  /** Time between samples; 0 when it is not known. */
  intervalUs: number;
  tool: string;
}

/** The page of a profile, or of two, without a verdict. */
export function renderProfilePage({ title, facts, intervalUs, tool }: BareProfile, trees: CallTree[]): string {
  const items = facts.map((fact) => `<li>${text(fact, 300)}</li>`);
  return renderDocument({
    title: visibleText(title, 200),
    above: `<header>\n<h1>${text(title, 200)}</h1>\n${items.length === 0 ? '' : `<ul>${items.join('')}</ul>`}\n</header>`,
    trees: trees.map((tree) => withInterval(tree, intervalUs)),
    below: '',
    tool,
  });
}

/** Instances that can be looked at alone. */
function idsOf(trees: CallTree[]): Set<string> {
  return new Set(trees[0]?.instances?.map(({ side, id }) => `${side} ${id}`));
}

/** The browser computes the noise, because the reader may look at other sides than these. */
function withInterval(tree: CallTree, intervalUs: number): CallTree {
  return tree.intervalUs !== undefined || intervalUs === 0 ? tree : { ...tree, intervalUs };
}

interface Parts {
  /** One line of visible text. */
  title: string;
  /** Markup above and below the flame graph. */
  above: string;
  below: string;
  trees: CallTree[];
  tool: string;
}

function renderDocument({ title, above, trees, below, tool }: Parts): string {
  const pruned = trees.map((tree) => pruneTree(tree, maxNodes));
  const policy = `default-src 'none'; script-src '${hashOf(viewerScript)}'; style-src '${hashOf(styleSheet)}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${styleSheet}</style>
</head>
<body>
<main>
${above}
${trees.length === 0 ? '' : flameSection(trees, pruned)}
${below}
</main>
<footer><p>${text(tool, 80)}. This file is complete: it loads nothing and sends nothing.</p></footer>
${pruned.map(({ tree }) => `<script type="text/plain">${pack(tree)}</script>`).join('\n')}
<script>${viewerScript}</script>
</body>
</html>
`;
}

function header(report: Report): string {
  const state = stateOf(report);
  const { sign, word } = stateMarks[state];
  const { base, head } = report;
  const commits = [
    base === undefined ? '' : `base <code>${text(base.commit.slice(0, 7))}</code> (${text(base.relation)})`,
    head === undefined ? '' : `head <code>${text(head.commit.slice(0, 7))}</code>`,
  ].filter((part) => part !== '');
  const environment =
    head === undefined
      ? []
      : [text(`${head.environment.architecture}, ${head.environment.memoryMb} MB, ${head.environment.runtime}`)];
  const reasons = foldsReasons(state) ? [] : reasonItems(report);
  const checks = report.verdict.checks.slice(0, 50).map((check) => {
    const mark = { ok: '✓ ok', failed: '✗ failed', unknown: '? unknown' }[check.state];
    return `<tr><th scope="row">${prose(check.what, 200)}</th><td>${mark}</td><td>${prose(check.found, 300)}</td></tr>`;
  });
  const warnings = shownWarnings(report)
    .slice(0, 20)
    .map((warning) => `<li>${prose(warning, 500)}</li>`);
  return `<header>
<p class="state ${state}"><span aria-hidden="true">${sign}</span> ${word}</p>
<h1>${text(report.verdict.headline, 300)}</h1>
<p class="quiet">${[commits.join(' → '), ...environment].join(' · ')}</p>
${reasons.length === 0 ? '' : `<ul>${reasons.join('')}</ul>`}
${checks.length === 0 ? '' : `<div class="scroll" tabindex="0" role="region" aria-label="What was checked"><table><caption>What was checked</caption><thead><tr><th scope="col">Checked</th><th scope="col">Result</th><th scope="col">Found</th></tr></thead><tbody>${checks.join('')}</tbody></table></div>`}
${warnings.length === 0 ? '' : `<ul class="warnings">${warnings.join('')}</ul>`}
${report.verdict.next === '' ? '' : `<p><strong>Next:</strong> ${prose(report.verdict.next)}</p>`}
</header>`;
}

function flameSection(trees: CallTree[], pruned: ReturnType<typeof pruneTree>[]): string {
  const tabs = trees.map(
    (tree, index) =>
      `<button type="button" role="tab" id="tab${index}" aria-controls="panel" aria-selected="${index === 0}">${text(tree.sampleType, 40)}</button>`,
  );
  const notes = pruned
    .filter(({ prunedNodes }) => prunedNodes > 0)
    .map(
      ({ tree, prunedNodes }) =>
        `${text(tree.sampleType, 40)}: the ${prunedNodes} smallest frames are shown as <code>(other)</code>.`,
    );
  const hasBase = trees.some((tree) => tree.nodes.baseSelf.some((value) => value > 0));
  return `<section id="flame" aria-labelledby="flame-title">
<h2 id="flame-title">${hasBase ? 'Differential flame graph' : 'Flame graph'}</h2>
<noscript><p>The flame graph needs JavaScript, and a browser of 2023 or later. The tables above do not.</p></noscript>
<div id="bar">
<div role="tablist" aria-label="Profile type"${trees.length === 1 ? ' hidden' : ''}>${tabs.join('')}</div>
<div id="tools">
<fieldset id="sides"><legend>Width</legend>${radios('width', [
    ['head', 'After'],
    ['base', 'Before'],
    ['both', 'Both'],
  ])}</fieldset>
<fieldset id="colours"><legend>Colour</legend>${radios('colour', [
    ['total', 'Total'],
    ['self', 'Self'],
  ])}</fieldset>
<fieldset id="instances" hidden><legend>Instance</legend><label>After <select id="after"></select></label><label>Before <select id="before"></select></label></fieldset>
<span id="find"><label for="search">Search</label><input id="search" type="search" placeholder="name or regexp ( / )" autocomplete="off" spellcheck="false" maxlength="200"><output id="found" for="search"></output></span>
<button type="button" id="reset" title="Escape">Show all</button>
<button type="button" id="rise" title="r">Largest rise</button>
<button type="button" id="callers" title="c" aria-pressed="false">Callers</button>
<button type="button" id="theme" title="Light or dark">Theme</button>
</div>
<div id="about"><p><strong id="frame"></strong> <span id="file" class="quiet"></span></p><p id="facts"></p></div>
</div>
<div id="panel" role="tabpanel" aria-label="Flame graph">
<canvas id="graph" tabindex="0" role="application" aria-roledescription="flame graph" aria-label="Flame graph. Arrow keys move between callers, callees and neighbours, Enter zooms, Escape goes back, c shows callers, r the largest rise, slash searches. The tables on this page say the same in text."></canvas>
</div>
<p id="live" class="unseen" aria-live="polite"></p>
<p id="note" class="quiet"></p>
${legend()}
${notes.length === 0 ? '' : `<p class="quiet">${notes.join(' ')}</p>`}
<details id="calls"><summary>Call tree</summary><p class="quiet">The same frames as text, largest first. → and ← open and close a row, Enter shows it in the flame graph.</p><div id="calltree"></div></details>
<p class="quiet keys">Keys: <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>Enter</kbd> zoom, <kbd>Esc</kbd> back, <kbd>c</kbd> callers, <kbd>r</kbd> largest rise, <kbd>/</kbd> search.</p>
</section>`;
}

function radios(name: string, choices: [value: string, label: string][]): string {
  return choices
    .map(
      ([value, label], index) =>
        `<label><input type="radio" name="${name}" value="${value}"${index === 0 ? ' checked' : ''}> ${label}</label>`,
    )
    .join('');
}

function legend(): string {
  const steps: Step[] = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
  const items = steps.map((step) => {
    const share = stepShares[Math.abs(step) - 1];
    const label = share === undefined ? 'noise' : `${step < 0 ? '▼ −' : '▲ +'}${formatThreshold(share).slice(1)}`;
    return `<li class="${step === 0 ? 'z' : step > 0 ? `u${step}` : `d${-step}`}">${label}</li>`;
  });
  return `<ul id="legend" aria-label="Colours: change as a share of the base total">${items.join('')}<li class="plain">of the base total; striped: new or gone</li></ul>`;
}

function pack(tree: CallTree): string {
  return gzipSync(encodeTree(tree), { level: 9 }).toString('base64');
}

function hashOf(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}

function text(value: string, maxLength = 1_000): string {
  return escapeHtml(visibleText(value, maxLength));
}
