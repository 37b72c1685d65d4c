/** Accessibility rules of axe-core on the page in a real browser: light, dark, narrow, and with everything open. */
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../src/report/flamegraph/page.ts';
import { allocationsTree, ordersTree, withInstances } from '../report/flamegraph/sample-trees.ts';
import { samples } from '../report/samples.ts';
import { hasBrowser, launchBrowser, type Pages } from './browser.ts';

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

describe.skipIf(!hasBrowser)('the accessibility of the page', () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await launchBrowser();
  });
  afterAll(() => pages?.close());

  /** Rules that are broken, each with the elements that break it. */
  async function violationsOf(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResults>(
      `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(tags)} } })`,
    );
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
  }

  const trees = [withInstances(ordersTree()), allocationsTree()];
  const ready = 'document.documentElement.dataset.ready === ""';
  const openAll = 'for (const one of document.querySelectorAll("details")) one.open = true';

  for (const [state, report] of Object.entries(samples))
    for (const colorScheme of ['light', 'dark'] as const)
      it(`breaks no rule for ${state} in ${colorScheme}`, async () => {
        const { page } = await pages.open(renderPage(report, trees), { ready, colorScheme });
        await page.evaluate(openAll);
        expect(await violationsOf(page)).toEqual([]);
        await page.close();
      });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`breaks none at 390 pixels in ${colorScheme}, with a search, a call tree and callers open`, async () => {
      const { page } = await pages.open(renderPage(samples.regression!, trees), {
        ready,
        colorScheme,
        hash: '#f=pricing.sortRules&v=callers&q=sort&a=i-1a2b3c02',
        viewport: { width: 390, height: 844 },
      });
      await page.evaluate(openAll);
      expect(await violationsOf(page)).toEqual([]);
      await page.close();
    });

  it('is looked at by rules that find what is broken', async () => {
    const { page } = await pages.open(renderPage(samples.pass!, []).replace('<main>', '<main><input>'));
    expect(await violationsOf(page)).toEqual(['label: <input>']);
    await page.close();
  });

  it('breaks none without a graph', async () => {
    const { page } = await pages.open(renderPage(samples.error!, []));
    expect(await violationsOf(page)).toEqual([]);
    await page.close();
  });
});
