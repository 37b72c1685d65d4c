/**
 * A pull-request comment as a terminal can show it: markup reduced to its text, folds to their titles, tables kept.
 * @param columns lines of running text are wrapped to this width
 */
export function readableComment(markdown: string, columns: number): string {
  return markdown
    .replace(/<!--[\s\S]*?-->\n?/g, '')
    .replace(/<details>\s*<summary>([\s\S]*?)<\/summary>[\s\S]*?<\/details>/g, '▸ $1')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<\/?(?:sub|b|code|kbd)>|<a [^>]*>|<\/a>/g, '')
    .replace(/^#{1,6} /gm, '')
    .replace(/\*\*/g, '')
    .split('\n')
    .flatMap((line) => (line.startsWith('|') ? [line] : wrap(line, columns)))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function wrap(line: string, columns: number): string[] {
  const lines = [''];
  for (const word of line.split(' ')) {
    const last = lines.at(-1)!;
    if (last && last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}
