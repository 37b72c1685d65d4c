import { Profile, type ValueType, wide } from './columns.ts';
import { ProfileError, quoted } from './limits.ts';

/** The column of a sample type. @throws ProfileError that names the types there are. */
export function columnOf(profile: Profile, type: string): number {
  const column = profile.sampleTypes.findIndex((known) => known.type === type);
  if (column < 0) {
    const known = profile.sampleTypes.map(({ type }) => quoted(type)).join(', ');
    throw new ProfileError(`Cannot find sample type ${quoted(type)}: the profile has ${known || 'none'}.`);
  }
  return column;
}

/** The sample type that viewers show first: the profile's default, or its last. '' if there is none. */
export function defaultSampleType(profile: Profile): string {
  const { sampleTypes, defaultSampleType } = profile;
  if (sampleTypes.some(({ type }) => type === defaultSampleType)) return defaultSampleType;
  return sampleTypes.at(-1)?.type ?? '';
}

/** Keeps only some of the sample types, in this order. @throws ProfileError if the profile lacks one. */
export function selectSampleTypes(profile: Profile, types: string[]): Profile {
  const columns = types.map((type) => columnOf(profile, type));
  const { stacks, header, values } = profile;
  const width = header.sampleTypes.length * 2;
  const selected = new Int32Array(stacks.size * columns.length * 2);
  for (let i = 0, into = 0; i < stacks.size; i++)
    for (const column of columns) {
      selected[into++] = values[i * width + column * 2]!;
      selected[into++] = values[i * width + column * 2 + 1]!;
    }
  const sampleTypes = columns.map((column) => header.sampleTypes[column]!);
  const kept = types.includes(header.defaultSampleType) ? header.defaultSampleType : (types[0] ?? '');
  return Object.assign(new Profile(), profile, {
    values: selected,
    header: { ...header, sampleTypes, defaultSampleType: kept },
  });
}

/** The same profile with every value replaced by what `change` makes of it. @throws ProfileError if that is not an int64. */
export function withValues(profile: Profile, change: (value: bigint, column: number) => bigint): Profile {
  const columns = profile.sampleTypes.length;
  const count = profile.sampleCount * columns;
  const values = new Int32Array(count * 2);
  const changed = new BigInt64Array(values.buffer);
  for (let i = 0; i < count; i++) {
    const value = change(wide(profile.values, i * 2), i % columns);
    changed[i] = value;
    if (changed[i] !== value) throw new ProfileError('Cannot change the profile: a value does not fit 64 bits.');
  }
  return Object.assign(new Profile(), profile, { values });
}

/**
 * The same profiles with equal sample types: those that all of them have, in the order of the first, in the finest of
 * their units.
 * @throws ProfileError if no sample type is common to all, or if units cannot be converted.
 */
export function alignProfiles(profiles: Profile[]): Profile[] {
  const [first, ...others] = profiles;
  if (first === undefined || others.every((other) => sameTypes(first, other))) return profiles;
  const common = first.sampleTypes
    .map(({ type }) => type)
    .filter((type) => others.every((other) => other.sampleTypes.some((known) => known.type === type)));
  if (common.length === 0)
    throw new ProfileError('Cannot merge the profiles: no sample type is common to all of them.');
  const selected = profiles.map((profile) =>
    profile.sampleTypes.length === common.length && profile.sampleTypes.every(({ type }, i) => type === common[i])
      ? profile
      : selectSampleTypes(profile, common),
  );
  const types = common.map((_, i) => finest(selected.map((profile) => profile.sampleTypes[i]!)));
  const period = finest(selected.map((profile) => profile.periodType));
  return selected.map((profile) => converted(profile, types, period));
}

function sameTypes(a: Profile, b: Profile): boolean {
  const equal = (x: ValueType, y: ValueType) => x.type === y.type && x.unit === y.unit;
  return (
    a.sampleTypes.length === b.sampleTypes.length &&
    a.sampleTypes.every((type, i) => equal(type, b.sampleTypes[i]!)) &&
    equal(a.periodType, b.periodType)
  );
}

// Every coarser unit is a whole number of finer ones, so nothing is rounded.
function converted(profile: Profile, types: ValueType[], periodType: ValueType): Profile {
  const ratios = types.map(({ unit }, i) => ratio(profile.sampleTypes[i]!.unit, unit));
  const scaled = ratios.every((ratio) => ratio === 1n)
    ? profile
    : withValues(profile, (value, column) => value * ratios[column]!);
  const period = profile.period * ratio(profile.periodType.unit, periodType.unit);
  return Object.assign(new Profile(), scaled, {
    header: { ...scaled.header, sampleTypes: types, periodType, period },
  });
}

function finest(types: ValueType[]): ValueType {
  let finest = types[0]!;
  for (const type of types) {
    const convertible = type.unit === finest.unit || familyOf(type.unit) === (familyOf(finest.unit) ?? null);
    if (withoutPlural(type.type) !== withoutPlural(finest.type) || !convertible)
      throw new ProfileError(
        `Cannot merge the profiles: ${quoted(`${type.type}/${type.unit}`)} cannot be converted to ${quoted(`${finest.type}/${finest.unit}`)}.`,
      );
    if (type.unit !== finest.unit && factorOf(type.unit) < factorOf(finest.unit)) finest = type;
  }
  return finest;
}

function withoutPlural(type: string): string {
  return type.endsWith('s') ? type.slice(0, -1) : type;
}

/** The units that google/pprof converts into each other, each as a multiple of the finest of its family. */
const UNITS: Map<string, bigint>[] = [
  new Map([
    ...['b', 'byte'].map((unit) => [unit, 1n] as const),
    ...['kb', 'kbyte', 'kilobyte'].map((unit) => [unit, 2n ** 10n] as const),
    ...['mb', 'mbyte', 'megabyte'].map((unit) => [unit, 2n ** 20n] as const),
    ...['gb', 'gbyte', 'gigabyte'].map((unit) => [unit, 2n ** 30n] as const),
    ...['tb', 'tbyte', 'terabyte'].map((unit) => [unit, 2n ** 40n] as const),
    ...['pb', 'pbyte', 'petabyte'].map((unit) => [unit, 2n ** 50n] as const),
  ]),
  new Map([
    ...['ns', 'nanosecond'].map((unit) => [unit, 1n] as const),
    ...['us', 'μs', 'microsecond'].map((unit) => [unit, 1_000n] as const),
    ...['ms', 'millisecond'].map((unit) => [unit, 1_000_000n] as const),
    ...['s', 'sec', 'second'].map((unit) => [unit, 1_000_000_000n] as const),
    ...['hr', 'hour'].map((unit) => [unit, 3_600_000_000_000n] as const),
  ]),
  new Map(
    ['nanogcu', 'microgcu', 'milligcu', 'gcu', 'kilogcu', 'megagcu', 'gigagcu', 'teragcu', 'petagcu'].map(
      (unit, i) => [unit, 1000n ** BigInt(i)] as const,
    ),
  ),
];

function canonicalUnit(unit: string): string {
  const lower = unit.toLowerCase();
  return lower.length > 2 && lower.endsWith('s') ? lower.slice(0, -1) : lower;
}

function familyOf(unit: string): Map<string, bigint> | undefined {
  return UNITS.find((family) => family.has(canonicalUnit(unit)));
}

function factorOf(unit: string): bigint {
  return familyOf(unit)?.get(canonicalUnit(unit)) ?? 1n;
}

function ratio(from: string, to: string): bigint {
  return from === to ? 1n : factorOf(from) / factorOf(to);
}

/** A quantity in the finest unit of its family; one of an unknown unit stays as it is. */
export function convertUnit(value: bigint, unit: string): { value: bigint; unit: string } {
  const family = familyOf(unit);
  if (family === undefined) return { value, unit };
  return { value: value * factorOf(unit), unit: [...family.keys()][0]! };
}
