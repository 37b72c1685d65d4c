/**
 * The page in a real browser. Needs playwright-core and a Chromium (`CHROMIUM_PATH`, or /usr/bin/chromium); without
 * them these tests are skipped, and say so.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../src/report/flamegraph/page.ts';
import { allocationsTree, generatedTree, ordersTree } from '../report/flamegraph/sample-trees.ts';
import { hostileNames, hostileReport, samples } from '../report/samples.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const playwright = await import('playwright-core').catch(() => undefined);
const missing = [
  playwright === undefined ? 'playwright-core is not installed' : '',
  existsSync(executablePath) ? '' : `there is no browser at ${executablePath}`,
].filter((reason) => reason !== '');
if (missing.length > 0) console.warn(`Skipped the browser tests: ${missing.join(', ')}.`);

describe.skipIf(missing.length > 0)('the page in a browser', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lambda-profile-page-'));
  let browser: Browser;
  beforeAll(async () => {
    browser = await playwright!.chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true });
  });

  const regression = renderPage(samples.regression!, [ordersTree(), allocationsTree()]);

  /** Opens a page; `problems` collects requests, errors and violations of the policy. */
  async function open(html: string, hash = '', width = 1280): Promise<{ page: Page; problems: string[] }> {
    const file = join(directory, 'page.html');
    writeFileSync(file, html);
    const url = pathToFileURL(file).href;
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const problems: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
        problems.push(`request ${request.url()}`);
    });
    page.on('console', (message) => problems.push(`console ${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => problems.push(`error ${error.message}`));
    await page.goto(url + hash);
    await until(page, 'document.documentElement.dataset.ready === ""');
    return { page, problems };
  }
  /** Waits for a condition (the page's own policy forbids playwright's polling, which evaluates text in the page). */
  const until = (page: Page, condition: string) =>
    expect.poll(() => page.evaluate(condition), { timeout: 10_000 }).toBe(true);
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
      const { page } = await open(renderPage(report, [ordersTree()]), '', 390);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      await page.close();
    }
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
