/** What a profile may cost before it is refused: profiles come from code under review. */
export interface DecodeLimits {
  /** Bytes as published, usually gzip. */
  compressedBytes: number;
  /** Bytes of profile.proto after decompression. */
  inflatedBytes: number;
  samples: number;
  /** Location numbers in all samples together. */
  frames: number;
  /** Values in all samples together. */
  values: number;
  /** Entries in each of the tables of strings, functions, locations and label sets; lines and labels in them. */
  entries: number;
  /** Sample types, mappings and comments, each. */
  headers: number;
}

export const DEFAULT_LIMITS: DecodeLimits = {
  compressedBytes: 32 * 2 ** 20,
  inflatedBytes: 256 * 2 ** 20,
  samples: 5_000_000,
  frames: 100_000_000,
  values: 20_000_000,
  entries: 5_000_000,
  headers: 10_000,
};

/** Why bytes are not a profile, or why profiles cannot be combined: one sentence for the reader of a report. */
export class ProfileError extends Error {
  override name = 'ProfileError';
}

/** Shows text that came from a profile inside an error: one short line, no control characters. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}'));
}
