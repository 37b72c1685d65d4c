import { FUNCTION_WORDS, type Label, LINE_WORDS, LOCATION_WORDS, labelsOf, Profile, Sequences } from './columns.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { convertUnit } from './sample-types.ts';

/** Which samples and frames of a profile to keep; the options of `go tool pprof` with the same names. */
export interface Filter {
  /** Keep samples with a frame whose function, file, or binary matches. */
  focus?: string;
  /** Leave out samples with such a frame. */
  ignore?: string;
  /** Leave out such frames. */
  hide?: string;
  /** Leave out all other frames. */
  show?: string;
  /**
   * Keep samples with a label: `key=pattern,pattern` (any matches), `pattern,pattern` (all match some `key:value`), or a
   * range of numbers, `32kb`, `:64kb`, `4mb:`, `12kb:64mb`, with or without `key=`.
   */
  tagfocus?: string;
  /** Leave out samples with such a label. */
  tagignore?: string;
}

/**
 * The samples and frames of a profile that a filter keeps, with pprof's meaning. A sample that loses all frames is left out.
 * @throws SyntaxError if a pattern cannot be understood.
 */
export function filterProfile(profile: Profile, filter: Filter): Profile {
  const { labels, names } = compiled(filter);
  const kept = names === undefined ? profile : filterFrames(profile, names);
  return labels === undefined ? kept : filterLabels(kept, labels);
}

type LabelTest = (labels: Label[]) => boolean;
interface NamePatterns {
  focus: Pattern | undefined;
  ignore: Pattern | undefined;
  hide: Pattern | undefined;
  show: Pattern | undefined;
}

function compiled({ focus, ignore, hide, show, tagfocus, tagignore }: Filter): {
  names: NamePatterns | undefined;
  labels: LabelTest | undefined;
} {
  const pattern = (source: string | undefined) => (source ? compilePattern(source) : undefined);
  const names = { focus: pattern(focus), ignore: pattern(ignore), hide: pattern(hide), show: pattern(show) };
  const focused = tagfocus ? labelTest(tagfocus) : undefined;
  const ignored = tagignore ? labelTest(tagignore) : undefined;
  return {
    names: Object.values(names).some((pattern) => pattern !== undefined) ? names : undefined,
    labels:
      focused === undefined && ignored === undefined
        ? undefined
        : (labels) => (focused?.(labels) ?? true) && !(ignored?.(labels) ?? false),
  };
}

/** What happens to a location: whether it has focus, is ignored, or has no frame left. */
const FOCUSED = 1;
const IGNORED = 2;
const HIDDEN = 4;

function filterFrames(profile: Profile, { focus, ignore, hide, show }: NamePatterns): Profile {
  const matchers = [focus, ignore, hide, show].map((pattern) => pattern && new LocationMatcher(profile, pattern));
  const [focused, ignored, hidden, shown] = matchers;
  const { words, starts, size } = profile.locations;
  const locations = new Sequences();
  const marks = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const from = starts[i]!;
    const to = starts[i + 1]!;
    if (ignored?.matches(i)) marks[i] = IGNORED;
    else if (focused?.matches(i) ?? true) marks[i] = FOCUSED;
    const lines: number[] = [];
    for (let at = from + LOCATION_WORDS; at < to; at += LINE_WORDS)
      if (!(hidden?.line(i, at) ?? false) && (shown?.line(i, at) ?? true))
        lines.push(...words.subarray(at, at + LINE_WORDS));
    const unsymbolized = to === from + LOCATION_WORDS;
    // Code without symbols has no frame that could be shown, whatever its binary is called.
    const isHidden = unsymbolized ? (hidden?.matches(i) ?? false) || shown !== undefined : lines.length === 0;
    if (isHidden) marks[i]! |= HIDDEN;
    locations.append(
      Int32Array.of(...words.subarray(from, from + LOCATION_WORDS), ...lines),
      0,
      LOCATION_WORDS + lines.length,
    );
  }
  return keptSamples(Object.assign(new Profile(), profile, { locations }), (stack) => filteredStack(stack, marks));
}

function filteredStack(stack: Int32Array, marks: Uint8Array): Int32Array | undefined {
  let focused = false;
  for (let at = 1; at < stack.length; at++) {
    const mark = marks[stack[at]!]!;
    if (mark & IGNORED) return undefined;
    if (mark & FOCUSED) focused = true;
  }
  if (!focused) return undefined;
  const kept = stack.filter((location, at) => at === 0 || !(marks[location]! & HIDDEN));
  return kept.length > 1 ? kept : undefined;
}

/** Tests frames against a pattern; each function and each binary once. */
class LocationMatcher {
  readonly #profile: Profile;
  readonly #pattern: Pattern;
  readonly #functions: (boolean | undefined)[] = [];
  readonly #mappings: (boolean | undefined)[] = [];

  constructor(profile: Profile, pattern: Pattern) {
    this.#profile = profile;
    this.#pattern = pattern;
  }

  /** Whether any frame of the location matches. */
  matches(location: number): boolean {
    const { starts } = this.#profile.locations;
    if (this.#mapping(location)) return true;
    for (let at = starts[location]! + LOCATION_WORDS; at < starts[location + 1]!; at += LINE_WORDS)
      if (this.line(location, at)) return true;
    return false;
  }

  /** Whether the frame of the line at words[at] matches. */
  line(location: number, at: number): boolean {
    if (this.#mapping(location)) return true;
    const fn = this.#profile.locations.words[at]!;
    this.#functions[fn] ??= this.#function(fn);
    return this.#functions[fn];
  }

  #function(fn: number): boolean {
    const { words } = this.#profile.functions;
    const at = fn * FUNCTION_WORDS;
    const text = (string: number) => this.#pattern.test(this.#profile.text(string));
    return text(words[at]!) || text(words[at + 2]!);
  }

  #mapping(location: number): boolean {
    const { words, starts } = this.#profile.locations;
    const mapping = words[starts[location]!]! >>> 1;
    if (mapping === 0) return false;
    this.#mappings[mapping] ??= this.#pattern.test(this.#profile.text(this.#profile.mappings[mapping - 1]!.file));
    return this.#mappings[mapping];
  }
}

function filterLabels(profile: Profile, test: LabelTest): Profile {
  const kept: (boolean | undefined)[] = [];
  return keptSamples(profile, (stack) => {
    const labelSet = stack[0]!;
    kept[labelSet] ??= test(labelsOf(profile, labelSet));
    return kept[labelSet] ? stack : undefined;
  });
}

function keptSamples(profile: Profile, change: (stack: Int32Array) => Int32Array | undefined): Profile {
  const { words, starts, size } = profile.stacks;
  const width = profile.sampleTypes.length * 2;
  const stacks = new Sequences();
  const values = new Int32Array(size * width);
  for (let i = 0; i < size; i++) {
    const stack = change(words.subarray(starts[i]!, starts[i + 1]!));
    if (stack === undefined) continue;
    values.set(profile.values.subarray(i * width, (i + 1) * width), stacks.size * width);
    stacks.append(stack, 0, stack.length);
  }
  return Object.assign(new Profile(), profile, { stacks, values });
}

function labelTest(source: string): LabelTest {
  const equals = source.indexOf('=');
  const key = equals < 0 ? undefined : source.slice(0, equals);
  const value = source.slice(equals + 1);
  const inRange = rangeTest(value);
  if (inRange !== undefined)
    return (labels) =>
      labels.some(
        (label) => 'number' in label && (key ?? label.key) === label.key && inRange(label.number, unitOf(label)),
      );
  const patterns = value.split(',').map(compilePattern);
  if (key !== undefined)
    return (labels) =>
      labels.some(
        (label) => 'text' in label && label.key === key && patterns.some((pattern) => pattern.test(label.text)),
      );
  return (labels) =>
    patterns.every((pattern) => labels.some((label) => 'text' in label && pattern.test(`${label.key}:${label.text}`)));
}

/** A number without a unit is in bytes if its key says so, else in a unit that is named like the key, as in google/pprof. */
function unitOf({ key, unit }: { key: string; unit: string }): string {
  return unit || (['alignment', 'request', 'bytes'].includes(key) ? 'bytes' : key);
}

function rangeTest(source: string): ((value: bigint, unit: string) => boolean) | undefined {
  const number = '([+-]?\\d{1,18})([A-Za-z]*)';
  const found = new RegExp(`^(?:${number})?(:?)(?:${number})?$`).exec(source);
  if (found === null || (found[1] === undefined && found[4] === undefined)) return undefined;
  if (found[3] === '' && found[4] !== undefined) return undefined;
  const bound = (value: string | undefined, unit: string | undefined) =>
    value === undefined ? undefined : { value: BigInt(value), unit: unit! };
  const low = bound(found[1], found[2]);
  const high = found[3] === '' ? low : bound(found[4], found[5]);
  return (value, unit) =>
    [low, high].every((bound, i) => {
      if (bound === undefined) return true;
      const compared = compareQuantities(value, unit, bound.value, bound.unit);
      return compared !== undefined && (i === 0 ? compared >= 0 : compared <= 0);
    });
}

function compareQuantities(value: bigint, unit: string, other: bigint, otherUnit: string): number | undefined {
  const a = convertUnit(value, unit);
  const b = convertUnit(other, otherUnit || unit);
  if (a.unit !== b.unit) return undefined;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}
