/**
 * JSON with int64 values as exact numbers, whatever their size, and one line for each element of the last list: a text
 * that is read by programs and still may be read by people.
 */
export function renderRows(head: Record<string, unknown>, list: string, rows: unknown[]): string {
  const fields = Object.entries(head).map(([name, value]) => `${JSON.stringify(name)}:${renderValue(value)}`);
  return `{${fields.join(',')},${JSON.stringify(list)}:[${rows.map((row) => `\n${renderValue(row)}`).join(',')}\n]}\n`;
}

function renderValue(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(renderValue).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${renderValue(field)}`).join(',')}}`;
}
