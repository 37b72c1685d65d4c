import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  escapeCodeSpan,
  escapeHtml,
  escapeMarkdown,
  escapeProse,
  escapeTerminal,
  middleEllipsis,
  visibleText,
} from '../../src/report/escape.ts';
import { assertHarmless } from './markdown-check.ts';
import { hostileNames } from './samples.ts';

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom(...hostileNames));

describe('visibleText()', () => {
  it('removes terminal sequences, control, bidirectional and zero-width characters', () => {
    expect(visibleText('\u001b[31mred\u001b[0m\u0000 a\u202Eb\u200Bc\u2066d')).toBe('red abcd');
    expect(visibleText('\u001b]8;;https://example.com\u0007link\u001b]8;;\u0007')).toBe('link');
  });
  it('makes one line of many', () => expect(visibleText('a\r\n\tb\u2028c')).toBe('a b c'));
  it('keeps the beginning and the end of a long name', () => {
    const name = visibleText(`start${'x'.repeat(20_000)}end`);
    expect(Array.from(name)).toHaveLength(120);
    expect(name).toMatch(/^start.*….*end$/);
  });
  it('does not cut through a code point', () => expect(visibleText('🙂'.repeat(500), 9)).toBe('🙂🙂🙂🙂…🙂🙂🙂🙂'));
  it('names what has nothing visible', () => {
    for (const blank of ['', '  ', '\u3164\u2800', '\u200b\u00ad']) expect(visibleText(blank)).toBe('(empty)');
  });
  it('gives every text one bounded line of well-formed text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const visible = visibleText(text);
        expect(visible).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(visible.isWellFormed()).toBe(true);
        expect(Array.from(visible).length).toBeLessThanOrEqual(120);
        expect(visible.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('middleEllipsis()', () => {
  it('leaves short text alone', () => expect(middleEllipsis('abc', 3)).toBe('abc'));
  it('keeps exactly the length asked for', () => {
    for (const length of [1, 2, 3, 4, 5]) expect(Array.from(middleEllipsis('abcdefgh', length))).toHaveLength(length);
  });
});

describe('escapeCodeSpan()', () => {
  it('writes an ordinary name between backticks', () => expect(escapeCodeSpan('a.(*B).c')).toBe('`a.(*B).c`'));
  it('writes pipes, backticks and backslashes as character references', () => {
    expect(escapeCodeSpan('a|b')).toBe('<code>a&#124;b</code>');
    expect(escapeCodeSpan('a`b')).toBe('<code>a&#96;b</code>');
    expect(escapeCodeSpan('a\\b')).toBe('<code>a&#92;b</code>');
  });
  it('never lets a table cell or the span end early', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const span = escapeCodeSpan(text);
        expect(span).not.toContain('|');
        expect(span).toMatch(/^(`[^`\n]+`|<code>[^<>`|\\\n]+<\/code>)$/);
      }),
    );
  });
});

describe('escapeMarkdown()', () => {
  it('leaves sentences readable', () => {
    expect(escapeMarkdown('pricing.sortRules uses 4.6 times the CPU (+360%).')).toBe(
      'pricing.sortRules uses 4.6 times the CPU (+360%).',
    );
  });
  it('breaks mentions, issue references and automatic links', () => {
    expect(escapeMarkdown('@octocat #1 GH-2 https://example.com')).toBe(
      '@&#8203;octocat #&#8203;1 GH-&#8203;2 https:&#8203;//example.com',
    );
  });
  it('does not start a list, a heading, a rule or a quote', () => {
    for (const start of ['- a', '+ a', '1. a', '1) a', '# a', '---', '> a', '* a', '=== a']) {
      expect(escapeMarkdown(start)).not.toMatch(/^([-+*>#=]|\d+[.)]\s)/);
    }
  });
  it('leaves no markup in any text', () => {
    fc.assert(fc.property(anyText, (text) => void assertHarmless(`Text: ${escapeMarkdown(text)}\n`)));
    fc.assert(fc.property(anyText, (text) => void expect(escapeMarkdown(text)).not.toContain('|')));
  });
});

describe('escapeProse()', () => {
  it('keeps code spans and escapes the rest', () => {
    expect(escapeProse('Raise `concurrency` to *8*.')).toBe('Raise `concurrency` to \\*8\\*.');
    expect(escapeProse('Set `a|b` first')).toBe('Set <code>a&#124;b</code> first');
  });
  it('takes a lone backtick as text', () => expect(escapeProse('a ` b')).toBe('a \\` b'));
  it('leaves no markup in any text', () => {
    fc.assert(fc.property(anyText, (text) => void assertHarmless(`Text: ${escapeProse(text)}\n`)));
    fc.assert(fc.property(anyText, (text) => void expect(escapeProse(text)).not.toContain('|')));
  });
});

describe('escapeHtml()', () => {
  it('escapes what ends an element or an attribute', () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;');
  });
});

describe('escapeTerminal()', () => {
  it('makes workflow commands ordinary text and keeps C++ names', () => {
    expect(escapeTerminal('::error::x')).toBe(': :error::x');
    expect(escapeTerminal('a\n::set-env name=x::y')).toBe('a : :set-env name=x::y');
    expect(escapeTerminal('##[error]x')).toBe('## [error]x');
    expect(escapeTerminal('std::vector<int>')).toBe('std::vector<int>');
  });
  it('never gives a command in any text', () => {
    fc.assert(fc.property(anyText, (text) => void expect(escapeTerminal(text)).not.toMatch(/^\s*::|##\[|\n|\p{Cc}/u)));
  });
});
