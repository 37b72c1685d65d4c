import { grown, type Profile, wideNumber } from './columns.ts';
import type { FrameClass, FrameKind, FrameName } from './frames.ts';
import { type Frames, framesOf, labelGroups, reportName } from './names.ts';
import { columnOf } from './sample-types.ts';

/** What samples are charged to. `callers` and `callees` hold keys of neighbours on the stack, with the value they share. */
export interface Owner {
  key: string;
  display: string;
  kind: FrameKind;
  file: string;
  line: number;
  callers: Map<string, number>;
  callees: Map<string, number>;
}

/** Values of a sample type by owner: every sample counts once. */
export interface OwnerWeights {
  /** Values of the label. */
  groups: string[];
  owners: Owner[];
  /** [group][owner]: value of the sample type. */
  counts: Float64Array[];
  /** [group][owner]: number of samples, from the first column in unit `count`; zero if there is none. */
  samples: Float64Array[];
  /** [group]: value of the samples that the agent itself caused; they are in no owner. */
  agentValue: Float64Array;
}

/**
 * Charges every sample to one owner: the frame of kind `own` that is nearest to the leaf (of an anonymous function, the
 * named function of the same file that calls it). A sample without one is charged to
 * the garbage collector, to idleness, to the library function nearest to the root, or to the runtime, in this order.
 * Samples with an agent's frame and no own frame below it are the agent's: it may also be the caller of the handler.
 * @throws ProfileError if the profile lacks the sample type.
 */
export function weighOwners(
  profile: Profile,
  sampleType: string,
  by: string,
  classify: (frame: FrameName) => FrameClass,
): OwnerWeights {
  const charging = new Charging(profile, classify);
  return charging.weigh(columnOf(profile, sampleType), by);
}

const RUNTIME: FrameClass = { kind: 'runtime', key: '(runtime)', display: '(runtime)', file: '', line: 0 };
const COLLECTOR: FrameClass = { ...RUNTIME, kind: 'gc', key: '(garbage collector)', display: '(garbage collector)' };
const IDLE: FrameClass = { ...RUNTIME, kind: 'idle', key: '(idle)', display: '(idle)' };
const AGENT = -1;

class Charging {
  readonly #profile: Profile;
  readonly #frames: Frames;
  readonly #owners: Owner[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #kinds: FrameKind[];
  readonly #ownerOf: Int32Array; // of frames
  readonly #keys: string[]; // of frames
  readonly #files: string[]; // of frames
  readonly #nameless: boolean[]; // of frames
  readonly #runtime: number;
  readonly #collector: number;
  readonly #idle: number;
  readonly #edges = new Map<number, number>(); // value by owner, direction and neighbouring frame
  #path = new Int32Array(256); // frames of the sample, leaf first
  #depth = 0;

  constructor(profile: Profile, classify: (frame: FrameName) => FrameClass) {
    this.#profile = profile;
    this.#runtime = this.#numberOf(RUNTIME);
    this.#collector = this.#numberOf(COLLECTOR);
    this.#idle = this.#numberOf(IDLE);
    this.#frames = framesOf(profile, (frame) => `${reportName(frame)}\n${frame.file}\n${frame.mapping}`);
    const classes = this.#frames.names.map(classify);
    this.#kinds = classes.map(({ kind }) => kind);
    this.#keys = classes.map(({ key }) => key);
    this.#files = classes.map(({ file }) => file);
    this.#nameless = classes.map((frame) => frame.kind === 'own' && frame.nameless === true);
    this.#ownerOf = Int32Array.from(classes, (frame) =>
      frame.kind === 'own' || frame.kind === 'library' ? this.#numberOf(frame) : this.#runtime,
    );
  }

  weigh(column: number, by: string): OwnerWeights {
    const { values: groups, ofLabelSet } = labelGroups(this.#profile, by);
    const counts = groups.map(() => new Float64Array(this.#owners.length));
    const samples = groups.map(() => new Float64Array(this.#owners.length));
    const agentValue = new Float64Array(groups.length);
    const { stacks, values, sampleTypes } = this.#profile;
    const width = sampleTypes.length * 2;
    const countColumn = sampleTypes.findIndex(({ unit }) => unit === 'count');
    for (let i = 0; i < stacks.size; i++) {
      const value = wideNumber(values, i * width + column * 2);
      const count = countColumn < 0 ? 0 : wideNumber(values, i * width + countColumn * 2);
      if (value === 0 && count === 0) continue;
      const group = ofLabelSet[stacks.words[stacks.starts[i]!]!]!;
      this.#expand(stacks.words, stacks.starts[i]! + 1, stacks.starts[i + 1]!);
      const owner = this.#charge();
      if (owner === AGENT) agentValue[group]! += value;
      else {
        counts[group]![owner]! += value;
        samples[group]![owner]! += count;
        this.#connect(value);
      }
    }
    this.#nameEdges();
    return { groups, owners: this.#owners, counts, samples, agentValue };
  }

  #numberOf({ kind, key, display, file, line }: FrameClass): number {
    const known = this.#numbers.get(`${kind} ${key}`);
    if (known !== undefined) return known;
    const number = this.#owners.push({ key, display, kind, file, line, callers: new Map(), callees: new Map() }) - 1;
    this.#numbers.set(`${kind} ${key}`, number);
    return number;
  }

  #expand(stacks: Int32Array, from: number, to: number): void {
    const { words, starts } = this.#frames.ofLocation;
    let depth = 0;
    for (let i = from; i < to; i++) {
      const location = stacks[i]!;
      for (let at = starts[location]!; at < starts[location + 1]!; at++) {
        if (depth === this.#path.length) this.#path = grown(this.#path, depth + 1);
        this.#path[depth++] = words[at]!;
      }
    }
    this.#depth = depth;
  }

  #charge(): number {
    let fallback = this.#runtime;
    for (let i = 0; i < this.#depth; i++) {
      const frame = this.#path[i]!;
      const kind = this.#kinds[frame];
      if (kind === 'own') return this.#ownerOf[this.#nameless[frame] ? this.#nameFor(i) : frame]!;
      if (kind === 'agent') return AGENT;
      if (kind === 'gc') fallback = this.#collector;
      else if (fallback === this.#collector) continue;
      else if (kind === 'idle') fallback = this.#idle;
      else if (fallback !== this.#idle && kind === 'library') fallback = this.#ownerOf[frame]!;
    }
    return fallback;
  }

  // An anonymous function has no identity of its own: its cost is that of the named function around it.
  #nameFor(depth: number): number {
    const frame = this.#path[depth]!;
    for (let i = depth + 1; i < this.#depth; i++) {
      const caller = this.#path[i]!;
      if (this.#kinds[caller] === 'own' && !this.#nameless[caller] && this.#files[caller] === this.#files[frame])
        return caller;
    }
    return frame;
  }

  // Neighbours of every own function on the stack, not only of the one that is charged.
  #connect(value: number): void {
    for (let i = 0; i < this.#depth; i++) {
      const frame = this.#path[i]!;
      if (this.#kinds[frame] !== 'own') continue;
      if (i > 0) this.#addEdge(this.#ownerOf[frame]! * 2, this.#path[i - 1]!, value);
      if (i + 1 < this.#depth) this.#addEdge(this.#ownerOf[frame]! * 2 + 1, this.#path[i + 1]!, value);
    }
  }

  #addEdge(end: number, frame: number, value: number): void {
    const edge = end * this.#kinds.length + frame;
    this.#edges.set(edge, (this.#edges.get(edge) ?? 0) + value);
  }

  #nameEdges(): void {
    for (const [edge, value] of this.#edges) {
      const frame = edge % this.#kinds.length;
      const end = (edge - frame) / this.#kinds.length;
      const owner = this.#owners[end >>> 1]!;
      const key = this.#keys[frame]!;
      if (key === owner.key) continue;
      const neighbours = end & 1 ? owner.callers : owner.callees;
      neighbours.set(key, (neighbours.get(key) ?? 0) + value);
    }
  }
}
