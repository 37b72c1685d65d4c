/**
 * Draws `docs/comment.png`, the picture in the README: the demo's comment, rendered with GitHub's Markdown rules at the
 * width of a pull request. Run `npm run demo` first; needs Chromium (CHROMIUM_PATH, or /usr/bin/chromium).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { renderPullRequestPage } from '../test/report/pull-request-page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const comment = readFileSync(`${root}/.lambda-profile/demo/slower/comment.md`, 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 880, height: 600 }, deviceScaleFactor: 2 });
  await page.setContent(await renderPullRequestPage(comment));
  await page.locator('article').screenshot({ path: `${root}/docs/comment.png` });
} finally {
  await browser.close();
}
