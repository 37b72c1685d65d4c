/**
 * The comment and the summary the way GitHub shows them: parsed as GitHub Flavored Markdown, then sanitised with rules
 * that follow GitHub's (the default schema of rehype-sanitize does).
 */
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { describe, expect, it } from 'vitest';
import { renderComment } from '../../src/report/comment.ts';
import { visibleText } from '../../src/report/escape.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { hostileNames, hostileReport, samples } from './samples.ts';

const parsed = unified().use(remarkParse).use(remarkGfm).use(remarkRehype, { allowDangerousHtml: true }).use(rehypeRaw);
const unsanitised = parsed().use(rehypeStringify);
const sanitised = parsed().use(rehypeSanitize).use(rehypeStringify);

const withoutComments = (html: string) => html.replace(/<!--[\s\S]*?-->/g, '').trim();
const tagsOf = (html: string) => new Set(Array.from(html.matchAll(/<([a-z0-9]+)/g), (match) => match[1]!));
const linksOf = (html: string) => Array.from(html.matchAll(/href="([^"]*)"/g), (match) => match[1]!);
const characters: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
/** Text as a reader sees it. */
const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, '')
    .replace(/&(?:#x([0-9a-f]+)|lt|gt|amp);/gi, (reference, code?: string) =>
      code === undefined ? characters[reference]! : String.fromCodePoint(Number.parseInt(code, 16)),
    )
    .replaceAll('\u200b', '');

const renderers = { comment: renderComment, summary: renderSummary };

describe.each(Object.entries(renderers))('the %s', (_, render) => {
  it.each(Object.keys(samples))('loses nothing in the sanitiser: %s', (state) => {
    const markdown = render(samples[state]!);
    const html = String(sanitised.processSync(markdown));
    expect(withoutComments(html)).toBe(withoutComments(String(unsanitised.processSync(markdown))));
  });

  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('shows %j as text and nothing else', (_, name) => {
    const html = String(sanitised.processSync(render(hostileReport(name))));
    const raw = withoutComments(String(unsanitised.processSync(render(hostileReport(name)))));
    expect(withoutComments(html)).toBe(raw);
    const expected =
      'a blockquote br code details em h3 hr li ol p span strong sub summary table tbody td th thead tr ul'.split(' ');
    expect(Array.from(tagsOf(html)).filter((tag) => !expected.includes(tag))).toEqual([]);
    expect(linksOf(html).filter((link) => !link.startsWith('https://github.com/octo-org/orders/'))).toEqual([]);
    // The heading holds the name, as it is visible.
    expect(textOf(/<h3>([\s\S]*?)<\/h3>/.exec(html)![1]!)).toBe(`❌ ${visibleText(name, 300)}`);
    // So does the first cell that names a function.
    expect(textOf(html)).toContain(visibleText(name, 120));
    expect(html.match(/<details>/g)?.length).toBe(html.match(/<\/details>/g)?.length);
  });
});
