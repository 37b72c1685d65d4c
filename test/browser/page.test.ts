/** The page in a real browser; see `browser.ts` for what these tests need. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../src/report/flamegraph/page.ts';
import { allocationsTree, generatedTree, ordersTree, withInstances } from '../report/flamegraph/sample-trees.ts';
import { hostileNames, hostileReport, samples } from '../report/samples.ts';
import { hasBrowser, launchBrowser, type OpenedPage, type Pages, until } from './browser.ts';

describe.skipIf(!hasBrowser)('the page in a browser', () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await launchBrowser();
  });
  afterAll(() => pages?.close());

  const regression = renderPage(samples.regression!, [ordersTree(), allocationsTree()]);
  const ready = 'document.documentElement.dataset.ready === ""';
  const open = (html: string, hash = '', width = 1280): Promise<OpenedPage> =>
    pages.open(html, { hash, ready, viewport: { width, height: 900 } });
  const frame = (page: Page) => page.textContent('#frame');
  const address = (page: Page) => page.evaluate<string>('location.hash');
  /** Colour of the canvas at a point given in CSS pixels. */
  const colourAt = (page: Page, x: number, y: number) =>
    page.evaluate<string>(
      `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
        const canvas = document.getElementById('graph');
        const ratio = devicePixelRatio;
        done(Array.from(canvas.getContext('2d').getImageData(${x} * ratio, ${y} * ratio, 1, 1).data).slice(0, 3).join());
      })))`,
    );

  it('asks for nothing, violates no policy and reports no error', async () => {
    const { page, problems } = await open(regression);
    expect(problems).toEqual([]);
    expect(await frame(page)).toBe('all');
    await page.close();
  });

  it('is led through with the keyboard alone', async () => {
    const { page, problems } = await open(regression);
    await page.evaluate('document.getElementById("graph").focus()');
    await page.keyboard.press('ArrowDown');
    expect(await frame(page)).toBe('main.main');
    await page.keyboard.press('ArrowRight');
    expect(await frame(page)).toBe('runtime.mcall');
    expect(await page.textContent('#live')).toMatch(/^runtime\.mcall: .* per invocation/);
    await page.keyboard.press('Enter');
    expect(await address(page)).toBe('#f=runtime.mcall');
    await page.keyboard.press('Escape');
    expect(await address(page)).toBe('');
    await page.keyboard.press('r');
    expect(await frame(page)).toMatch(/sort/);
    await page.keyboard.press('c');
    expect(await address(page)).toMatch(/v=callers/);
    expect(await page.textContent('#note')).toMatch(/^Callers above, callees below/);
    await page.keyboard.press('ArrowUp');
    expect(await frame(page)).toMatch(/sort/);
    await page.keyboard.press('Escape');
    expect(await address(page)).not.toMatch(/v=callers/);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).not.toBe('graph');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('searches with a regular expression and with what is none', async () => {
    const { page, problems } = await open(regression);
    await page.keyboard.press('/');
    await page.keyboard.type('^sort\\.');
    await until(page, 'document.getElementById("found").textContent.startsWith("1 frame")');
    await page.keyboard.press('Enter');
    expect(await frame(page)).toBe('sort.Slice');
    await page.evaluate('document.getElementById("search").select()');
    await page.keyboard.type('(*Engine');
    await until(page, 'document.getElementById("found").textContent.startsWith("1 frame")');
    await page.evaluate('document.getElementById("search").select()');
    await page.keyboard.type('nothing like it');
    await until(page, 'document.getElementById("found").textContent === "no match"');
    await page.keyboard.press('Escape');
    expect(await page.textContent('#found')).toBe('');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('zooms with the pointer and back through a caller', async () => {
    const { page } = await open(regression, '#flame');
    await page.evaluate('document.getElementById("flame").scrollIntoView()');
    const box = await page.evaluate<{ left: number; top: number }>(
      '(({ left, top }) => ({ left, top }))(document.getElementById("graph").getBoundingClientRect())',
    );
    await page.mouse.click(box.left + 5, box.top + 4 * 20 + 10);
    expect(await frame(page)).toMatch(/\(\*Engine\)\.Apply$/);
    await page.mouse.move(box.left + 5, box.top + 10);
    expect(await frame(page)).toBe('all');
    await page.mouse.click(box.left + 5, box.top + 10);
    expect(await address(page)).toBe('');
    await page.close();
  });

  it('opens the frame that a row of the table names, gone code in the union', async () => {
    const { page } = await open(regression);
    await page.click('a[href*="legacyTaxTable"]');
    await until(page, 'location.hash.includes("w=both")');
    expect(await frame(page)).toMatch(/legacyTaxTable \(gone\)$/);
    expect(await page.evaluate('document.activeElement.id')).toBe('graph');
    await page.close();
  });

  it('opens a deep link, and says when the function is not there', async () => {
    const { page } = await open(regression, '#f=pricing.sortRules&v=callers');
    expect(await frame(page)).toMatch(/sortRules$/);
    await page.close();
    const other = await open(regression, '#f=nothing');
    expect(await other.page.textContent('#note')).toBe('nothing is not in this profile.');
    await other.page.close();
  });

  it('shows another profile type, width and colour', async () => {
    const { page } = await open(regression);
    await page.click('#tab1');
    await until(page, 'document.getElementById("facts").textContent.includes("MB")');
    expect(await address(page)).toBe('#t=1');
    await page.check('input[value=base]');
    await page.check('input[value=self]');
    expect(await address(page)).toBe('#t=1&w=base&c=self');
    expect(await page.textContent('#note')).toMatch(/^Before/);
    await page.close();
  });

  it('draws the colours of the theme, and light ones on paper', async () => {
    const { page } = await open(regression);
    expect(await colourAt(page, 600, 3)).toBe('194,80,15');
    await page.click('#theme');
    expect(await colourAt(page, 600, 3)).toBe('255,154,77');
    await page.evaluate('dispatchEvent(new Event("beforeprint"))');
    expect(await colourAt(page, 600, 3)).toBe('194,80,15');
    await page.evaluate('dispatchEvent(new Event("afterprint"))');
    expect(await colourAt(page, 600, 3)).toBe('255,154,77');
    await page.close();
  });

  it('needs no sideways scrolling at 390 pixels', async () => {
    for (const report of Object.values(samples)) {
      const { page } = await open(renderPage(report, [withInstances(ordersTree())]), '', 390);
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      await page.close();
    }
  });

  it('shows one instance in place of a side, from its list, from a row of the table and from the address', async () => {
    const html = renderPage(samples.regression!, [withInstances(ordersTree()), allocationsTree()]);
    const { page, problems } = await open(html);
    const facts = () => page.textContent('#facts');
    expect(await facts()).toMatch(/^9\.85 → 12\.1 ms/);
    await page.selectOption('#after', 'i-1a2b3c02');
    await until(page, 'document.getElementById("facts").textContent.startsWith("9.85 → 24.1 ms")');
    expect(await facts()).toMatch(/above its noise of ±/);
    expect(await address(page)).toBe('#a=i-1a2b3c02');
    await page.selectOption('#before', 'i-1a2b3c00');
    await until(page, 'document.getElementById("facts").textContent.startsWith("8.86 → 24.1 ms")');
    await page.click('#tab1');
    await until(page, 'document.getElementById("instances").hidden');
    await page.click('#tab0');
    await until(page, 'document.getElementById("facts").textContent.startsWith("8.86 → 24.1 ms")');
    await page.click('text=All 16 instances');
    await page.click('a[href="#a=i-1a2b3c00"]');
    await until(page, 'document.getElementById("facts").textContent.startsWith("9.85 → 10.8 ms")');
    expect(await page.inputValue('#after')).toBe('i-1a2b3c00');
    expect(await page.inputValue('#before')).toBe('');
    expect(problems).toEqual([]);
    await page.close();
    const linked = await open(html, '#b=i-1a2b3c00&a=nobody');
    expect(await linked.page.textContent('#facts')).toMatch(/^8\.86 → 12\.1 ms/);
    await linked.page.close();
  });

  it('has the frames as a tree of text that the keyboard opens, and that leads back to the picture', async () => {
    const { page, problems } = await open(regression);
    const rows = () => page.locator('#calltree [role=treeitem]');
    const current = () => page.evaluate<string>('document.activeElement.querySelector(".name").textContent');
    expect(await rows().count()).toBe(0);
    await page.click('#calls summary');
    await expect.poll(() => rows().count(), { timeout: 30_000 }).toBeGreaterThan(5);
    await page.keyboard.press('Tab');
    expect(await current()).toMatch(/sort/);
    await page.keyboard.press('Home');
    expect(await current()).toBe('all');
    await page.keyboard.press('ArrowLeft');
    expect(await rows().count()).toBe(1);
    await page.keyboard.press('ArrowRight');
    expect(await rows().count()).toBe(4);
    await page.keyboard.press('ArrowRight');
    expect(await current()).toBe('main.main');
    await page.keyboard.press('ArrowDown');
    expect(await current()).toBe('runtime.mcall');
    await page.keyboard.press('ArrowLeft');
    expect(await current()).toBe('all');
    await page.keyboard.press('End');
    expect(await current()).toBe('runtime.gcBgMarkWorker');
    expect(await page.evaluate('document.activeElement.querySelector(".change").textContent')).toMatch(/^▲ \+0\.24 ms/);
    await page.keyboard.press('Enter');
    expect(await address(page)).toBe('#f=runtime.gcBgMarkWorker');
    expect(await page.evaluate('document.activeElement.id')).toBe('graph');
    await page.click('#calltree [role=treeitem] [role=treeitem]:has-text("runtime.mcall") .call');
    expect(await page.isVisible('#calltree .name:text-is("runtime.schedule")')).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('draws 50,000 frames with few elements', async () => {
    const { page, problems } = await open(renderPage(samples.regression!, [generatedTree(50_000)]));
    expect(await page.evaluate<number>('document.querySelectorAll("*").length')).toBeLessThan(1_000);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('shows hostile names as text', async () => {
    for (const name of hostileNames.filter((candidate) => /[<>`'"&]/.test(candidate)).slice(0, 6)) {
      const tree = { ...ordersTree(), sampleType: name, names: ordersTree().names.map(() => name) };
      const { page, problems } = await open(renderPage(hostileReport(name), [tree]));
      await page.evaluate('document.getElementById("graph").focus()');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('c');
      expect(problems).toEqual([]);
      await page.close();
    }
  });
});
