/** The comment rendered with GitHub's rules, as a picture in the column of a pull request. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderComment } from '../../src/report/comment.ts';
import { commentWidth, renderPullRequestPage } from '../report/pull-request-page.ts';
import { hostileNames, hostileReport, samples } from '../report/samples.ts';
import { hasBrowser, launchBrowser, type Pages } from './browser.ts';

interface Measured {
  /** What sticks out of the column, or scrolls sideways within it. */
  wide: string[];
  /** Height of what is seen before anything is unfolded. */
  height: number;
  width: number;
}

const measure = `(() => {
  const article = document.querySelector('article');
  const wide = [article, ...article.querySelectorAll('*')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
    .map((one) => one.tagName + ': ' + one.textContent.slice(0, 100));
  return { wide, height: article.offsetHeight, width: article.offsetWidth };
})()`;

describe.skipIf(!hasBrowser)('the comment as a picture', () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await launchBrowser();
  });
  afterAll(() => pages?.close());

  const look = async (comment: string, theme: 'light' | 'dark', unfolded: boolean): Promise<Measured> => {
    const { page, problems } = await pages.open(await renderPullRequestPage(comment, theme));
    if (unfolded) await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    const measured = await page.evaluate<Measured>(measure);
    expect(problems).toEqual([]);
    await page.close();
    return measured;
  };

  it.each(Object.keys(samples))('fits the column without scrolling sideways: %s', async (state) => {
    const comment = renderComment(samples[state]!);
    const folded = await look(comment, 'light', false);
    expect(folded).toMatchObject({ wide: [], width: commentWidth });
    // The whole verdict, its table and what to do next are seen without scrolling on a laptop.
    expect(folded.height).toBeLessThanOrEqual(900);
    expect((await look(comment, 'dark', true)).wide).toEqual([]);
  });

  it('fits with names of any length in the open table', async () => {
    const long = hostileNames.filter((name) => name.length > 1_000);
    for (const name of [...long, `${'package/'.repeat(9)}name.(*ReceiverOfTheMethod).NameOfTheMethod`]) {
      const { wide } = await look(renderComment(hostileReport(name)), 'light', false);
      expect(wide.filter((one) => /^ARTICLE|^TABLE:\s*Function\s+Base → head/.test(one))).toEqual([]);
    }
  });

  it('scrolls long names within their table, never the page', async () => {
    for (const name of hostileNames.filter((candidate) => candidate.length > 100)) {
      const { wide, width } = await look(renderComment(hostileReport(name)), 'light', true);
      expect(wide.filter((one) => !one.startsWith('TABLE'))).toEqual([]);
      expect(width).toBe(commentWidth);
    }
  });
});
