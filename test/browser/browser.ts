/**
 * A real browser for tests. Needs playwright-core and a Chromium (`CHROMIUM_PATH`, or /usr/bin/chromium); without them
 * the tests that need it are skipped, and say so.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const playwright = await import('playwright-core').catch(() => undefined);
const missing = [
  playwright === undefined ? 'playwright-core is not installed' : '',
  existsSync(executablePath) ? '' : `there is no browser at ${executablePath}`,
].filter((reason) => reason !== '');
if (missing.length > 0) console.warn(`Skipped tests in a browser: ${missing.join(', ')}.`);

export const hasBrowser: boolean = missing.length === 0;

export interface OpenedPage {
  page: Page;
  /** Requests to anywhere, messages on the console, errors, and violations of the page's policy. */
  problems: string[];
}

export interface Pages {
  /** Opens a page of its own from a file; `ready` is a condition to wait for. */
  open(html: string, options?: { hash?: string; ready?: string } & BrowserContextOptions): Promise<OpenedPage>;
  close(): Promise<void>;
}

/** One browser, and a directory for its pages. */
export async function launchBrowser(): Promise<Pages> {
  const directory = mkdtempSync(join(tmpdir(), 'lambda-profile-page-'));
  const browser: Browser = await playwright!.chromium.launch({ executablePath, args: ['--no-sandbox'] });
  return {
    async open(html, { hash = '', ready = 'true', ...options } = {}) {
      const file = join(directory, 'page.html');
      writeFileSync(file, html);
      const url = pathToFileURL(file).href;
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
      const problems: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
          problems.push(`request ${request.url()}`);
      });
      page.on('console', (message) => problems.push(`console ${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => problems.push(`error ${error.message}`));
      await page.goto(url + hash);
      await until(page, ready);
      return { page, problems };
    },
    async close() {
      await browser.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Waits for a condition (the page's own policy forbids playwright's polling, which evaluates text in the page). */
export async function until(page: Page, condition: string): Promise<void> {
  await expect.poll(() => page.evaluate(condition), { timeout: 30_000 }).toBe(true);
}
