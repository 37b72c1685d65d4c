/**
 * Draws `docs/comment.png`, the picture in the README: the demo's comment, rendered with GitHub's Markdown rules at the
 * width of a pull request. Run `npm run demo` first; needs Chromium (CHROMIUM_PATH, or /usr/bin/chromium).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { renderLikeGitHub } from '../test/report/github-markdown.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const comment = readFileSync(`${root}/.lambda-profile/demo/slower/comment.md`, 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 860, height: 600 }, deviceScaleFactor: 2 });
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; padding: 20px; background: #fff; width: 820px; box-sizing: border-box }
    article { border: 1px solid #d1d9e0; border-radius: 6px; padding: 16px; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif, "Noto Color Emoji"; color: #1f2328 }
    h3 { font-size: 1.25em; margin: 0 0 16px } p, ul, table, details { margin: 0 0 16px } ul { padding-left: 2em }
    table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto }
    th, td { border: 1px solid #d1d9e0; padding: 6px 13px } tr:nth-child(2n) { background: #f6f8fa }
    code { background: #818b981f; padding: .2em .4em; border-radius: 6px; font: 85% ui-monospace, "DejaVu Sans Mono", monospace }
    a { color: #0969da; text-decoration: none } sub { font-size: 75% } summary { font-weight: 600 }
    </style><article>${await renderLikeGitHub(comment)}</article>`);
  await page.locator('article').screenshot({ path: `${root}/docs/comment.png` });
} finally {
  await browser.close();
}
