/** A Markdown document as a list of blocks, and how it is made to fit a number of bytes. */
import { markdownTable } from 'markdown-table';

export interface TableBlock {
  kind: 'table';
  /** Lines before the table, already Markdown; '' for none. */
  intro: string;
  /** Folded under this title, plain Markdown text; '' for an open table. */
  title: string;
  header: string[];
  /** One letter per column: l, r or c. */
  align: string;
  rows: string[][];
  /** Rows are dropped from the block with the smallest number first. */
  importance: number;
}

export interface TextBlock {
  kind: 'text';
  text: string;
  /** Folded under this title; '' for open text. */
  title: string;
  /** Infinity: never dropped. */
  importance: number;
}

export type Block = TableBlock | TextBlock;

/**
 * The blocks as Markdown of at most `budgetBytes` UTF-8 bytes. What does not fit goes row by row, from the end of the
 * least important block, and the reader is told how many rows are missing. Text that must stay stays.
 */
export function renderBlocks(blocks: Block[], budgetBytes: number): string {
  const kept = blocks.map((block) => (block.kind === 'table' ? block.rows.length : 1));
  const texts = blocks.map((block, index) => renderBlock(block, kept[index]!));
  const byImportance = blocks
    .map((block, index) => ({ index, importance: block.importance }))
    .filter(({ importance }) => importance !== Infinity)
    .sort((a, b) => a.importance - b.importance || b.index - a.index);

  let size = join(texts).size;
  for (const { index } of byImportance) {
    if (size <= budgetBytes) break;
    const block = blocks[index]!;
    const room = budgetBytes - (size - byteLength(texts[index]!));
    texts[index] = largestThatFits(block, room);
    size = join(texts).size;
  }
  return join(texts).text;
}

/** Size of a text in UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** A table without padding: padding every cell to the widest one would cost more bytes than the cells. */
export function renderTable(header: string[], align: string, rows: string[][]): string {
  return markdownTable([header, ...rows], { align: align.split(''), alignDelimiters: false });
}

/** A cell that is not broken into lines: numbers stay with their units. */
export function unbroken(cell: string): string {
  return cell.replaceAll(' ', '\u00a0');
}

function renderBlock(block: Block, rows: number): string {
  if (block.kind === 'text') return rows === 0 ? '' : fold(block.title, block.text);
  if (rows === 0 && block.rows.length > 0) return '';
  const missing = block.rows.length - rows;
  const table = renderTable(block.header, block.align, block.rows.slice(0, rows));
  const note = missing > 0 ? `\n\n${missing} more rows do not fit here; \`report.json\` has them all.` : '';
  return fold(block.title, `${block.intro === '' ? '' : `${block.intro}\n\n`}${table}${note}`);
}

function fold(title: string, text: string): string {
  return title === '' ? text : `<details><summary>${title}</summary>\n\n${text}\n\n</details>`;
}

/** The block with the most rows that renders to at most `room` bytes; '' when not even one row fits. */
function largestThatFits(block: Block, room: number): string {
  if (block.kind === 'text') return '';
  let fits = 0;
  let tooMany = block.rows.length;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (byteLength(renderBlock(block, middle)) <= room) fits = middle;
    else tooMany = middle;
  }
  return fits === 0 ? '' : renderBlock(block, fits);
}

function join(texts: string[]): { text: string; size: number } {
  const text = `${texts.filter((part) => part !== '').join('\n\n')}\n`;
  return { text, size: byteLength(text) };
}
