import { describe, expect, it } from 'vitest';
import { renderSvg } from '../../../src/report/flamegraph/svg.ts';
import { hostileNames, samples } from '../samples.ts';
import { generatedTree, ordersTree } from './sample-trees.ts';

const report = samples.regression!;

describe('renderSvg()', () => {
  it('draws the sample the way it did before', async () => {
    await expect(renderSvg(report, ordersTree())).toMatchFileSnapshot('../fixtures/golden/flamegraph.svg');
  });
  it('holds no script, no link and no style but its own', () => {
    const svg = renderSvg(report, ordersTree());
    expect(svg).not.toMatch(/<script|<a |href|on\w+=|<foreignObject|url\(/i);
    expect(Array.from(new Set(svg.match(/<[a-z]+/g)))).toEqual(['<svg', '<title', '<style', '<rect', '<text', '<g']);
  });
  it('stays below 1,500 frames and 500 kB for a large tree', () => {
    const svg = renderSvg(report, generatedTree(50_000));
    expect(svg.match(/<g>/g)!.length).toBeLessThanOrEqual(1_500);
    expect(svg.length).toBeLessThan(500_000);
  });
  it('draws one side when there is one, without a legend of changes', () => {
    const svg = renderSvg(report, ordersTree('head'));
    expect(svg).toContain('12.1 ms');
    expect(svg).not.toContain('▲');
  });
  it('draws an empty tree', () => {
    const tree = ordersTree();
    const empty = {
      ...tree,
      nodes: {
        name: new Int32Array(),
        parent: new Int32Array(),
        baseSelf: new Float64Array(),
        headSelf: new Float64Array(),
      },
    };
    expect(renderSvg(report, empty)).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
  });
  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('shows %j as text', (_, name) => {
    const tree = ordersTree();
    const svg = renderSvg(
      { ...report, functionName: name },
      { ...tree, sampleType: name, names: tree.names.map(() => name), files: tree.names.map(() => name) },
    );
    expect(svg.match(/<(?!\/?(?:svg|title|style|rect|text|g)\b)/g)).toBeNull();
    expect(svg).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});
