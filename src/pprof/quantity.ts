/** Quantities as google/pprof prints them: `1.50s`, `512kB`, `12`, ` 3.41%`. */

interface Unit {
  name: string;
  aliases: string[];
  factor: number;
}

interface Family {
  units: Unit[];
  /** What a quantity is shown in when no unit is known to fit. */
  fallback: { name: string; factor: number };
}

const unit = (name: string, aliases: string[], factor: number): Unit => ({ name, aliases, factor });

const FAMILIES: Family[] = [
  {
    units: [
      unit('B', ['b', 'byte'], 1),
      unit('kB', ['kb', 'kbyte', 'kilobyte'], 2 ** 10),
      unit('MB', ['mb', 'mbyte', 'megabyte'], 2 ** 20),
      unit('GB', ['gb', 'gbyte', 'gigabyte'], 2 ** 30),
      unit('TB', ['tb', 'tbyte', 'terabyte'], 2 ** 40),
      unit('PB', ['pb', 'pbyte', 'petabyte'], 2 ** 50),
    ],
    fallback: { name: 'B', factor: 1 },
  },
  {
    units: [
      unit('ns', ['ns', 'nanosecond'], 1),
      unit('us', ['us', 'μs', 'microsecond'], 1e3),
      unit('ms', ['ms', 'millisecond'], 1e6),
      unit('s', ['s', 'sec', 'second'], 1e9),
      unit('hrs', ['hr', 'hour'], 3.6e12),
    ],
    fallback: { name: 's', factor: 1e9 },
  },
  {
    units: ['n*', 'u*', 'm*', '', 'k*', 'M*', 'G*', 'T*', 'P*'].map((prefix, i) => {
      const long = ['nano', 'micro', 'milli', '', 'kilo', 'mega', 'giga', 'tera', 'peta'][i]!;
      return unit(`${prefix}GCU`, [`${long}gcu`], 10 ** (3 * i - 9));
    }),
    fallback: { name: 'GCU', factor: 1 },
  },
];

/** Units that say nothing a reader wants to see. */
const SILENT = new Set(['count', 'sample', 'unit', 'minimum', 'auto']);

/**
 * A value in another unit. `minimum` chooses the largest unit in which it is at least 1. The unit is '' where it is not
 * worth showing, and that of the family where the wanted one does not belong to it.
 */
export function scaleQuantity(value: bigint, from: string, to: string): { value: number; unit: string } {
  if (value < 0n && BigInt.asIntN(64, -value) > 0n) {
    const scaled = scaleQuantity(-value, from, to);
    return { value: -scaled.value, unit: scaled.unit };
  }
  const number = Number(value);
  for (const { units, fallback } of FAMILIES) {
    const source = unitOf(units, from);
    if (source === undefined) continue;
    const base = number * source.factor;
    const target = (to === 'minimum' ? largestBelow(units, base) : unitOf(units, to)) ?? fallback;
    return { value: base / target.factor, unit: target.name };
  }
  return { value: number, unit: SILENT.has(to) ? '' : to };
}

function unitOf(units: Unit[], name: string): Unit | undefined {
  const lower = name.toLowerCase();
  const singular = lower.length > 2 && lower.endsWith('s') ? lower.slice(0, -1) : lower;
  return units.find(({ aliases }) => aliases.includes(singular));
}

function largestBelow(units: Unit[], base: number): Unit | undefined {
  return units.findLast(({ factor }) => base / factor >= 1);
}

/** A value with its unit, at most two decimals: `1.50s`, `12`, `0`. */
export function formatQuantity(value: bigint, from: string, to: string): string {
  const scaled = scaleQuantity(value, from, to);
  const text = fixed2(scaled.value).replace(/\.00$/, '');
  return text === '0' || text === '-0' ? '0' : text + scaled.unit;
}

/**
 * The unit of a whole table: that of its smallest value, or a larger one if the values span much more than that.
 * @param smallest the smallest value in the table that is not 0, without its sign; 0 if there is none
 */
export function tableUnit(smallest: bigint, total: bigint, unit: string): string {
  const low = smallest || total;
  const lowUnit = scaleQuantity(low, unit, 'minimum').unit;
  const highUnit = scaleQuantity(total, unit, 'minimum').unit;
  const wider = BigInt.asIntN(64, low * 100n); // wraps as in Go
  const found = lowUnit !== highUnit && wider < total ? scaleQuantity(wider, unit, 'minimum').unit : lowUnit;
  return found || unit;
}

/** The share of a value in a total without its sign, six characters wide: ` 3.41%`, `  100%`, `0.021%`. */
export function formatPercentage(value: bigint, total: bigint): string {
  const percent = total === 0n ? 0 : Math.abs(Number(value) / Number(total)) * 100;
  if (percent >= 99.95 && percent <= 100.05) return '  100%';
  return `${(percent >= 1 ? fixed2(percent) : significant2(percent)).padStart(5)}%`;
}

// Unlike toFixed and toPrecision, C and Go round what lies exactly in the middle to the even digit.
function fixed2(value: number): string {
  const eighths = Math.abs(value * 8);
  if (eighths % 2 !== 1 || eighths > 2 ** 53) return value.toFixed(2);
  const low = Math.floor(Math.abs(value) * 100);
  return ((Math.sign(value) * (low + (low % 2))) / 100).toFixed(2);
}

function significant2(value: number): string {
  if (value === 0) return '0';
  const [digits, exponent] = value.toExponential(60).split('e') as [string, string];
  const middle = /^(\d\.\d)50*$/.exec(digits);
  const even = middle !== null && Number(middle[1]!.at(-1)) % 2 === 0;
  const rounded = even ? Number(`${middle[1]}e${exponent}`) : Number(value.toExponential(1));
  if (Number(exponent) >= -4) return String(rounded);
  return rounded.toExponential().replace(/e-(\d)$/, 'e-0$1');
}
