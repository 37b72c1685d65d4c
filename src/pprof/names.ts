import {
  FUNCTION_WORDS,
  LABEL_WORDS,
  LINE_WORDS,
  LOCATION_WORDS,
  type Profile,
  Sequences,
  wideNumber,
} from './columns.ts';
import type { FrameName } from './frames.ts';

/** The frames of a profile: what each location stands for. */
export interface Frames {
  /** Every different frame, as distinguished by `keyOf`. */
  names: FrameName[];
  /** Sequence i: numbers of the frames of location i, innermost first. A location without lines is one frame. */
  ofLocation: Sequences;
}

/** The name of a function without one. */
const UNKNOWN = '<unknown>';

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
  const name = profile.text(words[at]!);
  const systemName = profile.text(words[at + 1]!);
  return {
    name: name || systemName || UNKNOWN,
    systemName,
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
  return binary === '' ? UNKNOWN : `[${binary}]`;
}

/**
 * The values of the text label `key` ('' where a sample lacks it) in order of first use, and for every label set that a
 * sample has the number of its value.
 */
export function labelGroups(profile: Profile, key: string): { values: string[]; ofLabelSet: Int32Array } {
  const { words, starts, size } = profile.stacks;
  const values: string[] = [];
  const numbers = new Map<string, number>();
  const ofLabelSet = new Int32Array(profile.labelSets.size).fill(-1);
  for (let i = 0; i < size; i++) {
    const labelSet = words[starts[i]!]!;
    if (ofLabelSet[labelSet] !== -1) continue;
    const value = key === '' ? '' : labelText(profile, labelSet, key);
    let number = numbers.get(value);
    if (number === undefined) {
      number = values.push(value) - 1;
      numbers.set(value, number);
    }
    ofLabelSet[labelSet] = number;
  }
  return { values: values.length === 0 ? [''] : values, ofLabelSet };
}

function labelText(profile: Profile, labelSet: number, key: string): string {
  const { words, starts } = profile.labelSets;
  for (let at = starts[labelSet]!; at < starts[labelSet + 1]!; at += LABEL_WORDS)
    if (words[at + 1] !== 0 && profile.text(words[at]!) === key) return profile.text(words[at + 1]!);
  return '';
}
