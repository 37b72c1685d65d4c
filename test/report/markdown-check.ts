/** What a Markdown text of ours may contain once it is rendered. */

const allowedTags = new Set(['br', 'details', 'summary', 'sub', 'code', 'span']);

/** Tags written as HTML outside code spans and fences, in the order they appear. */
export function htmlTags(markdown: string): string[] {
  return Array.from(withoutCode(markdown).matchAll(/<\/?([a-z][a-z0-9-]*)\b[^>]*>/gi), (match) =>
    match[1]!.toLowerCase(),
  );
}

/** Throws when the text holds a tag that is not ours, an unclosed fold, or a line that GitHub would read as a command. */
export function assertHarmless(markdown: string): void {
  const strange = htmlTags(markdown).filter((tag) => !allowedTags.has(tag));
  if (strange.length > 0) throw new Error(`Unexpected tags: ${strange.join(', ')}`);
  const code = withoutCode(markdown);
  const elsewhere = /(?<!\\)\]\((?!https:\/\/github\.com\/octo-org\/orders\/)/.exec(code);
  if (elsewhere !== null) throw new Error(`link elsewhere: ${code.slice(elsewhere.index, elsewhere.index + 60)}`);
  const text = code.replace(/\]\(https:[^()\s]*\)/g, '](…)');
  const forbidden: [string, RegExp][] = [
    ['attribute', /<[a-z]+\s/i],
    ['mention', /(^|[^\w&;/])@(?!&#8203;)[a-z]/im],
    ['issue reference', /(^|[\s(])#\d/m],
    ['automatic link', /(^|[\s(>|])(https?:\/\/|www\.)/im],
    ['image', /!\[/],
    ['comment', /<!--(?! lambda-profile:v1 [^>]*-->$)/m],
    ['mathematics', /\$(?!<\/span>)/],
    ['invisible character', /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u],
  ];
  for (const [name, pattern] of forbidden) {
    const match = pattern.exec(text);
    if (match !== null)
      throw new Error(`${name}: ${JSON.stringify(text.slice(Math.max(0, match.index - 60), match.index + 60))}`);
  }
  const opened = text.match(/<details>/g)?.length ?? 0;
  const closed = text.match(/<\/details>/g)?.length ?? 0;
  if (opened !== closed) throw new Error(`${opened} folds opened, ${closed} closed`);
}

/** Rows of every table have as many cells as its header (GFM drops what is too much). */
export function assertRectangularTables(markdown: string): void {
  let columns = 0;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) {
      columns = 0;
      continue;
    }
    const cells = line.slice(1, -1).split('|').length;
    if (columns === 0) columns = cells;
    else if (cells !== columns) throw new Error(`${cells} cells instead of ${columns}: ${line.slice(0, 200)}`);
  }
}

/** Code spans and fences removed: what is in them is shown as it is. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^```mermaid\n[\s\S]*?\n```$/gm, '').replace(/(?<![`\\])`[^`\n]+`(?!`)/g, 'code');
}
