/**
 * The name that google/pprof shows for a function that the profiler named by its symbol alone: C++ and Rust symbols of
 * plain names are read (`_ZN3foo3barEv` is `foo::bar`), and C++ names lose arguments and template arguments. Symbols that
 * take more than that (templates, operators) stay as they are.
 */
export function plainName(name: string, systemName: string): string {
  if (name !== '' && name !== systemName) return name;
  return demangled(systemName) ?? simplified(systemName);
}

/** Symbols are short; a longer one is not read. */
const MAX_SYMBOL = 1000;

function demangled(symbol: string): string | undefined {
  const start = /^__?ZN/.exec(symbol);
  if (start === null || symbol.length > MAX_SYMBOL) return undefined;
  const parts: string[] = [];
  let at = start[0].length;
  for (;;) {
    const length = /^[1-9]\d{0,3}/.exec(symbol.slice(at, at + 4))?.[0];
    if (length === undefined) break;
    at += length.length + Number(length);
    if (at > symbol.length) return undefined;
    parts.push(symbol.slice(at - Number(length), at));
  }
  if (symbol[at] !== 'E' || parts.length === 0) return undefined;
  // Rust ends its paths with a hash of the build.
  if (parts.length > 1 && /^h[0-9a-f]{16}$/.test(parts.at(-1)!)) parts.pop();
  return parts.join('::');
}

function simplified(name: string): string {
  const cpp = /[<>[\]]|::/.test(name) && !name.includes('.<') && !name.includes(']).');
  return cpp ? withoutBracketed(withoutBracketed(name, '(', ')'), '<', '>') : name;
}

/** The text outside brackets; all of it when they do not match up. */
function withoutBracketed(text: string, open: string, close: string): string {
  let outside = '';
  let depth = 0;
  let from = 0; // of what is outside, or of what is open
  for (let i = 0; i < text.length; i++) {
    if (text[i] === open) {
      if (depth++ === 0) {
        outside += text.slice(from, i);
        from = i;
      }
    } else if (text[i] === close) {
      if (--depth < 0) return outside + text.slice(from);
      if (depth === 0) from = i + 1;
    }
  }
  return outside + text.slice(from);
}
