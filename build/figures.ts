import { readFileSync, writeFileSync } from 'node:fs';

/** Measured and computed figures stand in `docs/statistics.md` between `<!-- figure NAME -->` and `<!-- end -->`. */
export const STATISTICS_PAGE = new URL('../docs/statistics.md', import.meta.url);

/**
 * The page with these figures in the place of those it has.
 * @param figures name -> Markdown
 * @throws Error when the page has no place for one
 */
export function replaceFigures(page: string, figures: Readonly<Record<string, string>>): string {
  return Object.entries(figures).reduce((text, [name, figure]) => {
    const open = `<!-- figure ${name} -->\n`;
    const start = text.indexOf(open);
    const end = text.indexOf('<!-- end -->', start);
    if (start < 0 || end < 0) throw new Error(`Cannot write the figure ${name}: the page has no place for it.`);
    return `${text.slice(0, start)}${open}${figure.trim()}\n${text.slice(end)}`;
  }, page);
}

/** Writes figures into `docs/statistics.md`. */
export function writeFigures(figures: Readonly<Record<string, string>>): void {
  writeFileSync(STATISTICS_PAGE, replaceFigures(readFileSync(STATISTICS_PAGE, 'utf8'), figures));
}
