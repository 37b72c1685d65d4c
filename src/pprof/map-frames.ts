import { appendText, FUNCTION_WORDS, LINE_WORDS, LOCATION_WORDS, Profile, Sequences, wideNumber } from './columns.ts';

/** Where a function is declared; line and column count from 1, 0 = unknown. */
export interface Declaration {
  name: string;
  file: string;
  line: number;
  column: number;
}

/** The declarations of a profile's functions, each once. */
export function declarationsOf(profile: Profile): Declaration[] {
  const found = new Map<string, Declaration>();
  eachLine(profile, (declaration) => found.set(declarationKey(declaration), declaration));
  return [...found.values()];
}

/** Equal for equal declarations. */
export function declarationKey({ name, file, line, column }: Declaration): string {
  return `${line}:${column}:${file}\0${name}`;
}

/**
 * The same profile with functions where `translate` says they are declared: their name, file, line and column. What it
 * does not know stays as it is.
 */
export function mapFrames(profile: Profile, translate: (declaration: Declaration) => Declaration | undefined): Profile {
  const strings = copyOf(profile.strings);
  const functions = copyOf(profile.functions);
  const locations = copyOf(profile.locations);
  const numbers = new Map<string, number>();
  const textNumber = (text: string): number => {
    const known = numbers.get(text) ?? appendText(strings, text);
    numbers.set(text, known);
    return known;
  };
  const known = new Map<string, number | undefined>();
  eachLine(profile, (from, at) => {
    const to = translate(from);
    if (to === undefined) return;
    const key = declarationKey(to);
    let fn = known.get(key);
    if (fn === undefined) {
      const words = Int32Array.of(textNumber(to.name), textNumber(to.name), textNumber(to.file), to.line, 0);
      fn = functions.append(words, 0, FUNCTION_WORDS);
      known.set(key, fn);
    }
    locations.words.set([fn, to.line, 0, to.column, 0], at);
  });
  return Object.assign(new Profile(), profile, { strings, functions, locations });
}

/** Every line of every location, and where in the words of locations it is. */
function eachLine(profile: Profile, visit: (declaration: Declaration, at: number) => void): void {
  const { locations, functions } = profile;
  for (let i = 0; i < locations.size; i++)
    for (let at = locations.starts[i]! + LOCATION_WORDS; at < locations.starts[i + 1]!; at += LINE_WORDS) {
      const fn = functions.starts[locations.words[at]!]!;
      visit(
        {
          name: profile.text(functions.words[fn]!),
          file: profile.text(functions.words[fn + 2]!),
          line: wideNumber(locations.words, at + 1),
          column: wideNumber(locations.words, at + 3),
        },
        at,
      );
    }
}

function copyOf({ size, words, starts }: Sequences): Sequences {
  const end = starts[size]!;
  return Object.assign(new Sequences(), { size, words: words.slice(0, end), starts: starts.slice(0, size + 1) });
}
