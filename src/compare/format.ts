/**
 * Numbers for people. Every surface uses these, so that no two can show one value differently.
 * No locale: thousands are grouped with commas, the minus sign is U+2212, units stand behind one space.
 */

/** `ms` milliseconds, `bytes`, `MB` (Lambda's memory unit), `share` a fraction of one, `USD`. */
export type Unit = 'ms' | 'bytes' | 'MB' | 'share' | 'USD';

interface Scale {
  unit: string;
  /** Value in the original unit that is one of this scale. */
  size: number;
}

const none = 'n/a';

/** 5000 as `5,000`. */
export function formatCount(count: number): string {
  return Number.isFinite(count) ? group(Math.round(count).toFixed(0)) : none;
}

/** A value with its unit, three significant digits: `14.4 ms`, `530 µs`, `1.82 MB`, `2.5%`. */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return none;
  const scale = scaleOf(Math.abs(value), unit);
  return withUnit(digits(value / scale.size), scale);
}

/** Two values in one unit: `0.53 → 2.43 ms`. */
export function formatPair(base: number, head: number, unit: Unit): string {
  const scale = scaleOf(largest(base, head), unit);
  const one = (value: number) => (Number.isFinite(value) ? digits(value / scale.size) : none);
  return withUnit(`${one(base)} → ${one(head)}`, scale);
}

/** What was added, with its sign, in the unit of the pair: `+1.90 ms`, `−0.04 MB`, `+0.40 points` for shares. */
export function formatDelta(base: number, head: number, unit: Unit): string {
  if (!Number.isFinite(head - base)) return none;
  const scale = scaleOf(largest(base, head), unit);
  const delta = (head - base) / scale.size;
  return withUnit(signed(delta, digits(Math.abs(delta))), unit === 'share' ? { ...scale, unit: 'points' } : scale);
}

/** A relative change with its sign: 0.15 is `+15.0%`, −0.5 is `−50.0%`; from tenfold on `×12.0`. */
export function formatPercent(fraction: number): string {
  if (Number.isNaN(fraction)) return none;
  if (fraction === Infinity) return '×∞';
  if (fraction >= 9) return `×${digits(fraction + 1)}`;
  const percent = fraction * 100;
  return `${signed(percent, group(Math.abs(percent).toFixed(Math.abs(percent) < 99.95 ? 1 : 0)))}%`;
}

/** The change from base to head: `+15.0%`, or `new`, `gone`, `n/a`. `ratio` is head / base. */
export function formatRatio(ratio: number): string {
  if (ratio === Infinity) return 'new';
  return ratio === 0 ? 'gone' : formatPercent(ratio - 1);
}

/** The interval of a change, given the ratios at its ends: `+9.3% … +27%`; `—` when there is none. */
export function formatInterval(ratioLow: number, ratioHigh: number): string {
  if (Number.isNaN(ratioLow) || Number.isNaN(ratioHigh) || ratioLow === Infinity || ratioHigh === 0) return '—';
  return `${coarsePercent(ratioLow - 1)} … ${coarsePercent(ratioHigh - 1)}`;
}

/** A limit without needless digits: 0.1 is `+10%`. */
export function formatThreshold(fraction: number): string {
  return `+${Number((fraction * 100).toFixed(2))}%`;
}

/** A share of a whole: 0.253 is `25%`, 0.034 is `3.4%`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return Number.isFinite(percent) ? `${Number(percent.toFixed(percent < 9.95 ? 1 : 0))}%` : none;
}

/** A probability: `0.002`, `<0.0001`. */
export function formatProbability(p: number): string {
  if (Number.isNaN(p)) return none;
  if (p < 0.0001) return '<0.0001';
  return p < 0.1 ? Number(p.toPrecision(2)).toString() : p.toFixed(2);
}

/** How long a step took: `0.4 s`, `1 min 3 s`. */
export function formatElapsed(ms: number): string {
  if (!Number.isFinite(ms)) return none;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The first seven characters of a commit, the way git shows it. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}

/** The end of an interval: one decimal below 10 %, none above. */
function coarsePercent(fraction: number): string {
  if (!(Math.abs(fraction) >= 0.0995) || fraction >= 9) return formatPercent(fraction);
  return `${signed(fraction, group(Math.abs(fraction * 100).toFixed(0)))}%`;
}

function scaleOf(magnitude: number, unit: Unit): Scale {
  switch (unit) {
    case 'ms':
      if (magnitude >= 9_995) return { unit: 's', size: 1_000 };
      return magnitude < 0.0995 && magnitude > 0 ? { unit: 'µs', size: 0.001 } : { unit: 'ms', size: 1 };
    case 'bytes':
      if (magnitude >= 999.5e6) return { unit: 'GB', size: 1e9 };
      if (magnitude >= 999.5e3) return { unit: 'MB', size: 1e6 };
      return magnitude >= 999.5 ? { unit: 'kB', size: 1e3 } : { unit: 'B', size: 1 };
    case 'MB':
    case 'USD':
      return { unit, size: 1 };
    case 'share':
      return { unit: '%', size: 0.01 };
  }
}

function largest(base: number, head: number): number {
  return Math.max(Number.isFinite(base) ? Math.abs(base) : 0, Number.isFinite(head) ? Math.abs(head) : 0);
}

/**
 * Three significant digits, at most three decimals; zero is `0`. What differs after the sixth digit only (sums in
 * another order) is the same text.
 */
function digits(value: number): string {
  const magnitude = Math.abs(Number(value.toPrecision(6)));
  if (magnitude < 0.0005) return '0';
  const decimals = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : magnitude >= 0.0995 ? 2 : 3;
  const text = group(magnitude.toFixed(decimals));
  return value < 0 ? `−${text}` : text;
}

function signed(value: number, magnitude: string): string {
  if (Number(magnitude.replaceAll(',', '')) === 0) return `±${magnitude}`;
  return `${value < 0 ? '−' : '+'}${magnitude}`;
}

function withUnit(text: string, scale: Scale): string {
  return scale.unit === '%' ? `${text}%` : `${text} ${scale.unit}`;
}

function group(number: string): string {
  const [whole = '', fraction] = number.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
