import { type FunctionInput, type LocationInput, Profile, type SampleInput, StringTable } from 'pprof-format';
import { nameScript, type Roots, type ScriptName } from './file-names.ts';

/** A function in a call tree: where it is declared. Lines and columns count from 1, 0 = unknown. */
export interface Frame {
  readonly name: string;
  readonly script: string;
  readonly scriptId: number | string;
  readonly line: number;
  readonly column: number;
}

/** A call path, shared by all its continuations. */
export interface Path {
  /** pprof location ids, leaf first. */
  readonly locations: readonly number[];
  /** True while the innermost code that is not a builtin is the agent's own. */
  readonly agent: boolean;
}

/** The fields of profile.proto outside samples. */
export interface PprofHeader {
  readonly sampleTypes: readonly ValueType[];
  readonly defaultSampleType: string;
  readonly periodType: ValueType;
  readonly period: number;
  /** Unix time. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly comment: string;
}
type ValueType = readonly [type: string, unit: string];

/** Collects samples into one pprof profile, functions and locations once each. */
export interface PprofBuilder {
  /** The path one call deeper. A frame of the agent adds nothing: what it calls hangs where the agent was called. */
  enter(path: Path, frame: Frame): Path;
  /** Adds one sample, unless it is the agent's own work. */
  add(path: Path, values: readonly number[], label?: readonly [key: string, value: string]): void;
  /** Encodes profile.proto, not compressed. */
  encode(header: PprofHeader): Uint8Array;
}

/** Whether a sample at this path is the agent's own work, or nobody's. */
export function isAgents(path: Path): boolean {
  return path.agent || path.locations.length === 0;
}

export const ROOT_PATH: Path = { locations: [], agent: false };

/** Creates an empty builder for a process with these directories. */
export function createPprofBuilder(roots: Roots): PprofBuilder {
  const strings = new StringTable();
  const scripts = new Map<string, ScriptName>();
  const ids = new Map<string, number>();
  const functions: FunctionInput[] = [];
  const locations: LocationInput[] = [];
  const samples: SampleInput[] = [];

  const nameOf = (script: string): ScriptName => {
    const known = scripts.get(script);
    if (known) return known;
    const name = nameScript(script, roots);
    scripts.set(script, name);
    return name;
  };
  // A location is a function's declaration here, so both share one id.
  const locate = (frame: Frame, file: string): number => {
    const key = `${frame.scriptId}:${frame.line}:${frame.column}:${frame.name}`;
    const known = ids.get(key);
    if (known) return known;
    const id = ids.size + 1;
    ids.set(key, id);
    const name = strings.dedup(frame.name || '(anonymous)');
    functions.push({ id, name, systemName: name, filename: strings.dedup(file), startLine: frame.line });
    locations.push({ id, line: [{ functionId: id, line: frame.line, column: frame.column }] });
    return id;
  };
  const valueType = ([type, unit]: ValueType) => ({ type: strings.dedup(type), unit: strings.dedup(unit) });

  return {
    enter(path, frame) {
      const { file, agent } = nameOf(frame.script);
      if (agent) return { locations: path.locations, agent: true };
      const builtin = file === '' || file.startsWith('node:');
      return { locations: [locate(frame, file), ...path.locations], agent: builtin && path.agent };
    },
    add(path, values, label) {
      if (isAgents(path)) return;
      const labels = label ? [{ key: strings.dedup(label[0]), str: strings.dedup(label[1]) }] : [];
      samples.push({ locationId: [...path.locations], value: [...values], label: labels });
    },
    encode(header) {
      return new Profile({
        sampleType: header.sampleTypes.map(valueType),
        sample: samples,
        location: locations,
        function: functions,
        timeNanos: BigInt(Math.round(header.startMs)) * 1_000_000n,
        durationNanos: Math.round(header.durationMs * 1e6),
        periodType: valueType(header.periodType),
        period: header.period,
        comment: [strings.dedup(header.comment)],
        defaultSampleType: strings.dedup(header.defaultSampleType),
        stringTable: strings,
      }).encode();
    },
  };
}
