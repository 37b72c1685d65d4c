import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeTree } from '../../../src/report/flamegraph/encode.ts';
import { renderPage } from '../../../src/report/flamegraph/page.ts';
import { hostileNames, hostileReport, samples } from '../samples.ts';
import { allocationsTree, generatedTree, ordersTree } from './sample-trees.ts';

const page = renderPage(samples.regression!, [ordersTree(), allocationsTree()]);

/** Elements and attributes of a page without the contents of its script and style. */
const markup = (html: string): string => html.replace(/(<(script|style)[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3');
const hash = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

describe('renderPage()', () => {
  it('lets only its own script and style run, by hash, and nothing load', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!;
    const script = /<script>([\s\S]*?)<\/script>/.exec(page)![1]!;
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
    expect(policy).toBe(
      `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style'));
  });
  it('refers to nothing outside but links to the code', () => {
    const html = markup(page);
    expect(html.match(/\b(src|srcset|action|data|poster|background)=/g)).toBeNull();
    expect(html.match(/\bstyle=|\bon\w+=/g)).toBeNull();
    const links = Array.from(html.matchAll(/href="([^"]+)"/g), (match) => match[1]!);
    expect(
      links.filter((link) => !/^(#[abf]=|data:,$|https:\/\/github\.com\/octo-org\/orders\/blob\/)/.test(link)),
    ).toEqual([]);
  });
  it('has the verdict, then the tables, then the flame graph', () => {
    const places = [
      '<h1>',
      '<caption>CPU per invocation, own code first',
      '<caption>In all; unless a metric has its own',
      '<canvas',
    ].map((part) => page.indexOf(part));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
  it('gives every table a caption and every header cell a scope', () => {
    const html = markup(page);
    expect(html.match(/<caption>/g)).toHaveLength(html.match(/<table>/g)!.length);
    expect(html.match(/<th(?![^>]*scope=)[\s>]/g)).toBeNull();
  });
  it('leads from a row to its frame by the name in the tree', () => {
    const target = /href="#(f=[^"]+)" title="Show in the flame graph"><code>pricing\.sortRules</.exec(page)![1]!;
    expect(ordersTree().names).toContain(new URLSearchParams(target).get('f'));
  });
  it('carries the trees', () => {
    const packed = Array.from(page.matchAll(/<script type="text\/plain">([^<]+)</g), (match) => match[1]!);
    const trees = packed.map((text) => decodeTree(gunzipSync(Buffer.from(text, 'base64')).toString()));
    expect(trees.map(({ sampleType }) => sampleType)).toEqual(['cpu', 'alloc_space']);
    expect(trees[0]!.names).toEqual(ordersTree().names);
  });
  it('is below 400 kB for 50,000 frames, and cuts larger trees aloud', () => {
    expect(renderPage(samples.regression!, [generatedTree(50_000)]).length).toBeLessThan(400_000);
    const cut = renderPage(samples.regression!, [generatedTree(120_000)]);
    expect(cut).toMatch(/smallest frames are shown as <code>\(other\)<\/code>/);
  });
  it('has no flame graph without a tree, in any state', () => {
    for (const report of Object.values(samples)) {
      const html = renderPage(report, []);
      expect(html).not.toContain('<canvas');
      expect(html).toContain('</html>');
    }
  });
  it('is a plain flame graph when there is no base', () => {
    const first = renderPage(samples['first-run']!, [ordersTree('head')]);
    expect(first).toContain('>Flame graph</h2>');
    expect(first).toContain('<caption>CPU per invocation</caption>');
  });
  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('shows %j as text wherever it appears', (_, name) => {
    const tree = { ...ordersTree(), sampleType: name, unit: name, names: ordersTree().names.map(() => name) };
    const html = markup(renderPage(hostileReport(name), [tree]));
    const tags = new Set(Array.from(html.matchAll(/<\/?([a-z0-9]+)/gi), (match) => match[1]!.toLowerCase()));
    expect(Array.from(tags).filter((tag) => ['img', 'iframe', 'b', 'base', 'object', 'form'].includes(tag))).toEqual(
      [],
    );
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/\bstyle=|\bon\w+\s*=\s*["']/g)).toBeNull();
    expect(html).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
  });
  it('is the same text for the same report', () => {
    expect(renderPage(samples.regression!, [ordersTree(), allocationsTree()])).toBe(page);
  });
});
