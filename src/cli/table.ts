import { inert } from './shell.ts';

/** Rows in columns, two spaces between them; columns named in `right` are aligned right. */
export function renderTable(header: string[], rows: string[][], right: string[] = []): string {
  const lines = [header, ...rows].map((row) => row.map(inert));
  const widths = header.map((_, i) => Math.max(...lines.map((row) => Array.from(row[i]!).length)));
  const pad = (cell: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - Array.from(cell).length);
    return right.includes(header[i]!) ? space + cell : cell + space;
  };
  return lines.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}

/** `512 B`, `24.0 kB`, `3.1 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** How long ago: `12 s`, `3 min`, `5 h`, `14 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 36 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}
