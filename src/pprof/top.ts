import type { Profile, Sequences } from './columns.ts';
import { dropFrames } from './drop-frames.ts';
import { type Filter, filterProfile } from './filter.ts';
import type { FrameName } from './frames.ts';
import { ProfileError, quoted } from './limits.ts';
import { type Frames, framesOf, labelGroups, reportName } from './names.ts';
import { plainName } from './plain-names.ts';

/** A function with its values, as exact int64. */
export interface TopRow {
  name: string;
  /** Value of samples in which it is the innermost frame. */
  self: bigint;
  /** Value of samples in which it occurs. */
  total: bigint;
  /** Whether its calls were inlined into the callers. */
  inlined: 'no' | 'partly' | 'always';
}

/** What `go tool pprof -top` knows of a profile. */
export interface Top {
  profile: Profile;
  /** The column of values that is shown. */
  column: number;
  /** What percentages are of: all values without their sign, or only those of the base of a difference. */
  total: bigint;
  rows: TopRow[];
  /** Functions left out because they are too small. */
  dropped: number;
}

export interface TopOptions {
  /** Name or number of a sample type; '' for the one viewers show first. */
  sampleType: string;
  sort: 'self' | 'total';
  filter: Filter;
  /** Whether to leave out functions below half a percent. */
  trim: boolean;
}

/** Smallest share of the total that a function, and a call between two of them, needs to be shown. */
export const MIN_FUNCTION = 0.005;
const MIN_CALL = 0.001;

/**
 * Functions by self or total value, as `go tool pprof -top` lists them: frames the profile itself wants dropped are
 * dropped, then the filter is applied, then functions are told apart by name alone.
 * @throws ProfileError if the profile has no such sample type, SyntaxError if a pattern of the filter is wrong.
 */
export function computeTop(profile: Profile, { sampleType, sort, filter, trim }: TopOptions): Top {
  const column = sampleColumn(profile, sampleType);
  const shown = dropFrames(profile);
  const total = totalOf(shown, column);
  const filtered = filterProfile(shown, filter);
  const frames = framesOf(filtered, frameKey);
  let graph = new Graph(frames).add(filtered, column);
  let rows = rowNumbers(graph);
  const sum = rows.reduce((sum, i) => sum + graph.self[i]!, 0n);
  const least = trim ? share(sum, MIN_FUNCTION) : 0n;
  const kept = new Uint8Array(frames.names.length);
  for (const i of rows) if (magnitude(graph.total[i]!) >= least) kept[i] = 1;
  const dropped = rows.filter((i) => kept[i] === 0).length;
  if (dropped > 0) {
    graph = new Graph(frames, kept).add(filtered, column);
    rows = rowNumbers(graph);
  }
  const inlined = inlineMarks(graph, trim ? share(sum, MIN_CALL) : 0n);
  const list = rows.map(
    (i): TopRow => ({
      name: frameLabel(frames.names[i]!),
      self: graph.self[i]!,
      total: graph.total[i]!,
      inlined: inlined[i] === INLINE ? 'always' : inlined[i] === (INLINE | CALLED) ? 'partly' : 'no',
    }),
  );
  return { profile, column, total, rows: list.sort(sort === 'self' ? bySelf : byTotal), dropped };
}

/**
 * The column of a sample type: by name, by a name without `inuse_`, or by number; of '' the default, or else the last.
 * @throws ProfileError that names the types there are.
 */
export function sampleColumn(profile: Profile, sampleType: string): number {
  const types = profile.sampleTypes.map(({ type }) => type);
  if (types.length === 0) throw new ProfileError('Cannot list the profile: it has no sample types.');
  if (sampleType === '') {
    const first = types.indexOf(profile.defaultSampleType);
    return profile.defaultSampleType !== '' && first >= 0 ? first : types.length - 1;
  }
  const column = /^\d{1,9}$/.test(sampleType)
    ? Number(sampleType)
    : types.findIndex((type) => type === sampleType || type === sampleType.replace(/^inuse_/, ''));
  if (column >= 0 && column < types.length) return column;
  throw new ProfileError(
    `Cannot find sample type ${quoted(sampleType)}: the profile has ${types.map(quoted).join(', ')}.`,
  );
}

const BASE_LABEL = 'pprof::base';

function totalOf(profile: Profile, column: number): bigint {
  const { values, ofLabelSet } = labelGroups(profile, BASE_LABEL);
  const all = columnValues(profile);
  const types = profile.sampleTypes.length;
  let total = 0n;
  let base = 0n;
  for (let i = 0; i < profile.sampleCount; i++) {
    const value = magnitude(all[i * types + column]!);
    total += value;
    if (values[ofLabelSet[profile.stacks.words[profile.stacks.starts[i]!]!]!] === 'true') base += value;
  }
  return BigInt.asIntN(64, base > 0n ? base : total);
}

/** All values, sample by sample; a view where the words lie on an even place, else a copy. */
function columnValues({ values, sampleCount, sampleTypes }: Profile): BigInt64Array {
  const length = sampleCount * sampleTypes.length;
  const aligned = values.byteOffset % 8 === 0 ? values : values.slice();
  return new BigInt64Array(aligned.buffer, aligned.byteOffset, length);
}

function frameKey(frame: FrameName): string {
  const name = plainName(frame.name, frame.systemName);
  return name === '' ? `\0${frame.mapping}` : name;
}

function frameLabel(frame: FrameName): string {
  return plainName(frame.name, frame.systemName) || reportName({ ...frame, systemName: '' });
}

/** Values of frames, and of the calls to frames that were ever inlined. */
class Graph {
  readonly self: BigInt64Array;
  readonly total: BigInt64Array;
  readonly calls = new Map<number, Call>();
  readonly #frames: Sequences;
  readonly #isInlined: Uint8Array;
  readonly #kept: Uint8Array | undefined;
  readonly #seen: Int32Array; // the last sample that a frame was counted for

  /** @param kept frames that are shown, 1 for each; without it, all */
  constructor({ names, ofLocation }: Frames, kept?: Uint8Array) {
    this.self = new BigInt64Array(names.length);
    this.total = new BigInt64Array(names.length);
    this.#frames = ofLocation;
    this.#isInlined = inlinedFrames(names.length, ofLocation);
    this.#kept = kept;
    this.#seen = new Int32Array(names.length).fill(-1);
  }

  /** Counts all samples by one column of their values. */
  add(profile: Profile, column: number): this {
    const all = columnValues(profile);
    const types = profile.sampleTypes.length;
    const { words, starts, size } = profile.stacks;
    for (let i = 0; i < size; i++) {
      const value = all[i * types + column]!;
      if (value !== 0n) this.#addStack(words, starts[i]! + 1, starts[i + 1]!, i, value);
    }
    return this;
  }

  // From the root to the leaf. A frame that is not kept is skipped; if it is the leaf, the self value is lost.
  #addStack(stacks: Int32Array, from: number, to: number, sample: number, value: bigint): void {
    const { words, starts } = this.#frames;
    let caller = -1;
    let skipped = false;
    for (let i = to - 1; i >= from; i--) {
      const location = stacks[i]!;
      const outermost = starts[location + 1]! - 1;
      for (let at = outermost; at >= starts[location]!; at--) {
        const frame = words[at]!;
        skipped = this.#kept !== undefined && this.#kept[frame] === 0;
        if (skipped) continue;
        if (this.#seen[frame] !== sample) {
          this.#seen[frame] = sample;
          this.total[frame] = BigInt.asIntN(64, this.total[frame]! + value);
        }
        if (caller >= 0 && caller !== frame && this.#isInlined[frame] === 1)
          this.#addCall(caller, frame, sample, value, at !== outermost);
        caller = frame;
      }
    }
    if (caller >= 0 && !skipped) this.self[caller] = BigInt.asIntN(64, this.self[caller]! + value);
  }

  #addCall(caller: number, callee: number, sample: number, value: bigint, inlined: boolean): void {
    const key = caller * this.self.length + callee;
    const call = this.calls.get(key);
    if (call === undefined) this.calls.set(key, { callee, value, inlined, sample });
    else if (call.sample !== sample) {
      call.value += value;
      call.inlined &&= inlined;
      call.sample = sample;
    }
  }
}

interface Call {
  callee: number;
  value: bigint;
  inlined: boolean;
  /** The last sample it was counted for: once in each, however often it recurs. */
  sample: number;
}

/** Frames that are inlined anywhere, 1 for each: those with another one around them in their location. */
function inlinedFrames(count: number, { words, starts, size }: Sequences): Uint8Array {
  const inlined = new Uint8Array(count);
  for (let i = 0; i < size; i++) for (let at = starts[i]!; at < starts[i + 1]! - 1; at++) inlined[words[at]!] = 1;
  return inlined;
}

const INLINE = 1;
const CALLED = 2;

function inlineMarks({ self, calls }: Graph, least: bigint): Uint8Array {
  const marks = new Uint8Array(self.length);
  for (const { callee, value, inlined } of calls.values())
    if (magnitude(value) >= least) marks[callee]! |= inlined ? INLINE : CALLED;
  return marks;
}

function rowNumbers({ self, total }: Graph): number[] {
  return Array.from(self, (_, i) => i).filter((i) => self[i] !== 0n || total[i] !== 0n);
}

/** A share of a sum without its sign, rounded towards 0 as google/pprof does. */
export function share(sum: bigint, fraction: number): bigint {
  return magnitude(BigInt(Math.trunc(Number(sum) * fraction)));
}

function magnitude(value: bigint): bigint {
  return value < 0n ? BigInt.asIntN(64, -value) : value;
}

function bySelf(a: TopRow, b: TopRow): number {
  return descending(a.self, b.self) || byName(a, b) || descending(a.total, b.total);
}

function byTotal(a: TopRow, b: TopRow): number {
  return descending(a.total, b.total) || byName(a, b) || descending(a.self, b.self);
}

function descending(a: bigint, b: bigint): number {
  const x = magnitude(a);
  const y = magnitude(b);
  return x === y ? 0 : x > y ? -1 : 1;
}

/** By code points, as bytes of UTF-8 are ordered. */
function byName({ name: a }: TopRow, { name: b }: TopRow): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
