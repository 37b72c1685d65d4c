import { FUNCTION_WORDS, LINE_WORDS, LOCATION_WORDS, Profile, Sequences } from './columns.ts';
import { compilePattern, type Pattern } from './pattern.ts';

/**
 * A profile as viewers show it: below a frame that matches its own `drop_frames` (and not `keep_frames`), nothing is
 * shown, nor the frame itself. Frames above the first one that stays are never dropped, so that no stack vanishes.
 * Patterns that cannot be understood drop nothing, as in google/pprof.
 */
export function dropFrames(profile: Profile): Profile {
  const { dropFrames, keepFrames } = profile.header;
  if (dropFrames === '') return profile;
  const drop = anchored(dropFrames);
  const keep = keepFrames === '' ? undefined : anchored(keepFrames);
  if (drop === undefined || (keepFrames !== '' && keep === undefined)) return profile;
  const { locations, marks } = markLocations(profile, (name) => {
    const simple = simpleName(name);
    return drop.test(simple) && !(keep?.test(simple) ?? false);
  });
  const stacks = new Sequences();
  const { words, starts, size } = profile.stacks;
  for (let i = 0; i < size; i++) {
    const first = firstKept(words, starts[i]! + 1, starts[i + 1]!, marks);
    const kept = [words[starts[i]!]!, ...words.subarray(first, starts[i + 1]!)];
    stacks.append(Int32Array.from(kept), 0, kept.length);
  }
  return Object.assign(new Profile(), profile, { locations, stacks });
}

/** A location whose frames are all dropped, or only those below some frame of it. */
const ALL = 1;
const BELOW = 2;

function markLocations(profile: Profile, drops: (name: string) => boolean) {
  const { words, starts, size } = profile.locations;
  const dropped: (boolean | undefined)[] = [];
  const isDropped = (fn: number): boolean => {
    dropped[fn] ??= (() => {
      const name = profile.text(profile.functions.words[fn * FUNCTION_WORDS]!);
      return name !== '' && drops(name);
    })();
    return dropped[fn];
  };
  const locations = new Sequences();
  const marks = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const from = starts[i]!;
    const to = starts[i + 1]!;
    let at = to - LINE_WORDS;
    while (at >= from + LOCATION_WORDS && !isDropped(words[at]!)) at -= LINE_WORDS;
    if (at >= from + LOCATION_WORDS) marks[i] = at === to - LINE_WORDS ? ALL : BELOW;
    const lines = marks[i] === BELOW ? at + LINE_WORDS : from + LOCATION_WORDS;
    const kept = [...words.subarray(from, from + LOCATION_WORDS), ...words.subarray(lines, to)];
    locations.append(Int32Array.from(kept), 0, kept.length);
  }
  return { locations, marks };
}

// From the root, which is last, to the leaf.
function firstKept(stacks: Int32Array, from: number, to: number, marks: Uint8Array): number {
  let keptOne = false;
  for (let at = to - 1; at >= from; at--) {
    const mark = marks[stacks[at]!];
    if (mark === 0) keptOne = true;
    else if (keptOne) return mark === ALL ? at + 1 : at;
  }
  return from;
}

function anchored(source: string): Pattern | undefined {
  try {
    return compilePattern(`^(${source})$`);
  } catch {
    return undefined;
  }
}

const RESERVED = ['(anonymous namespace)', 'operator()'];

/** A name without a leading dot and without its arguments. */
function simpleName(name: string): string {
  const text = name.startsWith('.') ? name.slice(1) : name;
  for (let at = 0; ; at++) {
    const next = text.indexOf('(', at);
    if (next < 0) return text;
    const reserved = RESERVED.find((word) => text.startsWith(word, next - word.indexOf('(')));
    if (reserved === undefined) return text.slice(0, next);
    at = next - reserved.indexOf('(') + reserved.length - 1;
  }
}
