import { FUNCTION_WORDS, LINE_WORDS, LOCATION_WORDS, type Profile, Sequences, wideNumber } from './columns.ts';
import type { FrameName } from './frames.ts';

/** The frames of a profile: what each location stands for. */
export interface Frames {
  /** Every different frame, as distinguished by `keyOf`. */
  names: FrameName[];
  /** Sequence i: numbers of the frames of location i, innermost first. A location without lines is one frame. */
  ofLocation: Sequences;
}

/**
 * Expands locations into frames (inlined functions are frames of their own), giving one number to all with the same key.
 * The first function with a key describes the frame.
 */
export function framesOf(profile: Profile, keyOf: (frame: FrameName) => string): Frames {
  const names: FrameName[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (frame: FrameName): number => {
    const key = keyOf(frame);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, names.length);
    return names.push(frame) - 1;
  };
  const functions = new Int32Array(profile.functions.size).fill(-1);
  const mappings = new Int32Array(profile.mappings.length + 1).fill(-1);
  const { words, starts, size } = profile.locations;
  const ofLocation = new Sequences();
  for (let i = 0; i < size; i++) {
    const from = starts[i]!;
    const to = starts[i + 1]!;
    const mapping = words[from]! >>> 1;
    let into = ofLocation.open(1 + (to - from));
    if (to === from + LOCATION_WORDS) {
      if (mappings[mapping] === -1) mappings[mapping] = numberOf(unsymbolized(profile, mapping));
      ofLocation.words[into++] = mappings[mapping]!;
    }
    for (let at = from + LOCATION_WORDS; at < to; at += LINE_WORDS) {
      const fn = words[at]!;
      if (functions[fn] === -1) functions[fn] = numberOf(frameName(profile, fn, wideNumber(words, at + 1), mapping));
      ofLocation.words[into++] = functions[fn]!;
    }
    ofLocation.close(into);
  }
  return { names, ofLocation };
}

function unsymbolized(profile: Profile, mapping: number): FrameName {
  return { name: '', systemName: '', file: '', line: 0, mapping: mappingFile(profile, mapping) };
}

function frameName(profile: Profile, fn: number, line: number, mapping: number): FrameName {
  const { words } = profile.functions;
  const at = fn * FUNCTION_WORDS;
  return {
    name: profile.text(words[at]!),
    systemName: profile.text(words[at + 1]!),
    file: profile.text(words[at + 2]!),
    line: lineNumber(wideNumber(words, at + 3)) || lineNumber(line),
    mapping: mappingFile(profile, mapping),
  };
}

// Some profilers pack a column above the 32 bits of a line.
function lineNumber(line: number): number {
  return line > 0 ? (line % 2 ** 32) & 0x7fffffff : 0;
}

function mappingFile(profile: Profile, mapping: number): string {
  return mapping === 0 ? '' : profile.text(profile.mappings[mapping - 1]!.file);
}

/** The name of a frame in reports: that of google/pprof, which shows code without symbols as `[binary]`. */
export function reportName(frame: FrameName): string {
  if (frame.name !== '') return frame.name;
  const binary = frame.mapping.slice(frame.mapping.lastIndexOf('/') + 1);
  return frame.systemName || (binary === '' ? '<unknown>' : `[${binary}]`);
}

/** The value of the text label `key` of every label set, as a number in `values`; without the label, ''. */
export function labelGroups(profile: Profile, key: string): { values: string[]; ofLabelSet: Int32Array } {
  const { words, starts, size } = profile.labelSets;
  const values: string[] = [];
  const numbers = new Map<string, number>();
  const ofLabelSet = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    let value = '';
    for (let at = starts[i]!; key !== '' && at < starts[i + 1]!; at += 5)
      if (words[at + 1] !== 0 && profile.text(words[at]!) === key) value = profile.text(words[at + 1]!);
    let number = numbers.get(value);
    if (number === undefined) {
      number = values.push(value) - 1;
      numbers.set(value, number);
    }
    ofLabelSet[i] = number;
  }
  return { values, ofLabelSet };
}
