/**
 * Untrusted text (function names, paths, messages) made inert for each place it is shown in.
 * Everything starts with `visibleText`: one line, nothing invisible, bounded length.
 */

/** Longest name shown, in code points: wider names keep their beginning and their end. */
const defaultLength = 120;

/** Characters that look like nothing but are letters or marks to Unicode: fillers, blanks, joiners. */
const blankLetters = /[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu;

/**
 * One line of visible text: terminal sequences, control, bidirectional and zero-width characters removed, white space
 * collapsed, stacked combining marks thinned, cut in the middle at `maxLength` code points. Empty text becomes `(empty)`.
 */
export function visibleText(text: string, maxLength: number = defaultLength): string {
  const bounded = text.length > 20_000 ? `${text.slice(0, 10_000)}${text.slice(-10_000)}` : text;
  const clean = bounded
    .toWellFormed()
    .replace(/\p{Cc}\][^\p{Cc}]*/gu, '') // OSC: titles, hyperlinks
    .replace(/\p{Cc}\[[0-?]*[ -/]*[@-~]/gu, '') // CSI: colours, cursor
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(blankLetters, '')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .trim();
  return clean === '' ? '(empty)' : middleEllipsis(clean, maxLength);
}

/** `text` cut to `maxLength` code points by replacing its middle with `…`. */
export function middleEllipsis(text: string, maxLength: number): string {
  const points = Array.from(text);
  if (points.length <= maxLength) return text;
  const tail = Math.floor((maxLength - 1) / 2);
  const head = maxLength - 1 - tail;
  return `${points.slice(0, head).join('')}…${tail > 0 ? points.slice(-tail).join('') : ''}`;
}

/**
 * A Markdown code span, safe in a paragraph and in a table cell. Names that hold a backtick, a pipe or a backslash are
 * written as `<code>` with character references: Markdown parsers disagree about those three inside a table.
 */
export function escapeCodeSpan(text: string, maxLength: number = defaultLength): string {
  const visible = visibleText(text, maxLength);
  return /[`|\\]/.test(visible) ? `<code>${references(visible)}</code>` : `\`${visible}\``;
}

/**
 * Markdown text without any markup, safe in a paragraph, a heading, a list item, a link label and a table cell:
 * no emphasis, link, image, HTML, mathematics, mention or issue reference can start in it.
 */
export function escapeMarkdown(text: string, maxLength = 1_000): string {
  return visibleText(text, maxLength)
    .replace(/[&<>|\\]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[`*_~[\]]/g, '\\$&')
    .replace(/^([-+=]|\d+[.)])/, (start) => `${start.slice(0, -1)}\\${start.slice(-1)}`)
    .replace(/^#|#(?!\w)/g, '\\#')
    .replace(/(?<!&)#(?=\w)/g, '#&#8203;') // issue references
    .replace(/\b(GH-)(?=\d)/gi, '$1&#8203;')
    .replace(/@(?=\S)/g, '@&#8203;') // mentions, addresses
    .replace(/:\/\//g, ':&#8203;//') // automatic links
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}&#8203;.`)
    .replace(/\$/g, '<span>$</span>'); // mathematics
}

/**
 * A sentence of ours in which names may stand between backticks: code spans stay code spans, everything else is
 * `escapeMarkdown()`. A name that brings backticks of its own is shown as code, nothing worse.
 */
export function escapeProse(text: string, maxLength = 1_000): string {
  const parts = visibleText(text, maxLength).split('`');
  if (parts.length % 2 === 0) return escapeMarkdown(text, maxLength);
  return parts
    .map((part, index) => {
      if (part.trim() === '') return index % 2 === 1 ? '' : part;
      if (index % 2 === 1) return escapeCodeSpan(part, maxLength);
      const [, before = '', words = '', after = ''] = /^(\s*)(.*?)(\s*)$/.exec(part) ?? [];
      return before + escapeMarkdown(words, maxLength) + after;
    })
    .join('');
}

/** Text for an HTML element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Text for one line of a terminal or of a workflow log: nothing in it moves the cursor, and no line that begins with
 * it is read as a workflow command (`::error::`, `##[error]`).
 * Source of the two forms: actions/runner, ActionCommand.cs: `::` after leading white space, `##[` anywhere.
 */
export function escapeTerminal(text: string, maxLength = 1_000): string {
  return visibleText(text, maxLength)
    .replace(/(^|\s)::/g, '$1: :')
    .replace(/##\[/g, '## [');
}

/** Every ASCII punctuation character as a character reference; `://`, `@` and `#` also lose their automatic links. */
function references(text: string): string {
  return text
    .replace(/[!-/:-@[-`{-~]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/&#58;&#47;&#47;/g, '&#58;&#8203;&#47;&#47;')
    .replace(/&#64;/g, '&#64;&#8203;');
}
