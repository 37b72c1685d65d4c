import type { Profile } from './columns.ts';
import { wideNumber } from './columns.ts';
import type { FrameName } from './frames.ts';
import { framesOf, reportName } from './names.ts';

/** A profile and what it is called in the list of the viewer. */
export interface NamedProfile {
  name: string;
  profile: Profile;
}

const UNITS = new Set(['nanoseconds', 'microseconds', 'milliseconds', 'seconds', 'bytes']);

/**
 * Profiles in the file format of speedscope (https://www.speedscope.app/file-format-schema.json), one list entry for each
 * sample type. Inlined functions are frames of their own, which speedscope's own reader of pprof loses. Samples without
 * a positive value are left out: speedscope has no place for them.
 */
export function renderSpeedscope(title: string, profiles: NamedProfile[], exporter: string): string {
  const frames: { name: string; file?: string; line?: number }[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (frame: FrameName): number => {
    const name = reportName(frame);
    const key = `${name}\n${frame.file}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, frames.length);
    return (
      frames.push({ name, ...(frame.file && { file: frame.file }), ...(frame.line > 0 && { line: frame.line }) }) - 1
    );
  };
  const entries = profiles.flatMap(({ name, profile }) => {
    const { names, ofLocation } = framesOf(profile, (frame) => `${reportName(frame)}\n${frame.file}`);
    const ours = names.map(numberOf);
    const stacks = stacksOf(profile, ofLocation, ours);
    return profile.sampleTypes.map(({ type, unit }, column) => {
      const width = profile.sampleTypes.length * 2;
      const samples: number[][] = [];
      const weights: number[] = [];
      for (const [i, stack] of stacks.entries()) {
        const value = wideNumber(profile.values, i * width + column * 2);
        if (value <= 0) continue;
        samples.push(stack);
        weights.push(value);
      }
      return {
        type: 'sampled',
        name: `${name} ${type}`,
        unit: UNITS.has(unit) ? unit : 'none',
        startValue: 0,
        endValue: weights.reduce((sum, value) => sum + value, 0),
        samples,
        weights,
      };
    });
  });
  const schema = 'https://www.speedscope.app/file-format-schema.json';
  return `${JSON.stringify({ $schema: schema, name: title, exporter, shared: { frames }, profiles: entries })}\n`;
}

/** The frames of every sample, outermost first. */
function stacksOf(
  { stacks }: Profile,
  { words, starts }: { words: Int32Array; starts: Int32Array },
  numbers: number[],
): number[][] {
  return Array.from({ length: stacks.size }, (_, i) => {
    const stack: number[] = [];
    for (let at = stacks.starts[i + 1]! - 1; at > stacks.starts[i]!; at--) {
      const location = stacks.words[at]!;
      for (let line = starts[location + 1]! - 1; line >= starts[location]!; line--) stack.push(numbers[words[line]!]!);
    }
    return stack;
  });
}
